import type { Clock } from '@alcor/runtime';

/** Tells readers in this process that something was committed. */
export interface Wakeup {
  /** Something was committed. */
  wake(): void;
  /** The present moment, to be given to `wait`. */
  mark(): number;
  /** Resolves when something was committed since `mark`, after `ms`, or when `signal` aborts. */
  wait(mark: number, ms: number, signal: AbortSignal): Promise<void>;
}

export function createWakeup(clock: Clock): Wakeup {
  let count = 0;
  const waiting = new Set<() => void>();
  return {
    wake() {
      count += 1;
      for (const resume of waiting) resume();
    },
    mark: () => count,
    wait(mark, ms, signal) {
      if (count !== mark || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const resume = (): void => {
          waiting.delete(resume);
          timer.cancel();
          signal.removeEventListener('abort', resume);
          resolve();
        };
        const timer = clock.timer(ms, resume);
        signal.addEventListener('abort', resume, { once: true });
        waiting.add(resume);
      });
    },
  };
}
