import type { Change } from './api.ts';
import { isChange } from './table-copy.ts';

/**
 * Changes waiting for one consumer, merged by row: from what the consumer last saw to what is now. So it holds at most one
 * change per row however slow the consumer is, and a row that came and went unseen is no change at all.
 */
export class ChangeQueue {
  readonly #waiting = new Map<string, Change>();
  #closed = false;
  #wake: () => void = () => {};

  push(changes: readonly Change[]): void {
    for (const change of changes) this.#merge(change);
    this.#wake();
  }

  /** Lets the consumer finish; what is still waiting is dropped. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Batches until closed. For one consumer. */
  async *batches(): AsyncGenerator<readonly Change[], void, void> {
    while (!this.#closed) {
      if (this.#waiting.size > 0) {
        const batch = [...this.#waiting.values()];
        this.#waiting.clear();
        yield batch;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #merge(change: Change): void {
    const key = `${change.table} ${change.uuid}`;
    const earlier = this.#waiting.get(key);
    const merged = earlier === undefined ? change : { ...change, old: earlier.old };
    if (isChange(merged)) this.#waiting.set(key, merged);
    else this.#waiting.delete(key);
  }
}
