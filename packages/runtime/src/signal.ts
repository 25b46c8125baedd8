/** Resolves (never rejects) when the signal aborts; at once if it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** A flag that one loop waits on and anybody raises; raising it twice is raising it once. */
export interface Wakeup {
  readonly raise: () => void;
  /** Resolves when raised since the last time it resolved, or when the signal aborts, which it listens to from the first time on. */
  readonly wait: (signal?: AbortSignal) => Promise<void>;
}

export function createWakeup(): Wakeup {
  let raised = false;
  let wake: (() => void) | undefined;
  let heeded: AbortSignal | undefined;
  const stop = (): void => wake?.();
  // To listen anew each time costs more than all else of a wait.
  const heed = (signal: AbortSignal | undefined): void => {
    if (signal === heeded) return;
    heeded?.removeEventListener('abort', stop);
    signal?.addEventListener('abort', stop, { once: true });
    heeded = signal;
  };
  return {
    raise() {
      raised = true;
      wake?.();
    },
    async wait(signal) {
      if (!raised && signal?.aborted !== true) {
        heed(signal);
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
      raised = false;
    },
  };
}
