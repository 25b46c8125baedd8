import { seededRandom } from '@alcor/runtime';
import { expect, it } from 'vitest';
import { createUuid7, isUuid } from './uuid7.ts';

it('grows with time, within a millisecond and when the clock goes back', () => {
  let now = 1_700_000_000_000;
  const clock = {
    wall: () => now,
    now: () => now,
    sleep: () => Promise.resolve(),
    timer: () => ({ cancel: () => {} }),
  };
  const next = createUuid7({ clock, random: seededRandom(1) });
  const ids: string[] = [];
  for (let step = 0; step < 20_000; step++) {
    if (step % 5000 === 4999) now += step % 2 === 0 ? 7 : -1000;
    ids.push(next());
  }
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids[0]).toMatch(/^018bcfe5-6800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids.every(isUuid)).toBe(true);
});
