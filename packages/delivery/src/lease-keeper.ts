import {
  type HeldLease,
  type Lease,
  type LeaseHolder,
  LeaseLost,
  type LeaseStore,
  type Shard,
  type ShardKind,
} from '@alcor/network';
import { type Clock, createWakeup, type Timer, type Topic } from '@alcor/runtime';

/** What is done for the shards of one kind that this process holds. */
export interface ShardWork {
  /** Begins the work of a shard. */
  take(lease: Lease): void;
  /** Ends it; resolves when nothing of it goes on. */
  leave(shard: Shard): Promise<void>;
}

export interface LeaseKeeperOptions {
  readonly store: LeaseStore;
  /** Names this process among those that share the work; the same after a restart. */
  readonly name: string;
  /** Where the others reach it, once it knows. */
  readonly address?: () => string;
  /** Leases as the feed has told them, by shard. */
  readonly told: Topic<HeldLease>;
  readonly work: Readonly<Record<ShardKind, ShardWork>>;
  readonly clock: Clock;
  readonly log: (message: string, error?: unknown) => void;
}

/** Whoever dies is missed for so long, and a renewal more: the rest of 5 s is for those who come after to take the work up. */
const ttlMs = 2_000;
const renewEveryMs = 400;
/** How long before the store may give a lease to others its holder stops: for what is under way, and for clocks that run unevenly. */
const marginMs = 400;

/**
 * Keeps this process among those that share the work, and its work to the shards that it surely holds. The work of a shard begins when
 * the feed has told of the lease: everything that the holder before can have acted on is then known here.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #wakeup = createWakeup();
  /** What the store gave at the last renewal. */
  #given: ReadonlyMap<Shard, Lease> = new Map();
  /** On the holder's clock; what was given is not believed in afterwards. */
  #validUntil = Number.NEGATIVE_INFINITY;
  readonly #working = new Map<Shard, Lease>();
  /** Shards whose work is coming to its end. */
  readonly #leaving = new Map<Shard, Promise<void>>();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** The leases whose work is done here now. */
  get working(): ReadonlyMap<Shard, Lease> {
    return this.#working;
  }

  /** Runs until `signal` aborts, and then lets everything go. Rejects when another process has begun a life under the same name. */
  async run(signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const holder = await this.#enter(signal);
    if (holder === undefined) return;
    const over = new AbortController();
    const following = this.#follow(holder, AbortSignal.any([signal, over.signal]));
    try {
      await this.#renewRepeatedly(holder, signal);
    } finally {
      over.abort();
      await following;
      this.#given = new Map();
      this.#settle(holder);
      await Promise.all(this.#leaving.values());
      await store.leaveLeases(holder).catch(() => {});
    }
  }

  async #enter(signal: AbortSignal): Promise<LeaseHolder | undefined> {
    const { store, name, address, clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        return await store.enterLeases(name, address?.());
      } catch (error) {
        log(`cannot enter among those that share the work; trying again in ${renewEveryMs} ms`, error);
        await clock.sleep(renewEveryMs, signal).catch(() => {});
      }
    }
    return undefined;
  }

  async #renewRepeatedly(holder: LeaseHolder, signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#options;
    let expiry: Timer | undefined;
    try {
      while (!signal.aborted) {
        const asked = clock.now();
        try {
          const leases = await store.renewLeases(holder, ttlMs);
          this.#given = new Map(leases.map((lease) => [lease.shard, lease]));
          this.#validUntil = asked + ttlMs - marginMs;
          expiry?.cancel();
          expiry = clock.timer(Math.max(0, this.#validUntil - clock.now()), this.#wakeup.raise);
          this.#wakeup.raise();
        } catch (error) {
          if (error instanceof LeaseLost) throw error;
          log('cannot renew the leases', error);
        }
        await clock.sleep(renewEveryMs, signal).catch(() => {});
      }
    } finally {
      expiry?.cancel();
    }
  }

  /** Looks at what is held whenever something was given, has run out, or has been told of. */
  async #follow(holder: LeaseHolder, signal: AbortSignal): Promise<void> {
    const { told } = this.#options;
    const subscription = told.subscribe(this.#wakeup.raise);
    while (!signal.aborted) {
      subscription.position = told.position;
      this.#settle(holder);
      await this.#wakeup.wait(signal);
    }
    subscription.close();
  }

  /** Brings the work into line with what is held: ends at once what is not, and begins what has come to its end elsewhere. */
  #settle(holder: LeaseHolder): void {
    const { work } = this.#options;
    const held = this.#held();
    for (const [shard, { fence }] of this.#working) {
      if (held.get(shard)?.fence === fence) continue;
      this.#working.delete(shard);
      this.#leaving.set(shard, this.#leave(holder, shard));
    }
    for (const [shard, lease] of held) {
      if (this.#working.has(shard) || this.#leaving.has(shard)) continue;
      this.#working.set(shard, lease);
      work[kindOf(shard)].take(lease);
    }
  }

  async #leave(holder: LeaseHolder, shard: Shard): Promise<void> {
    const { store, work } = this.#options;
    await work[kindOf(shard)].leave(shard);
    this.#leaving.delete(shard);
    this.#wakeup.raise();
    // Above the fair share: others may have it now. If they cannot be told, it runs out.
    if (!this.#given.has(shard)) await store.releaseLeases(holder, [shard]).catch(() => {});
  }

  #held(): ReadonlyMap<Shard, Lease> {
    const { clock, told } = this.#options;
    if (clock.now() >= this.#validUntil) return new Map();
    return new Map([...this.#given].filter(([shard, { fence }]) => (told.get(shard)?.revision ?? 0) >= fence));
  }
}

function kindOf(shard: Shard): ShardKind {
  return shard.startsWith('vpc/') ? 'vpc' : 'host';
}
