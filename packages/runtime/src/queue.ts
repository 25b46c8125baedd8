/** An unbounded hand-over from callbacks to one `for await`; the producer bounds it. */
export interface Queue<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** Ends the iteration after what is queued. */
  end(): void;
  /** Makes the iteration throw at once. */
  fail(error: unknown): void;
}

export function createQueue<T>(): Queue<T> {
  const items: T[] = [];
  let state: 'open' | 'ended' | { readonly error: unknown } = 'open';
  let wake: (() => void) | undefined;
  const change = (apply: () => void): void => {
    if (state !== 'open') return;
    apply();
    wake?.();
  };

  async function* iterate(): AsyncGenerator<T, void> {
    for (;;) {
      if (typeof state === 'object') throw state.error;
      if (items.length > 0) {
        yield* items.splice(0);
        continue;
      }
      if (state !== 'open') return;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  return {
    push: (item) => change(() => items.push(item)),
    end: () => change(() => (state = 'ended')),
    fail: (error) => change(() => (state = { error })),
    [Symbol.asyncIterator]: iterate,
  };
}
