import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Feed } from '../feed.ts';
import { type Lease, type LeaseHolder, LeaseLost, type LeaseStore, type Shard, shardsPerKind } from '../lease.ts';
import { readSnapshot } from './feed.contract.ts';

/** Leases that nobody holds, and the feed that tells of them. */
export interface LeaseSubject {
  readonly leases: LeaseStore;
  readonly feed: Feed;
  /** Lets more than a millisecond go by where the leases are kept. */
  pass(): Promise<void>;
  close(): Promise<void>;
}

/** Longer than a test, and shorter than any step of it. */
const long = 1_000_000;
const short = 1;

/** The promises of a LeaseStore, as tests for every implementation. `next` gives the chance of the random histories. */
export function describeLeases(name: string, open: () => Promise<LeaseSubject>, next: () => number): void {
  describe(`leases: ${name}`, () => {
    let subject: LeaseSubject;
    let leases: LeaseStore;
    beforeEach(async () => {
      subject = await open();
      leases = subject.leases;
    });
    afterEach(() => subject.close());

    it('gives everything to a holder that is alone, and tells the feed', async () => {
      const all = await leases.renewLeases(await leases.enterLeases('a', '192.0.2.1:9016'), long);
      expect(all).toHaveLength(2 * shardsPerKind);
      expect(new Set(all.map(({ fence }) => fence))).toEqual(new Set([1]));
      const { rows } = await readSnapshot(subject.feed);
      const told = rows.filter(({ kind }) => kind === 'lease');
      expect(told.map(({ id, revision }) => [id, revision]).toSorted()).toEqual(
        all.map(({ shard, fence }) => [shard, fence]).toSorted(),
      );
      expect(told[0]?.row).toEqual({ id: told[0]?.id, holder: 'a', address: '192.0.2.1:9016', revision: 1 });
    });

    it('keeps the fence while the lease stays in the same hands', async () => {
      const holder = await leases.enterLeases('a');
      const first = await leases.renewLeases(holder, short);
      await subject.pass();
      expect(await leases.renewLeases(holder, long)).toEqual(first);
    });

    it('gives each of those alive its fair share, once the others have let go', async () => {
      const holders = await Promise.all(['a', 'b', 'c'].map((each) => leases.enterLeases(each)));
      let held: (readonly Lease[])[] = [];
      for (let round = 0; round < 3; round++) {
        held = [];
        for (const holder of holders) held.push(await renewAndShed(leases, holder));
      }
      const sizes = held.map((each) => each.filter(({ shard }) => shard.startsWith('vpc/')).length);
      expect(sizes.toSorted((a, b) => b - a)).toEqual([22, 22, 20]);
      expect(new Set(held.flat().map(({ shard }) => shard)).size).toBe(2 * shardsPerKind);
    });

    it('keeps what is not renewed for its time, and then gives it to others with a higher fence', async () => {
      const [a, b] = [await leases.enterLeases('a'), await leases.enterLeases('b')];
      await leases.renewLeases(a, short);
      await subject.pass();
      const taken = await leases.renewLeases(b, long);
      expect(taken).toHaveLength(2 * shardsPerKind);
      expect(taken.every(({ fence }) => fence === 2)).toBe(true);
      expect(await leases.renewLeases(a, long)).toEqual([]);
    });

    it('lets a holder that begins again have its own at once, with a higher fence, and ends its past life', async () => {
      const before = await leases.enterLeases('a');
      await leases.renewLeases(before, long);
      const now = await leases.enterLeases('a');
      await expect(leases.renewLeases(before, long)).rejects.toBeInstanceOf(LeaseLost);
      const held = await leases.renewLeases(now, long);
      expect(held).toHaveLength(2 * shardsPerKind);
      expect(held.every(({ fence }) => fence === 2)).toBe(true);
    });

    it('frees everything at once when a holder leaves', async () => {
      const [a, b] = [await leases.enterLeases('a'), await leases.enterLeases('b')];
      await leases.renewLeases(a, long);
      await leases.leaveLeases(a);
      expect(await leases.renewLeases(b, long)).toHaveLength(2 * shardsPerKind);
    });

    it('lets nobody free what others hold', async () => {
      const [a, b] = [await leases.enterLeases('a'), await leases.enterLeases('b')];
      const held = await leases.renewLeases(a, long);
      await leases.releaseLeases(
        b,
        held.map(({ shard }) => shard),
      );
      await leases.leaveLeases({ ...a, life: a.life + 1 });
      expect(await leases.renewLeases(b, long)).toEqual([]);
    });

    it('never has a shard in two hands, whoever comes, goes, renews late and lets go at the same time', async () => {
      const witness = new Witness();
      const names = ['a', 'b', 'c', 'd'];
      const holders = await Promise.all(names.map((each) => leases.enterLeases(each)));
      const act = async (index: number): Promise<void> => {
        const holder = holders[index]!;
        const sure = witness.begins(holder);
        const chance = next();
        if (chance < 0.08) holders[index] = await leases.enterLeases(holder.name);
        else if (chance < 0.16) await leases.leaveLeases(holder);
        else {
          const ttl = chance < 0.4 ? short : long;
          witness.ends(holder, await leases.renewLeases(holder, ttl), ttl, sure);
        }
      };
      for (let step = 0; step < 60; step++) {
        await Promise.all([...holders.keys()].filter(() => next() < 0.7).map((index) => act(index)));
        await subject.pass();
      }
      expect(witness.complaints).toEqual([]);
      expect(witness.handovers).toBeGreaterThan(100);
    });
  });
}

async function renewAndShed(leases: LeaseStore, holder: LeaseHolder): Promise<readonly Lease[]> {
  const before = held.get(holder) ?? [];
  const now = await leases.renewLeases(holder, long);
  held.set(holder, now);
  const kept = new Set(now.map(({ shard }) => shard));
  await leases.releaseLeases(
    holder,
    before.map(({ shard }) => shard).filter((shard) => !kept.has(shard)),
  );
  return now;
}
const held = new WeakMap<LeaseHolder, readonly Lease[]>();

interface Grant {
  readonly name: string;
  readonly shard: Shard;
}

/** Watches the answers of calls that overlap. */
class Witness {
  readonly complaints: string[] = [];
  handovers = 0;
  /** Shards that a holder was given for long, and has begun nothing since: they are surely its own. */
  readonly #sure = new Map<Shard, Grant>();
  /** Who has had a shard under a fence. */
  readonly #owners = new Map<string, string>();
  readonly #latest = new Map<Shard, number>();

  /** The holder begins a call, by which any of its shards may become free. */
  begins({ name }: LeaseHolder): ReadonlyMap<Shard, Grant> {
    for (const [shard, grant] of this.#sure) if (grant.name === name) this.#sure.delete(shard);
    return new Map(this.#sure);
  }

  /** The call that began when `sure` was sure is answered. */
  ends(holder: LeaseHolder, leases: readonly Lease[], ttl: number, sure: ReadonlyMap<Shard, Grant>): void {
    const owner = `${holder.name} ${holder.life}`;
    for (const { shard, fence } of leases) {
      const known = this.#owners.get(`${shard} ${fence}`);
      if (known !== undefined && known !== owner) {
        this.complaints.push(`${shard}: fence ${fence} is of ${known} and of ${owner}`);
      }
      this.#owners.set(`${shard} ${fence}`, owner);
      if (fence > (this.#latest.get(shard) ?? 0)) this.handovers++;
      this.#latest.set(shard, Math.max(fence, this.#latest.get(shard) ?? 0));
      const grant = sure.get(shard);
      if (grant !== undefined && this.#sure.get(shard) === grant) {
        this.complaints.push(`${shard}: ${owner} has it while ${grant.name} holds it`);
      }
      if (ttl === long) this.#sure.set(shard, { name: holder.name, shard });
    }
  }
}
