import { OpenFlowError } from '../errors.ts';
import { aborted } from './out-queue.ts';
import type { Sleep } from './types.ts';

/** A countdown that calls `expired` once, unless stopped first. */
export type Deadline = { readonly stop: () => void };

/**
 * Calls `expired` with `timeout` after `ms` milliseconds or with `aborted` when the signal aborts, whichever is
 * first, and nothing after `stop`.
 */
export function startDeadline(
  sleep: Sleep,
  ms: number,
  signal: AbortSignal | undefined,
  expired: (error: OpenFlowError) => void,
): Deadline {
  const timer = new AbortController();
  const giveUp = (): void => end(aborted(signal));
  const stop = (): void => {
    signal?.removeEventListener('abort', giveUp);
    timer.abort();
  };
  function end(error: OpenFlowError): void {
    if (timer.signal.aborted) return;
    stop();
    expired(error);
  }
  if (signal?.aborted) giveUp();
  else {
    signal?.addEventListener('abort', giveUp, { once: true });
    // A sleep that was stopped rejects: nothing is left to do then.
    sleep(ms, timer.signal).then(
      () => end(new OpenFlowError('timeout', `no answer within ${ms} ms`)),
      () => undefined,
    );
  }
  return { stop };
}
