import { allShards, dealLeases, type LeaseHolder, LeaseLost, type LeaseRow, type LeaseStore } from './lease.ts';

interface Held extends Omit<LeaseRow, 'expired'> {
  readonly until: number;
}

interface Holder {
  readonly life: number;
  readonly aliveUntil: number;
}

const never = Number.NEGATIVE_INFINITY;

/** Leases in memory, with the promises of those in the store; `clock` says milliseconds where they are kept. Used by simulations. */
export function createMemoryLeases(clock: { now(): number }): LeaseStore {
  const holders = new Map<string, Holder>();
  const leases = new Map<string, Held>(
    allShards.map((shard) => [shard, { shard, holder: null, life: 0, fence: 0, until: never }]),
  );
  const isPresent = ({ name, life }: LeaseHolder): boolean => holders.get(name)?.life === life;
  const release = ({ name, life }: LeaseHolder, shards: readonly string[]): void => {
    for (const shard of shards) {
      const held = leases.get(shard);
      if (held?.holder === name && held.life === life) leases.set(shard, { ...held, holder: null, until: never });
    }
  };

  return {
    async enterLeases(name) {
      const life = (holders.get(name)?.life ?? 0) + 1;
      holders.set(name, { life, aliveUntil: never });
      return { name, life };
    },
    async renewLeases(holder, ttlMs) {
      const now = clock.now();
      const { name, life } = holder;
      if (!isPresent(holder)) throw new LeaseLost(`${name} has begun another life than ${life}`);
      holders.set(name, { life, aliveUntil: now + ttlMs });
      const alive = [...holders.values()].filter(({ aliveUntil }) => aliveUntil > now).length;
      const rows = [...leases.values()].map((held) => ({ ...held, expired: held.until <= now }));
      const dealt = dealLeases(rows, holder, alive);
      for (const { shard, fence } of dealt) leases.set(shard, { shard, fence, holder: name, life, until: now + ttlMs });
      return dealt;
    },
    async releaseLeases(holder, shards) {
      release(holder, shards);
    },
    async leaveLeases(holder) {
      release(holder, allShards);
      if (isPresent(holder)) holders.set(holder.name, { life: holder.life, aliveUntil: never });
    },
  };
}
