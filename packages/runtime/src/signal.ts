/** Resolves (never rejects) when the signal aborts; at once if it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** A flag that one loop waits on and anybody raises; raising it twice is raising it once. */
export interface Wakeup {
  readonly raise: () => void;
  /** Resolves when raised since the last time it resolved, or when the signal aborts. */
  readonly wait: (signal?: AbortSignal) => Promise<void>;
}

export function createWakeup(): Wakeup {
  let raised = false;
  let wake: (() => void) | undefined;
  return {
    raise() {
      raised = true;
      wake?.();
    },
    async wait(signal) {
      if (!raised && signal?.aborted !== true) {
        await new Promise<void>((resolve) => {
          const done = (): void => {
            signal?.removeEventListener('abort', done);
            wake = undefined;
            resolve();
          };
          wake = done;
          signal?.addEventListener('abort', done, { once: true });
        });
      }
      raised = false;
    },
  };
}
