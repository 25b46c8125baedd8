import { type Goal, goalKey, type StatedGoal } from '@alcor/contract';
import { createSchedule } from '@alcor/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldState } from './held-state.ts';
import type { StreamSource, TopicSource } from './sources.ts';
import { neighbor, port, says, Switch, vpc, vpcId } from './testing/small-vpc.ts';

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
  #isReading = false;
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

  /** Tells what is new in what the source knows. */
  #say(who: 'stream' | 'topic'): void {
    const from = this.#told[who];
    const source = who === 'stream' ? this.#stream : this.#topic;
    if (from === undefined || source === undefined) return;
    this.#held.apply(source, this.#words(from, this.#known[who]));
    this.#told[who] = this.#known[who];
  }

  /** The newest word on each key, as topics tell. */
  #words(from: number, to: number): StatedGoal[] {
    const newest = new Map<string, Fact>();
    for (const fact of this.#truth.slice(from, to)) {
      newest.delete(fact.key);
      newest.set(fact.key, fact);
    }
    return [...newest.values()].map(({ stated }) => stated);
  }

  /** The stream tells the VPC from nothing. */
  #begin(): void {
    this.#held.begin(this.#stream, [vpcId]);
    this.#told.stream = 0;
    this.#say('stream');
    this.#held.completeVpc(this.#stream, vpcId);
  }

  #subscribe(): void {
    this.#isReading = true;
  }

  /** The topic's reading has got to the end, and the stream is told to tell no longer. */
  #catchUp(): void {
    if (!this.#isReading || this.#topic !== undefined) return;
    this.#topic = this.#held.openTopic(vpcId, this.#words(0, this.#known.topic)).source;
    this.#told.topic = this.#known.topic;
    this.#told.stream = undefined;
  }

  #backToStream(): void {
    this.#isReading = false;
    if (this.#topic === undefined) return;
    this.#held.closeTopic(this.#topic);
    this.#topic = undefined;
    this.#told.topic = undefined;
    this.#begin();
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
  it.each<readonly Step[]>([
    [
      { do: 'change', id: 0, remove: false },
      { do: 'follow', who: 'stream', by: 1 },
      { do: 'move', id: 0, hostIp: '172.16.0.3' },
      { do: 'subscribe' },
      { do: 'follow', who: 'topic', by: 1 },
      { do: 'follow', who: 'stream', by: 1 },
      { do: 'lose the topic' },
    ],
    [
      { do: 'subscribe' },
      { do: 'catch up' },
      { do: 'change', id: 0, remove: true },
      { do: 'change', id: 0, remove: false },
      { do: 'follow', who: 'topic', by: 2 },
      { do: 'lose the topic' },
      { do: 'follow', who: 'stream', by: 1 },
      { do: 'new stream' },
    ],
  ])('end at the truth after histories that once did otherwise: %j', async (...steps) => {
    const two = new TwoSources();
    await two.run(steps);
    expect(two.wrong).toEqual([]);
    expect(two.outcome.held).toEqual(two.outcome.truth);
  });

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
