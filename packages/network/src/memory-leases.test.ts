import { seededRandom } from '@alcor/runtime';
import { expect, it } from 'vitest';
import { shardOf, shardsPerKind } from './lease.ts';
import { createMemoryFeed } from './memory-feed.ts';
import { createMemoryLeases } from './memory-leases.ts';
import { describeLeases } from './testing/leases.contract.ts';

const random = seededRandom(4);

describeLeases(
  'memory',
  async () => {
    let now = 0;
    const feed = createMemoryFeed();
    const leases = createMemoryLeases({ now: () => now }, feed);
    return { leases, feed, pass: async () => void (now += 2), close: async () => {} };
  },
  () => random.next(),
);

it('spreads ids over all shards evenly', () => {
  const counts = new Map<string, number>();
  for (let n = 0; n < 6_400; n++) {
    const shard = shardOf('host', `host-${n}`);
    counts.set(shard, (counts.get(shard) ?? 0) + 1);
  }
  const names = Array.from({ length: shardsPerKind }, (_, number) => `host/${number}`);
  expect([...counts.keys()].toSorted()).toEqual(names.toSorted());
  expect(Math.max(...counts.values())).toBeLessThan(200);
});
