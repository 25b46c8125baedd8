import { setImmediate as giveWay, setTimeout as sleepFor } from 'node:timers/promises';
import type { Clock } from '../runtime.ts';

export const realClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      const options = signal === undefined ? {} : { signal };
      // A timer takes a millisecond at least.
      await (ms > 0 ? sleepFor(ms, undefined, options) : giveWay(undefined, options));
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
  timer: (ms, run) => {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
