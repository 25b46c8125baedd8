import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { simulate } from '@alcor/lab';
import { defineCommand } from 'citty';
import { progress } from './output.ts';
import type { SeedOutcome } from './simulate-worker.ts';

/** A run makes much that is soon garbage. */
const youngGenerationMib = 64;

/** `alcor simulate`: the region under seeded faults. */
export const simulateCommand = defineCommand({
  meta: { name: 'simulate', description: 'Run the region in one process under seeded faults and check its invariants' },
  args: {
    seeds: { type: 'string', default: '100', description: 'Run the seeds 1 to N' },
    seed: { type: 'string', description: 'Run one seed and print everything that happens in it' },
    jobs: { type: 'string', description: 'How many seeds run side by side (default: one for each core)' },
    json: { type: 'boolean', default: false, description: 'Print the result as one JSON object on the last line' },
  },
  async run({ args }) {
    const jobs = args.jobs === undefined ? availableParallelism() : positive('--jobs', args.jobs);
    const failed =
      args.seed === undefined
        ? await many(positive('--seeds', args.seeds), jobs)
        : await one(positive('--seed', args.seed));
    const seeds = args.seed === undefined ? Number(args.seeds) : 1;
    if (args.json) console.log(JSON.stringify({ seeds, failed }));
    else
      console.log(
        failed.length === 0
          ? `All invariants held in ${seeds} simulated runs.`
          : `Failed seeds: ${failed.join(', ')}. Replay one with: npm run simulate -- --seed ${failed[0]}`,
      );
    process.exitCode = failed.length === 0 ? 0 : 1;
  },
});

/** Every seed is a run of its own, so threads share the seeds out as they go. */
async function many(seeds: number, jobs: number): Promise<number[]> {
  const failed: number[] = [];
  let next = 1;
  let done = 0;
  const work = async (): Promise<void> => {
    const resourceLimits = { maxYoungGenerationSizeMb: youngGenerationMib };
    const worker = new Worker(new URL('simulate-worker.js', import.meta.url), { resourceLimits });
    try {
      while (next <= seeds) {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        worker.postMessage(next++);
        const [{ seed, failures }] = (await once(worker, 'message')) as [SeedOutcome];
        if (failures.length > 0) {
          failed.push(seed);
          progress(`seed ${seed}: ${failures[0]}${failures.length > 1 ? ` (and ${failures.length - 1} more)` : ''}`);
        }
        if (++done % 50 === 0) progress(`${done} of ${seeds} seeds, ${failed.length} failed`);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, seeds) }, work));
  return failed.toSorted((a, b) => a - b);
}

async function one(seed: number): Promise<number[]> {
  const { failures, log } = await simulate(seed);
  for (const line of log) console.log(line);
  for (const failure of failures) progress(`failed: ${failure}`);
  return failures.length > 0 ? [seed] : [];
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new TypeError(`${name} wants a whole number from 1 up, not '${text}'`);
  return value;
}
