import { type Goal, GoalDigest, goalKey, NeighborConfiguration } from '@alcor/contract';
import { Bus } from '@alcor/runtime';
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

it('a digest is over what the topic says, whatever happens before and after it is first asked for', () => {
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
