import { OperationStatus } from '@alcor/contract';
import { createSchedule, type Schedule } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { HeldState } from './held-state.ts';
import type { StreamSource } from './sources.ts';
import { neighbor, port, says, Switch, takesBack, vpc, vpcId } from './testing/small-vpc.ts';

describe('the held state', () => {
  let schedule: Schedule;
  let sink: Switch;
  let held: HeldState;
  let stream: StreamSource;
  const keys = (): string[] => [...held.goals(vpcId).keys()].toSorted();

  beforeEach(() => {
    schedule = createSchedule();
    sink = new Switch();
    held = new HeldState({ sink, clock: schedule.clock });
    stream = held.openStream();
    held.begin(stream, [vpcId]);
    held.apply(stream, [says(vpc()), says(port('here')), says(neighbor('a')), says(neighbor('b'))]);
    held.completeVpc(stream, vpcId);
    held.complete(stream);
  });

  it('forgets at once what a later stream does not name any more', () => {
    const next = held.openStream();
    held.begin(next, [vpcId]);
    held.apply(next, [says(vpc()), says(port('here')), says(neighbor('b'))]);
    held.completeVpc(next, vpcId);
    held.complete(next);
    expect([...sink.neighbors.keys()]).toEqual(['b']);
  });

  it('forgets what only a stream named half a minute after the topic has said everything', async () => {
    let forgotten = 0;
    held = new HeldState({ sink, clock: schedule.clock, onForgotten: () => forgotten++ });
    stream = held.openStream();
    held.apply(stream, [says(vpc()), says(port('here')), says(neighbor('a')), says(neighbor('b'))]);
    held.openTopic(vpcId, [says(vpc()), says(port('here')), says(neighbor('b'))]);
    await schedule.run(29_000);
    expect(keys()).toEqual(['neighbor/a', 'neighbor/b', 'port/here', 'vpc/vpc']);
    await schedule.run(2_000);
    expect(keys()).toEqual(['neighbor/b', 'port/here', 'vpc/vpc']);
    expect(forgotten).toBe(1);
  });

  it('is not brought back to a revision that is gone by a source that lags', () => {
    held.apply(stream, [takesBack(neighbor('a', 2))]);
    const { source: topic, verdicts } = held.openTopic(vpcId, [says(neighbor('a', 1))]);
    expect(verdicts.map(({ status, reason }) => [status, reason])).toEqual([
      [OperationStatus.OUT_OF_ORDER, 'revision 2 is held'],
    ]);
    expect(keys()).not.toContain('neighbor/a');
    expect(held.apply(topic, [says(neighbor('a', 3))])).toEqual([]);
    expect(keys()).toContain('neighbor/a');
  });

  it('asks for no neighbours while a topic tells all of them, whatever a stream said that lags', () => {
    held.begin(stream, [vpcId], [vpcId]);
    expect([...sink.onDemandIds]).toEqual([vpcId]);
    const { source: topic } = held.openTopic(vpcId, [says(vpc()), says(port('here'))]);
    expect([...sink.onDemandIds]).toEqual([]);
    const next = held.openStream();
    held.begin(next, [vpcId], [vpcId]);
    held.completeVpc(next, vpcId);
    held.complete(next);
    expect([...sink.onDemandIds]).toEqual([]);
    held.closeTopic(topic);
    held.begin(next, [vpcId], [vpcId]);
    expect([...sink.onDemandIds]).toEqual([vpcId]);
  });

  it('believes a topic that is being read where two words are of one revision, and otherwise the later word', () => {
    const { source: topic } = held.openTopic(vpcId, [says(neighbor('a', 1, '172.16.0.9'))]);
    expect(held.apply(stream, [says(neighbor('a', 1, '172.16.0.3')), takesBack(neighbor('a', 1))])).toEqual([]);
    expect(sink.neighbors.get('a')).toBe('172.16.0.9');
    held.closeTopic(topic);
    held.apply(stream, [says(neighbor('a', 1, '172.16.0.3'))]);
    expect(sink.neighbors.get('a')).toBe('172.16.0.3');
  });

  it('leaves a VPC with its last port, unless a stream tells of it or its topic is read', () => {
    held.apply(stream, [takesBack(port('here', 2))]);
    expect(keys()).toContain('neighbor/a');
    const { source: topic } = held.openTopic(vpcId, [says(vpc()), says(neighbor('a'))]);
    held.leave(stream, [vpcId]);
    expect(keys()).toContain('neighbor/a');
    held.closeTopic(topic);
    held.leave(stream, [vpcId]);
    expect([...held.vpcs]).toEqual([]);
    expect(sink.neighbors.size).toBe(0);
    held.apply(stream, [says(port('one', 1, 'other')), takesBack(port('one', 2, 'other'))]);
    expect([...held.vpcs]).toEqual([]);
  });

  it('keeps what a lost topic told until a stream has told the VPC anew, or everything else', () => {
    const { source: topic } = held.openTopic(vpcId, [says(vpc()), takesBack(port('here', 2)), says(neighbor('a'))]);
    held.closeTopic(topic);
    held.apply(stream, [takesBack(port('none'))]);
    expect(keys()).toContain('neighbor/a');
    held.complete(held.openStream());
    expect([...held.vpcs]).toEqual([]);
  });

  it('does not let the end of a stream touch what a topic tells', async () => {
    held.openTopic(vpcId, [says(vpc()), says(port('here')), says(neighbor('a')), says(neighbor('b'))]);
    const next = held.openStream();
    held.complete(next);
    await schedule.run(60_000);
    expect(keys()).toEqual(['neighbor/a', 'neighbor/b', 'port/here', 'vpc/vpc']);
  });

  it('takes an older revision that says the same for the newer one, also after it has left the VPC', () => {
    held.apply(stream, [says(neighbor('a', 4))]);
    held.leave(stream, [vpcId]);
    const told = [says(neighbor('a', 2)), says(neighbor('b', 1, '172.16.0.9'))];
    const { source: topic, verdicts } = held.openTopic(vpcId, told);
    expect(verdicts).toEqual([]);
    expect(held.goals(vpcId).get('neighbor/a')?.state.revisionNumber).toBe(4);
    expect(held.apply(topic, [says(neighbor('a', 3, '172.16.0.9'))])).toHaveLength(1);
  });

  it('forgets what is taken back in an older revision, unless it is named again', async () => {
    held.apply(stream, [says(neighbor('a', 4)), says(neighbor('b', 4))]);
    const { source: topic } = held.openTopic(vpcId, [
      says(vpc()),
      says(port('here')),
      says(neighbor('a', 2)),
      says(neighbor('b', 2)),
    ]);
    expect(held.apply(topic, [takesBack(neighbor('a', 2)), takesBack(neighbor('b', 2))])).toHaveLength(2);
    await schedule.run(10_000);
    held.apply(topic, [says(neighbor('b', 4))]);
    expect(keys()).toContain('neighbor/a');
    await schedule.run(60_000);
    expect(keys()).toEqual(['neighbor/b', 'port/here', 'vpc/vpc']);
  });

  it('forgets what only the last words of a stream named, after a topic had said everything', async () => {
    const { source: topic } = held.openTopic(vpcId, [
      says(vpc()),
      says(port('here')),
      says(neighbor('a')),
      says(neighbor('b')),
    ]);
    held.apply(stream, [says(neighbor('c')), says(neighbor('d'))]);
    held.apply(topic, [says(neighbor('d'))]);
    expect(keys()).toContain('neighbor/c');
    await schedule.run(60_000);
    expect(keys()).toEqual(['neighbor/a', 'neighbor/b', 'neighbor/d', 'port/here', 'vpc/vpc']);
  });

  it('finds ports and neighbours by id as long as they are held', () => {
    expect(held.find('here')?.kind).toBe('port');
    expect(held.find('a')?.kind).toBe('neighbor');
    held.apply(stream, [takesBack(neighbor('a', 2))]);
    expect(held.find('a')).toBeUndefined();
  });
});
