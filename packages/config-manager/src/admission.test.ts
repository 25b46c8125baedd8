import { createSchedule, type Schedule } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';

describe('admission', () => {
  let schedule: Schedule;
  let admission: Admission;
  let entered: string[];

  beforeEach(() => {
    schedule = createSchedule();
    admission = new Admission({ clock: schedule.clock, places: 2, keptMs: 1_000 });
    entered = [];
  });

  /** Comes, and stays for as long once it is in. */
  function come(name: string, forMs: number, signal = new AbortController().signal): void {
    const stay = async (): Promise<void> => {
      const leave = await admission.enter(signal);
      entered.push(name);
      schedule.after(forMs, leave);
    };
    stay().catch(() => entered.push(`${name} gave up`));
  }

  it('lets in as many as there are places, and the next in order when one leaves', async () => {
    for (const name of ['a', 'b', 'c', 'd']) come(name, 100);
    await schedule.run(50);
    expect([entered, admission.waiting]).toEqual([['a', 'b'], 2]);
    await schedule.run(60);
    expect([entered, admission.waiting]).toEqual([['a', 'b', 'c', 'd'], 0]);
  });

  it('does not let the slow hold up the others, nor count their leaving twice', async () => {
    for (const name of ['slow', 'slower']) come(name, 5_000);
    for (const name of ['c', 'd', 'e']) come(name, 10_000);
    await schedule.run(900);
    expect(entered).toEqual(['slow', 'slower']);
    await schedule.run(200);
    expect(entered).toEqual(['slow', 'slower', 'c', 'd']);
    await schedule.run(20_000);
    for (const name of ['f', 'g', 'h']) come(name, 100);
    await schedule.run(50);
    expect([entered, admission.waiting]).toEqual([['slow', 'slower', 'c', 'd', 'e', 'f', 'g'], 1]);
  });

  it('forgets who gives up', async () => {
    const stop = new AbortController();
    for (const name of ['a', 'b']) come(name, 100);
    come('c', 100, stop.signal);
    come('d', 100);
    stop.abort();
    await schedule.run(150);
    expect(entered).toEqual(['a', 'b', 'c gave up', 'd']);
  });
});
