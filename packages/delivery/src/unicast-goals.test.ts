import { type Goal, goalKey, PortConfiguration } from '@alcor/contract';
import { Bus } from '@alcor/runtime';
import { describe, expect, it } from 'vitest';
import { UnicastGoals } from './unicast-goals.ts';

function port(id: string, vpcId: string, revisionNumber = 1): Goal {
  return { kind: 'port', state: PortConfiguration.fromPartial({ id, vpcId, revisionNumber }) };
}

/** Publishes and takes away ports, as it is told: `+HOST/VPC/PORT` or `-HOST/VPC/PORT`. */
function saying(unicast: UnicastGoals) {
  return (...words: string[]): void => {
    for (const word of words) {
      const [hostId = '', vpcId = '', id = ''] = word.slice(1).split('/');
      const goal = port(id, vpcId);
      unicast.publish(hostId, goalKey(goal), goal, word.startsWith('-'));
    }
  };
}

function start() {
  const goals = new Bus<Goal>();
  const unicast = new UnicastGoals(goals);
  const say = saying(unicast);
  const saysOf = (vpcId: string): string[] => {
    const entries = unicast.open(vpcId).after(0, Number.POSITIVE_INFINITY);
    unicast.close(vpcId);
    return entries.filter(({ removed }) => !removed).map(({ value: { hostId, goal } }) => `${hostId}/${goal.state.id}`);
  };
  return { goals, unicast, say, saysOf };
}

describe('what single hosts of a VPC are told in the message queue', () => {
  it('is what they are told of that VPC and of no other, whoever has been told it before', () => {
    const { say, saysOf } = start();
    say('+a/v/1', '+a/w/2', '+b/v/3', '+b/w/4', '+b/v/5', '-b/v/3');
    expect(saysOf('v').toSorted()).toEqual(['a/1', 'b/5']);
    expect(saysOf('w').toSorted()).toEqual(['a/2', 'b/4']);
  });

  it('goes on with each change while it is open', () => {
    const { unicast, say, saysOf } = start();
    say('+a/v/1');
    const topic = unicast.open('v');
    say('+b/v/2', '+b/w/3', '-a/v/1');
    expect(topic.size).toBe(1);
    expect(saysOf('v')).toEqual(['b/2']);
    expect(unicast.open('v')).toBe(topic);
  });

  it('is there until it is closed as often as opened, and whole when it is opened again', () => {
    const { unicast, say, saysOf } = start();
    const topic = unicast.open('v');
    unicast.open('v');
    unicast.close('v');
    say('+a/v/1');
    expect(topic.size).toBe(1);
    unicast.close('v');
    say('+a/v/2');
    expect(topic.size).toBe(1);
    expect(saysOf('v')).toEqual(['a/1', 'a/2']);
  });

  it('does not look at hosts that have left the VPC', () => {
    const { goals, say, saysOf } = start();
    say('+a/v/1', '+a/v/2', '-a/v/1', '-a/v/2', '-a/v/2', '+b/v/3');
    const left = goals.topic('host/a');
    left.after = () => expect.fail('it was looked at');
    expect(saysOf('v')).toEqual(['b/3']);
  });
});
