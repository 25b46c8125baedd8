import type { Goal } from '@alcor/contract';
import { Bus, Topic } from '@alcor/runtime';
import { describe, expect, it } from 'vitest';
import { Delivery, type Host } from './delivery.ts';
import { feedOf, TestRegion } from './testing/region.ts';

describe('what is said of the size of VPCs', () => {
  it('is said once for each VPC, however many ports come in one batch', async () => {
    const region = new TestRegion();
    const process = region.world.start('controller');
    const clock = process.runtime.clock;
    const stop = new AbortController();
    region.node('h');
    for (const vpc of ['v', 'w']) {
      region.network(vpc);
      for (let n = 0; n < 100; n++) region.port(`${vpc}-${n}`, vpc, 'h');
    }
    const feed = feedOf(process, region.feed);
    const delivery = new Delivery({ feed, goals: new Bus<Goal>(), hosts: new Topic<Host>(), clock, log: () => {} });
    const running = delivery.run(stop.signal);
    await region.until(() => delivery.vpcs.size === 2);

    expect(delivery.vpcs.get('v')).toMatchObject({ ports: 100 });
    expect(delivery.vpcs.position).toBe(2);

    region.port('v-100', 'v', 'h');
    await region.until(() => delivery.vpcs.get('v')?.ports === 101);
    expect(delivery.vpcs.position).toBe(3);

    stop.abort();
    process.kill();
    await running;
  });
});
