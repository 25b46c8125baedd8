import { type Clock, createSchedule, createWorld, type Schedule, seededRandom } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { FairTurns } from './fair-turns.ts';

describe('work of several tenants', () => {
  /** Of what a tenant may have at once, so that the next piece waits for its turn. */
  const much = 11;
  let schedule: Schedule;
  let clock: Clock;
  let turns: FairTurns;
  let done: string[];

  beforeEach(() => {
    schedule = createSchedule();
    clock = createWorld(schedule, seededRandom(1), () => {}).start('process').runtime.clock;
    turns = new FairTurns({ clock, waitingAtMost: 100, sharedPerSecond: 1_000 });
    done = [];
  });

  const pass = (ms: number): Promise<unknown> => Promise.all([schedule.clock.sleep(ms), schedule.run(ms)]);
  const run = (tenant: string, weight = 1): Promise<boolean> => turns.run(tenant, weight, () => done.push(tenant));

  it('is done at once where nobody else has any', async () => {
    const first = run('a');
    expect(done).toEqual(['a']);
    await schedule.run(10);
    expect(await first).toBe(true);
  });

  it('is done at once for whoever asks little, however much others have', async () => {
    const flood = Array.from({ length: 50 }, () => run('flood', much));
    const [little, more] = [run('a', 10), run('a', 1)];
    expect(done).toEqual(['flood', 'a']);
    await pass(10);
    expect(await Promise.all([little, more, ...flood])).toEqual(Array.from({ length: 52 }, () => true));
    await pass(100);
    done = [];
    void run('flood', much);
    void run('flood', much);
    void run('a');
    expect(done).toEqual(['flood', 'a']);
  });

  it('is done in turns: a piece of each, however much one of them has', async () => {
    const all = Array.from({ length: 50 }, () => run('flood', much));
    all.push(run('a', much), run('b', much), run('a', much));
    await schedule.run(1_000);
    expect(done.slice(0, 6)).toEqual(['flood', 'flood', 'a', 'b', 'flood', 'a']);
    expect(done).toHaveLength(53);
    expect(await Promise.all(all)).toEqual(all.map(() => true));
  });

  it('is done by a tenant that is alone a few pieces at a time', async () => {
    for (let n = 0; n < 20; n++) void run('a', much);
    void schedule.clock.sleep(0).then(() => run('b', much));
    await schedule.run(10);
    // The first piece at once, then four, then in turns.
    expect(done.indexOf('b')).toBe(6);
    expect(done).toHaveLength(21);
  });

  it('is refused where too much of one tenant waits, and of that tenant only', async () => {
    const all = Array.from({ length: 200 }, () => run('flood', much));
    const other = run('a', much);
    await pass(1_000);
    expect((await Promise.all(all)).filter((isDone) => isDone)).toHaveLength(101);
    expect(await other).toBe(true);
    expect(await run('flood', much)).toBe(true);
  });

  it('is done in turns of as much as is said, where it comes in small pieces', async () => {
    const several = new FairTurns({ clock, waitingAtMost: 100, sharedPerSecond: 1_000, perTurn: 2 * much });
    const add = (tenant: string, weight: number): void => void several.run(tenant, weight, () => done.push(tenant));
    add('a', much);
    for (let n = 0; n < 5; n++) add('flood', much);
    add('flood', 3 * much);
    for (let n = 0; n < 3; n++) add('a', much);
    await schedule.run(10);
    expect(done.join(' ')).toBe('a flood flood a a flood flood a flood flood');
  });

  it('is bounded for each tenant while there are others, and not where it is alone', async () => {
    const perSecond = async (seconds: number, others: boolean): Promise<number> => {
      const flood: Promise<boolean>[] = [];
      for (let tick = 0; tick < seconds * 20; tick++) {
        const other = others ? run('a') : Promise.resolve(true);
        for (let n = 0; n < 10; n++) flood.push(run('flood', 10));
        await pass(50);
        expect(await other).toBe(true);
      }
      return (10 * (await Promise.all(flood)).filter((isDone) => isDone).length) / seconds;
    };
    expect(await perSecond(4, false)).toBe(2_000);
    expect(await perSecond(4, true)).toBe(1_000);
    // The other one is gone a second later.
    await pass(1_000);
    expect(await perSecond(4, false)).toBe(2_000);
  });

  it('is given at once only what is its in a tenth of a second, where there are others', async () => {
    for (const taken of [10, 2]) {
      void run('a');
      const flood = Array.from({ length: 50 }, () => run('flood', 10));
      await pass(20);
      expect((await Promise.all(flood)).filter((isDone) => isDone)).toHaveLength(taken);
    }
  });

  it('waits for as long as there is any in the turns that it is behind', async () => {
    const behind = new FairTurns({ clock, waitingAtMost: 100, sharedPerSecond: 1_000, behind: turns });
    for (let n = 0; n < 20; n++) void run('a', much);
    const last = [1, 2].map(() => behind.run('b', 1, () => done.push('b')));
    void run('a', much);
    await schedule.run(10);
    expect(done).toEqual([...Array.from({ length: 21 }, () => 'a'), 'b', 'b']);
    expect(await Promise.all(last)).toEqual([true, true]);
    expect(await behind.run('b', 1, () => done.push('b'))).toBe(true);
  });

  it('goes on after a piece that fails', async () => {
    const bad = turns.run('a', 1, () => {
      throw new Error('no good');
    });
    const failed = expect(bad).rejects.toThrow('no good');
    const good = run('a');
    await schedule.run(10);
    await failed;
    expect(await good).toBe(true);
  });
});
