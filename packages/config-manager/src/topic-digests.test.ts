import { type Goal, GoalDigest, goalKey, NeighborConfiguration } from '@alcor/contract';
import { Bus, createSchedule, createWorld, seededRandom } from '@alcor/runtime';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TopicDigests } from './topic-digests.ts';

const neighbor = (n: number, revisionNumber: number): Goal => ({
  kind: 'neighbor',
  state: NeighborConfiguration.fromPartial({
    id: `n${n}`,
    vpcId: 'vpc',
    revisionNumber,
    hostIpAddress: `172.16.0.${revisionNumber}`,
  }),
});

const step = fc.oneof(
  fc.record({ do: fc.constant('put' as const), n: fc.nat(9) }),
  fc.record({ do: fc.constant('remove' as const), n: fc.nat(9) }),
  fc.record({ do: fc.constant('forget' as const), n: fc.nat(9) }),
  fc.record({ do: fc.constant('ask' as const) }),
);

it('a digest is over what the topic says, whatever happens before, while and after it is read', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const topic = new Bus<Goal>().topic('vpc/vpc');
      const digests = new TopicDigests();
      let revision = 0;
      for (const each of steps) {
        if (each.do === 'ask') digests.of(topic);
        else {
          const goal = neighbor(each.n, ++revision);
          if (each.do === 'put') topic.put(goalKey(goal), goal);
          else if (each.do === 'remove') topic.remove(goalKey(goal), goal);
          else topic.forget(goalKey(goal));
        }
      }
      const said = topic.after(0, Number.POSITIVE_INFINITY).flatMap(({ removed, value }) => (removed ? [] : [value]));
      expect(digests.of(topic).offer()).toEqual(new GoalDigest().with(said).offer());
    }),
  );
});

it('topics are read ahead bit by bit, and what changes meanwhile counts', async () => {
  const schedule = createSchedule();
  const { clock } = createWorld(schedule, seededRandom(1), () => undefined).start('process').runtime;
  const goals = new Bus<Goal>();
  const topic = goals.topic('vpc/vpc');
  for (let n = 0; n < 10_000; n++) topic.put(`neighbor/n${n}`, neighbor(n, 1));
  const digests = new TopicDigests();
  const ready = digests.prepare(goals, ['vpc'], clock, new AbortController().signal);
  for (let n = 0; n < 4; n++) {
    topic.put(`neighbor/n${n}`, neighbor(n, 2));
    topic.remove(`neighbor/n${9_999 - n}`, neighbor(n, 2));
    let events = 0;
    expect(await schedule.run(1, () => events++ > 0)).toBe('done');
  }
  await schedule.run(1);
  await ready;
  const said = topic.after(0, Number.POSITIVE_INFINITY).flatMap(({ removed, value }) => (removed ? [] : [value]));
  expect(digests.of(topic).offer()).toEqual(new GoalDigest().with(said).offer());
});
