/**
 * The bus: named topics, each a log that keeps the newest entry of every key.
 *
 * A reader holds a position and asks for what came after it. Reading from 0 is the snapshot; reading on from there is the
 * stream of changes. A reader that falls behind skips what has been overwritten meanwhile, so nobody's slowness costs anybody
 * else, and a topic is never larger than what it speaks of. (A JetStream stream with one message kept per subject makes the
 * same promises between processes.)
 *
 *     a₁ b₂ c₃ ── put(a) ──▶ b₂ c₃ a₄        after(2) = c₃ a₄
 */
export interface Entry<V> {
  readonly key: string;
  /** What was put; for a removed key, what its remover left. */
  readonly value: V;
  readonly removed: boolean;
  readonly position: number;
}

export interface Subscription {
  /** Everything up to here has been read; the reader moves it on. */
  position: number;
  close(): void;
}

/** What an observer is told of: the entry that had a value and has not any more, and the one that has a value now. */
export interface TopicChange<V> {
  readonly before: Entry<V> | undefined;
  readonly after: Entry<V> | undefined;
}

export interface TopicObserver<V> {
  changed(change: TopicChange<V>): void;
}

/** An entry in its place: one object for both, because of large regions there are millions. */
interface Link<V> extends Entry<V> {
  previous: Link<V> | undefined;
  next: Link<V> | undefined;
}

/** Removals among so many of the newest entries are kept for readers that come back. */
const keptForAnyone = 64;
/** The same while somebody watches: what is published in one go before a watcher can look. */
const keptForWatchers = 4_096;

export class Topic<V> {
  readonly #links = new Map<string, Link<V>>();
  readonly #readers = new Map<Subscription, () => void>();
  /** Readers that only some removals are kept for. */
  readonly #watchers = new Map<Subscription, () => void>();
  /** The last entry that `take` gave each of them. */
  readonly #places = new WeakMap<Subscription, Link<V>>();
  /** Told of every change. */
  readonly #observers = new Set<TopicObserver<V>>();
  #first: Link<V> | undefined;
  #last: Link<V> | undefined;
  #position = 0;
  #removed = 0;
  #forgotten = 0;
  /** Removed keys at which to look again for those that every reader has seen; doubles when a slow reader keeps them alive. */
  #forgetAt = 64;

  /** The position of the newest entry. */
  get position(): number {
    return this.#position;
  }

  /** Keys that have a value. */
  get size(): number {
    return this.#links.size - this.#removed;
  }

  /** Entries kept for keys that are gone: until every reader has seen it, and a few for those that come back. */
  get tombstones(): number {
    return this.#removed;
  }

  /** The position of the newest entry that was forgotten: what is read on from before it is not whole. */
  get forgotten(): number {
    return this.#forgotten;
  }

  put(key: string, value: V): void {
    this.#append(key, value, false);
  }

  /** Leaves `value` as the last word on the key. Does nothing when the key has no value. */
  remove(key: string, value: V): void {
    if (this.get(key) === undefined) return;
    this.#append(key, value, true);
    if (this.#removed >= this.#forgetAt && this.#removed > this.#links.size / 2) this.#forgetRemoved();
  }

  /** Takes the key away without a last word: who has not read it never will. */
  forget(key: string): void {
    const link = this.#links.get(key);
    if (link === undefined) return;
    this.#unlink(link);
    this.#links.delete(key);
    this.#forgotten = Math.max(this.#forgotten, link.position);
    this.#tellObservers(link, undefined);
  }

  get(key: string): V | undefined {
    const entry = this.#links.get(key);
    return entry?.removed === false ? entry.value : undefined;
  }

  /** At most `limit` entries after `position`, oldest first. Costs what came after, not what the topic holds. */
  after(position: number, limit: number): Entry<V>[] {
    let link = position === 0 ? this.#first : this.#last;
    if (position > 0) {
      if (link === undefined || link.position <= position) return [];
      while (link.previous !== undefined && link.previous.position > position) link = link.previous;
    }
    const entries: Entry<V>[] = [];
    for (; link !== undefined && entries.length < limit; link = link.next) entries.push(link);
    return entries;
  }

  /** A reader from the beginning; `wake` is called when there is something new. */
  subscribe(wake: () => void): Subscription {
    const subscription: Subscription = { position: 0, close: () => void this.#readers.delete(subscription) };
    this.#readers.set(subscription, wake);
    return subscription;
  }

  /** A reader from `position` on that only some removals are kept for: one that has fallen behind `forgotten` must begin anew. */
  watch(position: number, wake: () => void): Subscription {
    const subscription: Subscription = { position, close: () => void this.#watchers.delete(subscription) };
    this.#watchers.set(subscription, wake);
    return subscription;
  }

  /** Has `observer` told of every change from now on, at once: for what is kept of the topic's values at the cost of a change. */
  observe(observer: TopicObserver<V>): void {
    this.#observers.add(observer);
  }

  /** The next `limit` entries of a subscription, which is moved on behind them. Costs what it gives, however far behind it is. */
  take(subscription: Subscription, limit: number): Entry<V>[] {
    const place = this.#places.get(subscription);
    const isThere = place !== undefined && place.position === subscription.position;
    if (!isThere || this.#links.get(place.key) !== place) return this.#moveOn(subscription, limit);
    const entries: Entry<V>[] = [];
    let last = place;
    for (let link = place.next; link !== undefined && entries.length < limit; link = link.next) {
      entries.push(link);
      last = link;
    }
    this.#place(subscription, last);
    return entries;
  }

  #moveOn(subscription: Subscription, limit: number): Entry<V>[] {
    const entries = this.after(subscription.position, limit);
    const last = entries.at(-1);
    const link = last === undefined ? undefined : this.#links.get(last.key);
    if (link !== undefined) this.#place(subscription, link);
    return entries;
  }

  #place(subscription: Subscription, link: Link<V>): void {
    subscription.position = link.position;
    this.#places.set(subscription, link);
  }

  #append(key: string, value: V, removed: boolean): void {
    const before = this.#links.get(key);
    if (before !== undefined) this.#unlink(before);
    const link: Link<V> = { key, value, removed, position: ++this.#position, previous: this.#last, next: undefined };
    if (this.#last === undefined) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#links.set(key, link);
    if (removed) this.#removed++;
    this.#tellObservers(before, link);
    for (const wake of this.#readers.values()) wake();
    for (const wake of this.#watchers.values()) wake();
  }

  #tellObservers(before: Entry<V> | undefined, after: Entry<V> | undefined): void {
    if (this.#observers.size === 0) return;
    const change = { before: valued(before), after: valued(after) };
    for (const observer of this.#observers) observer.changed(change);
  }

  #unlink(link: Link<V>): void {
    if (link.previous === undefined) this.#first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.#last = link.previous;
    else link.next.previous = link.previous;
    if (link.removed) this.#removed--;
    // Whoever holds on to it must not hold on to what came around it.
    link.previous = link.next = undefined;
  }

  #forgetRemoved(): void {
    let seen = this.#position - (this.#watchers.size > 0 ? keptForWatchers : keptForAnyone);
    for (const reader of this.#readers.keys()) if (reader.position > 0) seen = Math.min(seen, reader.position);
    for (const [key, { removed, position }] of this.#links) {
      if (removed && position <= seen) this.forget(key);
    }
    this.#forgetAt = Math.max(64, this.#removed * 2);
  }
}

function valued<V>(entry: Entry<V> | undefined): Entry<V> | undefined {
  return entry?.removed === false ? entry : undefined;
}

export class Bus<V> {
  readonly #topics = new Map<string, Topic<V>>();

  /** The topic of this name; made when first asked for. */
  topic(name: string): Topic<V> {
    let topic = this.#topics.get(name);
    if (topic === undefined) this.#topics.set(name, (topic = new Topic<V>()));
    return topic;
  }

  /** Forgets a topic that nobody will read again. */
  drop(name: string): void {
    this.#topics.delete(name);
  }

  get topics(): ReadonlyMap<string, Topic<V>> {
    return this.#topics;
  }
}
