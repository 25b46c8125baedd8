import type { Goal } from '@alcor/contract';
import { beforeEach, describe, expect, it } from 'vitest';
import { contentOf, TestController, TestRegion, wantedOf } from './testing/region.ts';

const minute = 60_000;
const never = new AbortController().signal;

function plain(goals: ReadonlyMap<string, Goal>) {
  return [...goals].map(([subject, { state }]) => [subject, state.id]).toSorted();
}

/** The hosts that the process speaks for. */
function own({ share }: TestController): string[] {
  return share.own.after(0, Number.POSITIVE_INFINITY).flatMap(({ key, removed }) => (removed ? [] : [key]));
}

describe('keeping the channels of VPCs', () => {
  let region: TestRegion;
  beforeEach(() => {
    region = new TestRegion();
    region.node('h1');
    region.node('h2');
    region.network('v');
  });

  const grow = (from: number, to: number): void => {
    for (let n = from; n < to; n++) region.port(`p${n}`, 'v', n % 2 === 0 ? 'h1' : 'h2');
  };
  const shrink = (from: number, to: number): void => {
    for (let n = from; n < to; n++) region.removePort(`p${n}`);
  };
  const topics = async (): Promise<readonly string[]> =>
    (await region.queue.content.topics(never)).map(({ topic }) => topic);
  const expectWhole = async ({ delivery }: TestController): Promise<void> => {
    const { live } = await contentOf(region.queue.content, 'v');
    expect(plain(live)).toEqual(plain(wantedOf(delivery, 'v')));
  };

  it('leaves a small VPC to gRPC, and publishes nothing of it', async () => {
    const controller = new TestController(region, 'a');
    grow(0, 9);
    await region.pass(minute);
    expect(region.channel('v')).toBe('grpc');
    expect(await topics()).toEqual([]);
    expect(controller.channels.counters).toEqual({ multicast: 0, unicast: 0, bytes: 0, unchanged: 0 });
  });

  it('says `mq` when the topic is whole, and not before', async () => {
    const controller = new TestController(region, 'a');
    region.queue.restart(30_000);
    grow(0, 10);
    await region.pass(20_000);
    expect(region.channel('v')).toBe('grpc');
    await region.until(() => region.channel('v') === 'mq');
    await expectWhole(controller);
  });

  it('goes up and down while ports come and go, and keeps the topic whole as long as hosts may read it', async () => {
    const controller = new TestController(region, 'a');
    grow(0, 12);
    await region.until(() => region.channel('v') === 'mq');
    shrink(0, 3);
    await region.pass(minute);
    expect(region.channel('v')).toBe('mq');
    shrink(3, 6);
    await region.until(() => region.channel('v') === 'grpc');
    grow(20, 21);
    await region.pass(minute / 2);
    await expectWhole(controller);
    await region.pass(minute);
    expect(await topics()).toEqual([]);
    grow(30, 40);
    await region.until(() => region.channel('v') === 'mq');
    await expectWhole(controller);
  });

  it('keeps a topic that is wanted again before it has gone', async () => {
    const controller = new TestController(region, 'a');
    grow(0, 12);
    await region.until(() => region.channel('v') === 'mq');
    region.override('v', 'grpc');
    await region.until(() => region.channel('v') === 'grpc');
    await region.pass(minute / 2);
    region.override('v', null);
    await region.until(() => region.channel('v') === 'mq');
    await region.pass(5 * minute);
    expect(await topics()).toEqual(['vpc-v']);
    await expectWhole(controller);
  });

  it('does as an administrator wants', async () => {
    const controller = new TestController(region, 'a');
    grow(0, 2);
    region.override('v', 'mq');
    await region.until(() => region.channel('v') === 'mq');
    await expectWhole(controller);
  });

  it('changes between gRPC and on demand without a topic, and leaves the queue for either as late', async () => {
    const controller = new TestController(region, 'a');
    grow(0, 2);
    region.override('v', 'on-demand');
    await region.until(() => region.channel('v') === 'on-demand');
    await region.pass(minute);
    expect(await topics()).toEqual([]);
    expect(controller.channels.published).toEqual([]);
    region.override('v', 'mq');
    await region.until(() => region.channel('v') === 'mq');
    await expectWhole(controller);
    region.override('v', 'on-demand');
    await region.until(() => region.channel('v') === 'on-demand');
    grow(2, 4);
    await region.pass(minute / 2);
    await expectWhole(controller);
    await region.pass(minute);
    expect(await topics()).toEqual([]);
    expect(controller.channels.published).toEqual([]);
  });

  it('drops the topic of a network that is gone, also when nobody was there to see it go', async () => {
    const before = new TestController(region, 'a');
    region.override('v', 'mq');
    await region.until(() => region.channel('v') === 'mq');
    before.process.kill();
    region.feed.remove('channel', 'v' as never);
    region.feed.remove('network', 'v' as never);
    const after = new TestController(region, 'a');
    await region.pass(minute);
    expect(await topics()).toEqual([]);
    expect(after.channels.published).toEqual([]);
  });

  it('drops a topic that was left behind on the way down', async () => {
    const before = new TestController(region, 'a');
    grow(0, 12);
    await region.until(() => region.channel('v') === 'mq');
    shrink(0, 12);
    await region.until(() => region.channel('v') === 'grpc');
    before.process.kill();
    const after = new TestController(region, 'a');
    await region.pass(minute / 2);
    expect(await topics()).toEqual(['vpc-v']);
    await region.pass(minute);
    expect(await topics()).toEqual([]);
    expect(after.channels.published).toEqual([]);
  });

  it('says everything again when the queue has lost a topic', async () => {
    const controller = new TestController(region, 'a');
    grow(0, 12);
    await region.until(() => region.channel('v') === 'mq');
    await region.queue.content.drop('vpc-v', never);
    await region.pass(2 * minute);
    await expectWhole(controller);
  });

  it('makes a topic anew whose fence is of another life of the database', async () => {
    const writer = await region.queue.content.openWriter('vpc-v', 1_000, never);
    await writer.publish([{ subject: 'multicast.vpc.other', payload: new Uint8Array() }], never);
    const controller = new TestController(region, 'a');
    region.override('v', 'mq');
    await region.until(() => region.channel('v') === 'mq');
    await expectWhole(controller);
  });

  it('hands the topic over when a process dies in the middle of changes, and loses nothing', async () => {
    const controllers = new Map(['a', 'b'].map((name) => [name, new TestController(region, name)]));
    grow(0, 12);
    await region.until(() => region.channel('v') === 'mq');
    for (let round = 0; round < 6; round++) {
      const name = round % 2 === 0 ? 'a' : 'b';
      grow(100 + 10 * round, 110 + 10 * round);
      await region.pass(region.world.random.next() * 10);
      controllers.get(name)?.process.kill();
      shrink(100 + 10 * round, 105 + 10 * round);
      await region.pass(10_000);
      const other = controllers.get(name === 'a' ? 'b' : 'a')!;
      expect(other.channels.published).toEqual(['v']);
      await expectWhole(other);
      controllers.set(name, new TestController(region, name));
      await region.pass(10_000);
    }
  });

  it('brings a VPC back to gRPC where no queue is configured any more', async () => {
    region.setChannel('v', 'mq');
    const controller = new TestController(region, 'a', { queue: null });
    await region.until(() => region.channel('v') === 'grpc');
    await region.pass(2 * minute);
    expect(controller.channels.published).toEqual([]);
  });

  it('speaks to the hosts of its shards only, each of one process', async () => {
    for (let n = 0; n < 40; n++) region.node(`host-${n}`);
    const [a, b] = [new TestController(region, 'a'), new TestController(region, 'b')];
    await region.until(() => own(a).length > 0 && own(b).length > 0 && own(a).length + own(b).length === 42);
    expect(new Set([...own(a), ...own(b)]).size).toBe(42);
    const before = own(a).map((id) => ({ id, fence: a.share.own.get(id)?.fence ?? 0 }));
    a.process.kill();
    await region.until(() => own(b).length === 42);
    for (const { id, fence } of before) expect(b.share.own.get(id)?.fence).toBeGreaterThan(fence);
  });
});
