import { parentPort } from 'node:worker_threads';
import { simulate } from '@alcor/lab';

/** What a thread of `alcor simulate` answers to a seed. */
export interface SeedOutcome {
  readonly seed: number;
  readonly failures: readonly string[];
}

// Runs the seeds that it is sent, one after the other.
parentPort?.on('message', (seed: number) => {
  simulate(seed).then(
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    ({ failures }) => parentPort?.postMessage({ seed, failures } satisfies SeedOutcome),
    (error: unknown) => {
      throw error;
    },
  );
});
