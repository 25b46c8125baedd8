import { createSchedule, createWorld, type Schedule, seededRandom } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { FairTurns } from './fair-turns.ts';

describe('work of several tenants', () => {
  let schedule: Schedule;
  let turns: FairTurns;
  let done: string[];

  beforeEach(() => {
    schedule = createSchedule();
    const { clock } = createWorld(schedule, seededRandom(1), () => {}).start('process').runtime;
    turns = new FairTurns({ clock, waitingAtMost: 100 });
    done = [];
  });

  const run = (tenant: string): Promise<boolean> => turns.run(tenant, () => done.push(tenant));

  it('is done at once where nobody else has any', async () => {
    const first = run('a');
    expect(done).toEqual(['a']);
    await schedule.run(10);
    expect(await first).toBe(true);
  });

  it('is done in turns: a piece of each, however much one of them has', async () => {
    const all = Array.from({ length: 50 }, () => run('flood'));
    all.push(run('a'), run('b'), run('a'));
    await schedule.run(1_000);
    expect(done.slice(0, 6)).toEqual(['flood', 'flood', 'a', 'b', 'flood', 'a']);
    expect(done).toHaveLength(53);
    expect(await Promise.all(all)).toEqual(all.map(() => true));
  });

  it('is done by a tenant that is alone a few pieces at a time', async () => {
    for (let n = 0; n < 20; n++) void run('a');
    void schedule.clock.sleep(0).then(() => run('b'));
    await schedule.run(10);
    // The first piece at once, then four, then in turns.
    expect(done.indexOf('b')).toBe(6);
    expect(done).toHaveLength(21);
  });

  it('is refused where too much of one tenant waits, and of that tenant only', async () => {
    const all = Array.from({ length: 200 }, () => run('flood'));
    const other = run('a');
    await schedule.run(1_000);
    expect((await Promise.all(all)).filter((isDone) => isDone)).toHaveLength(101);
    expect(await other).toBe(true);
    expect(await run('flood')).toBe(true);
  });

  it('goes on after a piece that fails', async () => {
    const bad = turns.run('a', () => {
      throw new Error('no good');
    });
    const failed = expect(bad).rejects.toThrow('no good');
    const good = run('a');
    await schedule.run(10);
    await failed;
    expect(await good).toBe(true);
  });
});
