import {
  type Goal,
  goalKey,
  NeighborConfiguration,
  OperationStatus,
  PortConfiguration,
  type StatedGoal,
  VpcConfiguration,
} from '@alcor/contract';
import { createSchedule, type Schedule } from '@alcor/runtime';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { HeldState, type StreamSource, type TopicSource } from './held-state.ts';
import type { GoalSink } from './held-vpc.ts';

const vpcId = 'vpc';
const says = (goal: Goal): StatedGoal => ({ goal, removed: false });
const takesBack = (goal: Goal): StatedGoal => ({ goal, removed: true });

function vpc(revisionNumber = 1, id = vpcId): Goal {
  return { kind: 'vpc', state: VpcConfiguration.fromPartial({ id, revisionNumber, tunnelId: 7 }) };
}

function port(id: string, revisionNumber = 1, of = vpcId): Goal {
  return {
    kind: 'port',
    state: PortConfiguration.fromPartial({ id, revisionNumber, vpcId: of, adminStateUp: true }),
  };
}

function neighbor(id: string, revisionNumber = 1, hostIpAddress = '172.16.0.2'): Goal {
  const state = NeighborConfiguration.fromPartial({ id, revisionNumber, vpcId, hostIpAddress });
  return { kind: 'neighbor', state };
}

/** Where neighbours would be sent to. */
class Switch implements GoalSink {
  readonly neighbors = new Map<string, string>();
  onRemove: (id: string) => void = () => undefined;

  setPort(): void {}
  setSecurityGroup(): void {}
  removeSecurityGroup(): void {}
  setAddressGroup(): void {}
  removeAddressGroup(): void {}
  removePort(): void {}
  setNeighbor({ id, hostIp }: { id: string; hostIp: string }): void {
    this.neighbors.set(id, hostIp);
  }
  removeNeighbor(id: string): void {
    if (this.neighbors.delete(id)) this.onRemove(id);
  }
}

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
    const topic = held.openTopic(vpcId);
    held.apply(topic, [says(vpc()), says(port('here')), says(neighbor('b'))]);
    held.completeVpc(topic, vpcId);
    await schedule.run(29_000);
    expect(keys()).toEqual(['neighbor/a', 'neighbor/b', 'port/here', 'vpc/vpc']);
    await schedule.run(2_000);
    expect(keys()).toEqual(['neighbor/b', 'port/here', 'vpc/vpc']);
    expect(forgotten).toBe(1);
  });

  it('is not brought back to a revision that is gone by a source that lags', () => {
    held.apply(stream, [takesBack(neighbor('a', 2))]);
    const topic = held.openTopic(vpcId);
    const verdicts = held.apply(topic, [says(neighbor('a', 1))]);
    expect(verdicts.map(({ status, reason }) => [status, reason])).toEqual([
      [OperationStatus.OUT_OF_ORDER, 'revision 2 is held'],
    ]);
    expect(keys()).not.toContain('neighbor/a');
    expect(held.apply(topic, [says(neighbor('a', 3))])).toEqual([]);
    expect(keys()).toContain('neighbor/a');
  });

  it('believes a topic that is being read where two words are of one revision, and otherwise the later word', () => {
    const topic = held.openTopic(vpcId);
    held.apply(topic, [says(neighbor('a', 1, '172.16.0.9'))]);
    expect(held.apply(stream, [says(neighbor('a', 1, '172.16.0.3')), takesBack(neighbor('a', 1))])).toEqual([]);
    expect(sink.neighbors.get('a')).toBe('172.16.0.9');
    held.closeTopic(topic);
    held.apply(stream, [says(neighbor('a', 1, '172.16.0.3'))]);
    expect(sink.neighbors.get('a')).toBe('172.16.0.3');
  });

  it('leaves a VPC with its last port, unless a stream tells of it or its topic is read', () => {
    held.apply(stream, [takesBack(port('here', 2))]);
    expect(keys()).toContain('neighbor/a');
    const topic = held.openTopic(vpcId);
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
    const topic = held.openTopic(vpcId);
    held.apply(topic, [says(vpc()), says(port('here')), takesBack(port('here', 2))]);
    held.closeTopic(topic);
    held.apply(stream, [takesBack(port('none'))]);
    expect(keys()).toContain('neighbor/a');
    held.complete(held.openStream());
    expect([...held.vpcs]).toEqual([]);
  });

  it('does not let the end of a stream touch what a topic tells', async () => {
    const topic = held.openTopic(vpcId);
    held.apply(topic, [says(vpc()), says(port('here')), says(neighbor('a')), says(neighbor('b'))]);
    held.completeVpc(topic, vpcId);
    const next = held.openStream();
    held.complete(next);
    await schedule.run(60_000);
    expect(keys()).toEqual(['neighbor/a', 'neighbor/b', 'port/here', 'vpc/vpc']);
  });

  it('keeps what a topic named before a new stream said the same, in the middle of the reading', async () => {
    const topic = held.openTopic(vpcId);
    const all = [says(vpc()), says(port('here')), says(neighbor('a')), says(neighbor('b'))];
    held.apply(topic, all);
    const next = held.openStream();
    held.begin(next, [vpcId]);
    held.apply(next, all);
    held.completeVpc(next, vpcId);
    held.complete(next);
    held.completeVpc(topic, vpcId);
    await schedule.run(60_000);
    expect(keys()).toEqual(['neighbor/a', 'neighbor/b', 'port/here', 'vpc/vpc']);
  });

  it('takes an older revision that says the same for the newer one, also after it has left the VPC', () => {
    held.apply(stream, [says(neighbor('a', 4))]);
    held.leave(stream, [vpcId]);
    const topic = held.openTopic(vpcId);
    expect(held.apply(topic, [says(neighbor('a', 2)), says(neighbor('b', 1, '172.16.0.9'))])).toEqual([]);
    expect(held.goals(vpcId).get('neighbor/a')?.state.revisionNumber).toBe(4);
    expect(held.apply(topic, [says(neighbor('a', 3, '172.16.0.9'))])).toHaveLength(1);
  });

  it('forgets what is taken back in an older revision, unless it is named again', async () => {
    held.apply(stream, [says(neighbor('a', 4)), says(neighbor('b', 4))]);
    const topic = held.openTopic(vpcId);
    held.apply(topic, [says(vpc()), says(port('here')), says(neighbor('a', 2)), says(neighbor('b', 2))]);
    held.completeVpc(topic, vpcId);
    expect(held.apply(topic, [takesBack(neighbor('a', 2)), takesBack(neighbor('b', 2))])).toHaveLength(2);
    await schedule.run(10_000);
    held.apply(topic, [says(neighbor('b', 4))]);
    expect(keys()).toContain('neighbor/a');
    await schedule.run(60_000);
    expect(keys()).toEqual(['neighbor/b', 'port/here', 'vpc/vpc']);
  });

  it('forgets what only the last words of a stream named, after a topic had said everything', async () => {
    const topic = held.openTopic(vpcId);
    held.apply(topic, [says(vpc()), says(port('here')), says(neighbor('a')), says(neighbor('b'))]);
    held.completeVpc(topic, vpcId);
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

/** One neighbour's present state in the truth; `at` counts all changes. */
interface Fact {
  readonly at: number;
  readonly key: string;
  readonly stated: StatedGoal;
}

type Step =
  | { readonly do: 'change'; readonly id: number; readonly remove: boolean }
  | { readonly do: 'move'; readonly id: number; readonly hostIp: string }
  | { readonly do: 'follow'; readonly who: 'stream' | 'topic'; readonly by: number }
  | { readonly do: 'subscribe' | 'catch up' | 'unsubscribe' | 'lose the topic' | 'new stream' | 'time' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('change' as const), id: fc.nat(4), remove: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      id: fc.nat(4),
      hostIp: fc.constantFrom('172.16.0.3', '172.16.0.4'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('follow' as const),
      who: fc.constantFrom('stream' as const, 'topic' as const),
      by: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('subscribe', 'catch up', 'unsubscribe', 'lose the topic', 'new stream', 'time')
      .map((what) => ({ do: what }) as Step),
  },
);

/**
 * A truth that changes, a stream and a topic that each follow it in order at a pace of their own, and a manager that lets the host
 * change over between them.
 */
class TwoSources {
  readonly schedule = createSchedule();
  readonly sink = new Switch();
  readonly wrong: string[] = [];
  readonly #held: HeldState;
  readonly #truth: Fact[] = [];
  readonly #revisions = new Map<string, number>();
  /** How much of the truth each source knows, and how much of that it has told in its present reading; undefined: does not tell. */
  readonly #known = { stream: 0, topic: 0 };
  readonly #told: { stream: number | undefined; topic: number | undefined } = { stream: 0, topic: undefined };
  #stream: StreamSource;
  #topic: TopicSource | undefined;
  /** Revisions at which neighbours were taken from the switch. */
  readonly #removed = new Map<string, number | undefined>();
  #caughtUp = false;
  #before = 0;

  constructor() {
    this.#held = new HeldState({
      sink: this.sink,
      clock: this.schedule.clock,
      observe: (stated) => this.#observe(stated),
    });
    this.sink.onRemove = (id) => this.#onRemove(id);
    this.#stream = this.#held.openStream();
    this.#tell(vpc());
    this.#tell(port('here'));
    this.#truthIs({ stated: says(neighbor('n0')), key: 'neighbor/n0' });
    this.#known.stream = this.#known.topic = this.#truth.length;
    this.#begin();
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) await this.#do(each);
    for (let n = 0; n < 8; n++) await this.#pass();
    this.#follow('stream', Number.POSITIVE_INFINITY);
    this.#follow('topic', Number.POSITIVE_INFINITY);
    await this.schedule.run(120_000);
  }

  get outcome(): { readonly held: unknown; readonly truth: unknown } {
    const truth = new Map<string, Goal>();
    for (const { key, stated } of this.#truth) {
      if (stated.removed) truth.delete(key);
      else truth.set(key, stated.goal);
    }
    return { held: byKey(this.#held.goals(vpcId)), truth: byKey(truth) };
  }

  async #do(each: Step): Promise<void> {
    switch (each.do) {
      case 'change':
        return this.#change(`n${each.id}`, each.remove);
      case 'move':
        return this.#move(`n${each.id}`, each.hostIp);
      case 'follow':
        return this.#follow(each.who, each.by);
      case 'subscribe':
        return this.#subscribe();
      case 'catch up':
        return this.#catchUp();
      case 'unsubscribe':
      case 'lose the topic':
        return this.#backToStream();
      case 'new stream':
        return this.#newStream();
      case 'time':
        return this.#pass();
    }
  }

  #change(id: string, remove: boolean): void {
    const key = `neighbor/${id}`;
    const last = this.#truth.findLast((fact) => fact.key === key);
    const present = last !== undefined && !last.stated.removed;
    if (remove && !present) return;
    const goal = neighbor(id, (last?.stated.goal.state.revisionNumber ?? 0) + 1);
    this.#truthIs({ key, stated: { goal, removed: remove } });
  }

  /** A host gets another address: its neighbours change without a new revision of theirs. */
  #move(id: string, hostIp: string): void {
    const key = `neighbor/${id}`;
    const last = this.#truth.findLast((fact) => fact.key === key);
    if (last === undefined || last.stated.removed) return;
    this.#truthIs({ key, stated: says(neighbor(id, last.stated.goal.state.revisionNumber, hostIp)) });
  }

  #truthIs({ key, stated }: Omit<Fact, 'at'>): void {
    this.#truth.push({ at: this.#truth.length + 1, key, stated });
  }

  #tell(goal: Goal): void {
    this.#truthIs({ key: goalKey(goal), stated: says(goal) });
  }

  #follow(who: 'stream' | 'topic', by: number): void {
    this.#known[who] = Math.min(this.#truth.length, this.#known[who] + by);
    this.#say(who);
  }

  /** Tells what is new in what the source knows, the newest word on each key, as topics do. */
  #say(who: 'stream' | 'topic'): void {
    const from = this.#told[who];
    const source = who === 'stream' ? this.#stream : this.#topic;
    if (from === undefined || source === undefined) return;
    const newest = new Map<string, Fact>();
    for (const fact of this.#truth.slice(from, this.#known[who])) {
      newest.delete(fact.key);
      newest.set(fact.key, fact);
    }
    this.#held.apply(
      source,
      [...newest.values()].map(({ stated }) => stated),
    );
    this.#told[who] = this.#known[who];
  }

  /** The stream tells the VPC from nothing. */
  #begin(): void {
    this.#held.begin(this.#stream, [vpcId]);
    this.#told.stream = 0;
    this.#say('stream');
    this.#held.completeVpc(this.#stream, vpcId);
  }

  #subscribe(): void {
    if (this.#topic !== undefined) return;
    this.#topic = this.#held.openTopic(vpcId);
    this.#told.topic = 0;
    this.#caughtUp = false;
  }

  #catchUp(): void {
    if (this.#topic === undefined || this.#caughtUp) return;
    this.#say('topic');
    this.#held.completeVpc(this.#topic, vpcId);
    this.#caughtUp = true;
    this.#told.stream = undefined;
  }

  #backToStream(): void {
    if (this.#topic === undefined) return;
    this.#held.closeTopic(this.#topic);
    this.#topic = undefined;
    this.#told.topic = undefined;
    if (this.#told.stream === undefined) this.#begin();
  }

  #newStream(): void {
    this.#stream = this.#held.openStream();
    if (this.#told.stream !== undefined) this.#begin();
    this.#held.complete(this.#stream);
  }

  /** Ten seconds, in which everybody gets to where the truth was ten seconds ago. */
  async #pass(): Promise<void> {
    for (const who of ['stream', 'topic'] as const) this.#follow(who, Math.max(0, this.#before - this.#known[who]));
    this.#before = this.#truth.length;
    await this.schedule.run(10_000);
  }

  #observe({ goal, removed }: StatedGoal): void {
    const key = goalKey(goal);
    const known = this.#revisions.get(key) ?? 0;
    const { revisionNumber } = goal.state;
    if (revisionNumber < known) this.wrong.push(`${key} went back from ${known} to ${revisionNumber}`);
    if (!removed && this.#removed.get(goal.state.id) === revisionNumber)
      this.wrong.push(`${key} was removed and came back`);
    this.#revisions.set(key, revisionNumber);
  }

  /** What has been there all the time, in the eyes of both sources, must not go. */
  #onRemove(id: string): void {
    const key = `neighbor/${id}`;
    this.#removed.set(id, this.#revisions.get(key));
    const since = Math.min(this.#known.stream, this.#known.topic);
    const last = this.#truth.findLast((fact) => fact.key === key && fact.at <= since);
    const gone = this.#truth.some((fact) => fact.key === key && fact.at > since && fact.stated.removed);
    if (last?.stated.removed === false && !gone) this.wrong.push(`${key} was removed though it has always been there`);
  }
}

function byKey(goals: ReadonlyMap<string, Goal>): unknown {
  return [...goals].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, { state }]) => [key, state]);
}

describe('a stream and a topic that both tell the truth, one behind the other', () => {
  it('end at the truth, without going back and without a neighbour gone in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const two = new TwoSources();
        await two.run(steps);
        expect(two.wrong).toEqual([]);
        expect(two.outcome.held).toEqual(two.outcome.truth);
      }),
      { numRuns: 500 },
    );
  });
});
