import { setTimeout as sleepFor } from 'node:timers/promises';
import type { Clock } from '../runtime.ts';

export const realClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await sleepFor(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
  timer: (ms, run) => {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
