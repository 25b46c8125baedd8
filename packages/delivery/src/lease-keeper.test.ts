import { type Lease, LeaseLost, type LeaseStore, type Shard, shardsPerKind } from '@alcor/network';
import { describe, expect, it } from 'vitest';
import { LeaseKeeper, type ShardWork } from './lease-keeper.ts';
import { leasesOf, TestController, TestRegion } from './testing/region.ts';

/** Work that notes what it is told to do; leaving takes `leaveMs`. */
class Noted implements ShardWork {
  readonly now = new Map<Shard, Lease>();
  readonly #leave: () => Promise<void>;

  constructor(leave: () => Promise<void> = async () => {}) {
    this.#leave = leave;
  }

  take(lease: Lease): void {
    if (this.now.has(lease.shard)) throw new Error(`${lease.shard} is worked on already`);
    this.now.set(lease.shard, lease);
  }

  async leave(shard: Shard): Promise<void> {
    if (!this.now.has(shard)) throw new Error(`${shard} is not worked on`);
    await this.#leave();
    this.now.delete(shard);
  }
}

/** A process that does nothing but keep leases. */
function keep(region: TestRegion, name: string, options: { store?: LeaseStore; work?: Noted } = {}) {
  const { process, delivery } = new TestController(region, `${name} reads`, { queue: null, keeps: false });
  const { clock } = process.runtime;
  const work = options.work ?? new Noted();
  const stop = new AbortController();
  const store = options.store ?? leasesOf(process, region.leases);
  const told = delivery.leases;
  const keeper = new LeaseKeeper({ store, name, told, work: { vpc: work, host: work }, clock, log: () => {} });
  const ended = keeper.run(stop.signal).then(
    () => 'ended',
    (error: unknown) => error,
  );
  return { process, work, stop, ended };
}

const all = 2 * shardsPerKind;

describe('keeping leases', () => {
  it('shares the work among those alive, and moves it within five seconds of a death', async () => {
    const region = new TestRegion();
    const [a, b] = [keep(region, 'a'), keep(region, 'b')];
    await region.until(() => a.work.now.size === all / 2 && b.work.now.size === all / 2);
    a.process.kill();
    const died = region.schedule.now();
    await region.until(() => b.work.now.size === all);
    expect(region.schedule.now() - died).toBeLessThan(5_000);
    expect(Math.min(...[...b.work.now.values()].map(({ fence }) => fence))).toBeGreaterThan(0);
  });

  it('never works on a shard that another works on, whoever stops answering and comes back', async () => {
    const region = new TestRegion();
    const away = new Set<string>();
    const works = ['a', 'b', 'c'].map((name) => {
      const process = region.world.start(`${name} leaves`);
      const work = new Noted(() => process.wait(50));
      const store = leasesOf(process, region.leases);
      keep(region, name, { work, store: failing(store, () => away.has(name)) });
      return work;
    });
    let mostWorked = 0;
    for (let round = 0; round < 60; round++) {
      for (const name of ['a', 'b', 'c']) {
        if (region.world.random.next() < 0.3) away.add(name);
        else away.delete(name);
      }
      for (let step = 0; step < 20; step++) {
        await region.pass(region.world.random.next() * 100);
        const worked = works.flatMap(({ now }) => [...now.keys()]);
        expect(new Set(worked).size).toBe(worked.length);
        mostWorked = Math.max(mostWorked, worked.length);
      }
    }
    expect(mostWorked).toBe(all);
  });

  it('stops when it cannot renew, before others may begin', async () => {
    const region = new TestRegion();
    let isAway = false;
    const process = region.world.start('a');
    const a = keep(region, 'a', { store: failing(leasesOf(process, region.leases), () => isAway) });
    await region.until(() => a.work.now.size === all);
    isAway = true;
    const since = region.schedule.now();
    await region.until(() => a.work.now.size === 0);
    expect(region.schedule.now() - since).toBeLessThan(3_000);
    isAway = false;
    await region.until(() => a.work.now.size === all);
  });

  it('begins when the feed has told of the lease, and not before', async () => {
    const region = new TestRegion();
    region.feedDelayMs = 20_000;
    const a = keep(region, 'a');
    await region.pass(15_000);
    expect(a.work.now.size).toBe(0);
    await region.until(() => a.work.now.size === all);
  });

  it('lets go at its end, so that others need not wait', async () => {
    const region = new TestRegion();
    const [a, b] = [keep(region, 'a'), keep(region, 'b')];
    await region.until(() => a.work.now.size + b.work.now.size === all);
    a.stop.abort();
    const since = region.schedule.now();
    await region.until(() => b.work.now.size === all);
    expect(region.schedule.now() - since).toBeLessThan(1_500);
    expect(a.work.now.size).toBe(0);
    await region.pass(1_000);
    expect(await a.ended).toBe('ended');
  });

  it('gives its next life what it had, with a higher fence and without a wait', async () => {
    const region = new TestRegion();
    const before = keep(region, 'a');
    await region.until(() => before.work.now.size === all);
    before.process.kill();
    const since = region.schedule.now();
    const after = keep(region, 'a');
    await region.until(() => after.work.now.size === all);
    expect(region.schedule.now() - since).toBeLessThan(500);
    expect([...after.work.now.values()].every(({ fence }) => fence === 2)).toBe(true);
  });

  it('ends when another has taken its name', async () => {
    const region = new TestRegion();
    const before = keep(region, 'a');
    await region.until(() => before.work.now.size === all);
    keep(region, 'a');
    await region.until(() => before.work.now.size === 0);
    await region.pass(1_000);
    expect(await before.ended).toBeInstanceOf(LeaseLost);
  });
});

/** A store that does not answer while `isAway`. */
function failing(store: LeaseStore, isAway: () => boolean): LeaseStore {
  return {
    ...store,
    async renewLeases(holder, ttlMs) {
      if (isAway()) throw new Error('away');
      return store.renewLeases(holder, ttlMs);
    },
  };
}
