import { seededRandom } from '@alcor/runtime';
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
