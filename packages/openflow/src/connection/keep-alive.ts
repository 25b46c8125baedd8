import { OpenFlowError } from '../errors.ts';
import type { Channel } from './channel.ts';
import type { Sleep } from './types.ts';

/**
 * Asks a silent switch whether it lives (section 6.5): after `intervalMs` without a message an echo request, after as
 * much again the end with `timeout`. Runs until the signal aborts or the channel ends.
 */
export async function keepAlive(
  channel: Channel,
  sleep: Sleep,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  let seen = -1;
  let asked = false;
  while (!signal.aborted) {
    try {
      await sleep(intervalMs, signal);
    } catch {
      return;
    }
    if (channel.received !== seen || channel.paused) {
      seen = channel.received;
      asked = false;
    } else if (asked) {
      channel.close(new OpenFlowError('timeout', `the switch was silent for ${2 * intervalMs} ms`));
    } else {
      asked = true;
      channel.send({ type: 'echo_request', data: new Uint8Array() }, 0).catch(() => undefined);
    }
  }
}
