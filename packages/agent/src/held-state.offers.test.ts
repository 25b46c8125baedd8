import { bucketOf, bucketsOf, type Goal, type HeldVpc } from '@alcor/contract';
import { createSchedule, type Schedule } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { HeldState } from './held-state.ts';
import { neighbor, port, says, Switch, takesBack, vpc, vpcId } from './testing/small-vpc.ts';

const ids = Array.from({ length: 200 }, (_, n) => `n${n}`);

function bucketFor(goal: Goal, offers: readonly HeldVpc[]): number {
  return bucketOf(goal, bucketsOf(offers[0]!.digests)!);
}

describe('what is offered to a stream', () => {
  let schedule: Schedule;
  let sink: Switch;
  let held: HeldState;

  beforeEach(() => {
    schedule = createSchedule();
    sink = new Switch();
    held = new HeldState({ sink, clock: schedule.clock });
    const stream = held.openStream();
    held.begin(stream, [vpcId]);
    held.apply(stream, [says(vpc()), says(port('here')), ...ids.map((id) => says(neighbor(id)))]);
    held.completeVpc(stream, vpcId);
    held.complete(stream);
  });

  it('is whole VPCs that streams alone speak of, and what is verified stays without a word', () => {
    const stream = held.openStream();
    expect(held.offer(stream).map((offer) => [offer.vpcId, offer.count])).toEqual([[vpcId, 202]]);
    expect(held.resume(stream, [{ vpcId, staleBuckets: [] }])).toEqual([]);
    held.complete(stream);
    expect(sink.neighbors.size).toBe(200);
    expect(held.apply(stream, [takesBack(neighbor('n1', 2))])).toEqual([]);
    expect(sink.neighbors.size).toBe(199);
    expect(held.offer(held.openStream()).map(({ count }) => count)).toEqual([201]);
  });

  it('loses what a stream leaves out in stale buckets, and only that', () => {
    const stream = held.openStream();
    const offers = held.offer(stream);
    const bucket = bucketFor(neighbor('n1'), offers);
    const inBucket = ids.filter((id) => bucketFor(neighbor(id), offers) === bucket);
    expect(held.resume(stream, [{ vpcId, staleBuckets: [bucket] }])).toEqual([]);
    held.apply(stream, [says(neighbor('n1', 1))]);
    expect(sink.neighbors.size).toBe(200);
    held.completeVpc(stream, vpcId);
    held.complete(stream);
    expect([...sink.neighbors.keys()]).toEqual(ids.filter((id) => id === 'n1' || !inBucket.includes(id)));
    expect(inBucket.length).toBeGreaterThan(1);
    expect(held.offer(held.openStream()).map(({ count }) => count)).toEqual([sink.neighbors.size + 2]);
  });

  it('is void once something else is held: what the stream leaves out then says nothing, until it begins the VPC', () => {
    for (const staleBuckets of [[], [0]]) {
      const stream = held.openStream();
      held.offer(stream);
      held.apply(held.openStream(), [says(neighbor(`new ${staleBuckets.length}`))]);
      const before = sink.neighbors.size;
      expect(held.resume(stream, [{ vpcId, staleBuckets }])).toEqual([vpcId]);
      held.completeVpc(stream, vpcId);
      held.complete(stream);
      expect(sink.neighbors.size).toBe(before);
      expect(held.offer(held.openStream())).toEqual([]);
      held.begin(stream, [vpcId]);
      held.apply(stream, [says(vpc()), says(port('here')), ...ids.map((id) => says(neighbor(id)))]);
      held.completeVpc(stream, vpcId);
      expect(sink.neighbors.size).toBe(200);
    }
  });

  it('is not what a stream has told half, what a topic speaks of, nor what is in doubt', async () => {
    const half = held.openStream();
    held.begin(half, [vpcId]);
    held.apply(half, [says(vpc())]);
    expect(held.offer(held.openStream())).toEqual([]);
    held.apply(half, [says(port('here')), ...ids.map((id) => says(neighbor(id)))]);
    const { source: topic } = held.openTopic(vpcId, [says(neighbor('of the topic'))]);
    expect(held.offer(held.openStream())).toEqual([]);
    held.closeTopic(topic);
    expect(held.offer(held.openStream())).toEqual([]);
    const stream = held.openStream();
    held.begin(stream, [vpcId]);
    held.apply(stream, [says(vpc()), says(port('here')), ...ids.map((id) => says(neighbor(id)))]);
    held.completeVpc(stream, vpcId);
    held.complete(stream);
    expect(held.offer(held.openStream())).toEqual([]);
    await schedule.run(31_000);
    expect(held.offer(held.openStream()).map(({ count }) => count)).toEqual([202]);
  });

  it('is left when the stream does not speak of the VPC at all', () => {
    const stream = held.openStream();
    held.offer(stream);
    held.complete(stream);
    expect([...held.vpcs]).toEqual([]);
  });
});
