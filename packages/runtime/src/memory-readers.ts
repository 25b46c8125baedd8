import type { Subscription } from './topic.ts';

/** A reader of a topic in memory that waits for what its patterns match. */
export interface Reader {
  /** While it waits, nothing after its position is for it. */
  readonly place: Subscription;
  /** Ends its wait; undefined while it does not wait. */
  wake: (() => void) | undefined;
}

/** The readers of a topic by what they read, so that a message costs those that it is for and not everybody. */
export class Readers {
  readonly #all = new Set<Reader>();
  /** By subject, or by its beginning up to a dot. */
  readonly #byPattern = new Map<string, Set<Reader>>();

  add(patterns: readonly string[], reader: Reader): void {
    this.#all.add(reader);
    for (const key of patterns.map(keyOf)) {
      const readers = this.#byPattern.get(key) ?? new Set();
      this.#byPattern.set(key, readers.add(reader));
    }
  }

  remove(patterns: readonly string[], reader: Reader): void {
    this.#all.delete(reader);
    for (const key of patterns.map(keyOf)) {
      const readers = this.#byPattern.get(key);
      readers?.delete(reader);
      if (readers?.size === 0) this.#byPattern.delete(key);
    }
  }

  /** There is a message of the subject at `position`, the newest of all. */
  tell(subject: string, position: number): void {
    for (let end = 0; end >= 0; end = subject.indexOf('.', end) + 1 || -1)
      this.#wake(this.#byPattern.get(subject.slice(0, end)), position - 1);
    this.#wake(this.#byPattern.get(subject), position - 1);
  }

  /** Who waits has read all that there is for it up to `position`. */
  skipTo(position: number): void {
    for (const { place, wake } of this.#all) if (wake !== undefined) place.position = position;
  }

  #wake(readers: ReadonlySet<Reader> | undefined, before: number): void {
    for (const reader of readers ?? []) {
      const { wake } = reader;
      if (wake === undefined) continue;
      reader.wake = undefined;
      reader.place.position = before;
      wake();
    }
  }
}

/** `a.>` is everything that begins with `a.`. */
function keyOf(pattern: string): string {
  return pattern.endsWith('>') ? pattern.slice(0, -1) : pattern;
}
