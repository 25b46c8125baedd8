import type { Clock } from '@alcor/runtime';

/** Keeps the values last asked for, each until its time is over. */
export interface Cache<Value> {
  get(key: string): Value | undefined;
  /** `forMs` from now. */
  set(key: string, value: Value, forMs: number): void;
  delete(key: string): void;
  clear(): void;
  readonly size: number;
}

/** At most `capacity` values: the one not asked for the longest goes first. */
export function createCache<Value>(clock: Clock, capacity: number): Cache<Value> {
  // A Map iterates in the order of insertion; whoever is asked for goes to the end.
  const entries = new Map<string, { readonly value: Value; readonly until: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.until <= clock.now()) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, forMs) {
      entries.delete(key);
      if (forMs <= 0) return;
      entries.set(key, { value, until: clock.now() + forMs });
      const [oldest] = entries.keys();
      if (entries.size > capacity && oldest !== undefined) entries.delete(oldest);
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    get size() {
      return entries.size;
    },
  };
}
