import { dealLeases, type LeaseHolder, LeaseLost, type LeaseRow, type LeaseStore, type Shard } from './lease.ts';
import type { MemoryFeed } from './memory-feed.ts';

interface Held extends Omit<LeaseRow, 'free'> {
  readonly until: number;
}

interface Holder {
  readonly life: number;
  readonly aliveUntil: number;
}

const longAgo = Number.NEGATIVE_INFINITY;

/**
 * Leases in memory, with the promises of those in the store. `clock` says milliseconds where they are kept; `feed` is told of every
 * change of hands. Used by simulations.
 */
export function createMemoryLeases(clock: { now(): number }, feed: MemoryFeed): LeaseStore {
  const holders = new Map<string, Holder>();
  const leases = new Map<Shard, Held>();
  const isPresent = ({ name, life }: LeaseHolder): boolean => holders.get(name)?.life === life;
  const release = ({ name, life }: LeaseHolder, shards: Iterable<Shard>): void => {
    for (const shard of shards) {
      const held = leases.get(shard);
      if (held?.holder === name && held.life === life) leases.set(shard, { ...held, until: longAgo });
    }
  };

  return {
    async enterLeases(name, address = '') {
      const life = (holders.get(name)?.life ?? 0) + 1;
      holders.set(name, { life, aliveUntil: longAgo });
      return { name, life, address };
    },
    async renewLeases(holder, ttlMs) {
      const now = clock.now();
      const { name, life, address } = holder;
      if (!isPresent(holder)) throw new LeaseLost(`${name} has begun another life than ${life}`);
      holders.set(name, { life, aliveUntil: now + ttlMs });
      const alive = [...holders.values()].filter(({ aliveUntil }) => aliveUntil > now).length;
      const rows = [...leases.values()].map(({ id, holder: heldBy, life: heldIn, revision, until }) => {
        return { id, holder: heldBy, life: heldIn, revision, free: until <= now };
      });
      const dealt = dealLeases(rows, holder, alive);
      for (const { shard, fence } of dealt) {
        const known = leases.get(shard)?.revision;
        leases.set(shard, { id: shard, revision: fence, holder: name, address, life, until: now + ttlMs });
        if (known !== fence) feed.put('lease', { id: shard, holder: name, address, revision: fence });
      }
      return dealt;
    },
    async releaseLeases(holder, shards) {
      release(holder, shards);
    },
    async leaveLeases(holder) {
      release(holder, leases.keys());
      if (isPresent(holder)) holders.set(holder.name, { life: holder.life, aliveUntil: longAgo });
    },
  };
}
