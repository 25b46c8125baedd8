import { createSchedule } from '@alcor/runtime';
import { expect, it } from 'vitest';
import { createCache } from './lru.ts';

it('forgets what is old, and what has not been asked for the longest', async () => {
  const schedule = createSchedule();
  const cache = createCache<number>(schedule.clock, 2);
  cache.set('a', 1, 100);
  cache.set('b', 2, 50);
  expect(cache.get('a')).toBe(1);
  cache.set('c', 3, 100);
  expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([1, undefined, 3]);
  schedule.after(100, () => {});
  await schedule.run(100);
  expect(['a', 'c'].map((key) => cache.get(key))).toEqual([undefined, undefined]);
  expect(cache.size).toBe(0);
  cache.set('d', 4, 0);
  expect(cache.get('d')).toBeUndefined();
});
