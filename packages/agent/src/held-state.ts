import {
  type Goal,
  goalKey,
  goalVpc,
  type HeldVpc as Offer,
  OperationStatus,
  type ResumedVpc,
  type StatedGoal,
} from '@alcor/contract';
import type { Clock } from '@alcor/runtime';
import type { Zone } from './dns/resolve.ts';
import { HeldGroups } from './held-groups.ts';
import { heldPolicies } from './held-policies.ts';
import { HeldRouters } from './held-routers.ts';
import { type GoalSink, HeldVpc, type HeldVpcParts, type Item, type Learner } from './held-vpc.ts';
import { Offers } from './offers.ts';
import { type LastWord, Remembered, upToDate, wordOf } from './remembered.ts';
import { generationOf, note, other, type Source, type StreamSource, type TopicSource } from './sources.ts';
import { Sweep } from './sweep.ts';

/** What became of a goal that the data plane was not asked about. */
export interface Verdict {
  readonly goal: Goal;
  readonly removed: boolean;
  readonly status: OperationStatus;
  readonly reason: string;
}

interface Vpc {
  readonly held: HeldVpc;
  /** The reading of its topic, which has said everything that was there. */
  topic: TopicSource | undefined;
  /** Generation of the stream's telling that keeps the VPC here, whether or not there are ports; 0: none does. */
  told: number;
  /** A stream has told all of it, and no topic has spoken of it since. */
  isWhole: boolean;
  /** What the last reading that said everything left out, and is yet to be forgotten. */
  sweep: Sweep | undefined;
}

export interface HeldStateOptions {
  readonly sink: GoalSink;
  readonly clock: Clock;
  readonly learner?: Learner;
  /** Told of every goal that is taken in. */
  readonly observe?: (goal: StatedGoal) => void;
  /** Called when goals have been forgotten in the course of time, so that the data plane has to be flushed. */
  readonly onForgotten?: () => void;
}

/**
 * The goal state that this host holds, by VPC, out of several sources: a stream from the config manager, topics that the agent reads
 * itself. Each source tells the truth in order, but one may lag behind another; so
 *
 * - an older revision never replaces a newer one, also one of a goal that is gone (`Remembered`); of two words on one revision the later
 *   one stands, except that a stream does not contradict a topic that is being read: the topic is there to stay;
 * - when a reading has said everything, what it left out is forgotten: at once if only its like had named it, after a while if another
 *   channel had, which may have been ahead.
 *
 * A VPC is held while a port of it is here, a stream tells of it or its topic is read.
 */
export class HeldState {
  readonly #parts: HeldVpcParts;
  readonly #clock: Clock;
  readonly #observe: (goal: StatedGoal) => void;
  readonly #onForgotten: () => void;
  readonly #vpcs = new Map<string, Vpc>();
  /** VPC of every port and neighbour; a port and the neighbour that it is to others have one id and one VPC. */
  readonly #vpcOf = new Map<string, string>();
  readonly #remembered: Remembered;
  #generation = 0;

  constructor(options: HeldStateOptions) {
    const { sink, learner } = options;
    this.#parts = {
      sink,
      learner,
      groups: new HeldGroups(sink),
      policies: heldPolicies(sink),
      routers: new HeldRouters(sink),
    };
    this.#clock = options.clock;
    this.#observe = options.observe ?? (() => undefined);
    this.#onForgotten = options.onForgotten ?? (() => undefined);
    this.#remembered = new Remembered(options.clock);
  }

  /** A new stream, which will say everything again that is not told by topics. */
  openStream(): StreamSource {
    return {
      kind: 'stream',
      generation: ++this.#generation,
      begun: new Map(),
      onDemand: new Set(),
      offers: new Offers(),
    };
  }

  /**
   * The VPC's topic has been read from its beginning to its end, and this is all that it holds: it speaks for the VPC from here on, in place
   * of the reading before.
   */
  openTopic(
    vpcId: string,
    goals: readonly StatedGoal[],
  ): { readonly source: TopicSource; readonly verdicts: Verdict[] } {
    const source: TopicSource = { kind: 'topic', generation: ++this.#generation, vpcId };
    const vpc = this.#vpc(vpcId);
    vpc.topic = source;
    vpc.isWhole = false;
    vpc.held.onDemand = false;
    const verdicts = this.apply(source, goals);
    this.#sweepFrom(vpc, source, everything);
    return { source, verdicts };
  }

  /** The reading is over, whatever the reason; what it told stays until a stream says otherwise. */
  closeTopic(source: TopicSource): void {
    const vpc = this.#vpcs.get(source.vpcId);
    if (vpc?.topic !== source) return;
    vpc.topic = undefined;
    vpc.told = Math.max(vpc.told, 1);
  }

  /** The stream begins to tell these VPCs from nothing; those on demand but for the neighbours that nobody asks for. */
  begin(source: StreamSource, vpcIds: readonly string[], onDemand: readonly string[] = []): void {
    for (const vpcId of vpcIds) {
      source.onDemand.delete(vpcId);
      source.offers.drop(vpcId);
      this.#begin(source, this.#vpc(vpcId)).isWhole = false;
    }
    for (const vpcId of onDemand) {
      source.onDemand.add(vpcId);
      const { held, topic } = this.#vpc(vpcId);
      // A topic tells all, and may have been opened after the stream had said this.
      if (topic === undefined) held.onDemand = true;
    }
  }

  /** What the stream need not tell, if it is what is meant: VPCs that are held whole, and by the word of streams alone. */
  offer(source: StreamSource): Offer[] {
    return [...this.#vpcs.values()].flatMap((vpc) => (isSettled(vpc) ? [source.offers.open(vpc.held)] : []));
  }

  /**
   * What was offered of these VPCs is what is meant, but for the stale buckets, which the stream tells from nothing. Answers with those of
   * which what was offered is not what is held any more: the stream has to begin them.
   */
  resume(source: StreamSource, resumed: readonly ResumedVpc[]): string[] {
    return resumed.flatMap(({ vpcId, staleBuckets }) => {
      const vpc = this.#vpc(vpcId);
      const stands = source.offers.takeUp(vpc.held, staleBuckets) && isSettled(vpc);
      this.#begin(source, vpc).isWhole = stands && staleBuckets.length === 0;
      return stands ? [] : [vpcId];
    });
  }

  /** Drops a neighbour that was learnt on demand; the word on it stands. */
  forgetNeighbor(vpcId: string, id: string): void {
    const vpc = this.#vpcs.get(vpcId);
    const item = vpc?.held.items.get(`neighbor/${id}`);
    if (vpc?.held.onDemand === true && item !== undefined) this.#forget(vpc.held, `neighbor/${id}`, wordOf(item));
  }

  /** Takes a whole message in; answers for the goals that were not taken. */
  apply(source: Source, goals: readonly StatedGoal[]): Verdict[] {
    const verdicts: Verdict[] = [];
    const touched = new Set<string>();
    for (const stated of goals) {
      const vpcId = goalVpc(stated.goal);
      touched.add(vpcId);
      const refused = this.#take(this.#vpc(vpcId), source, stated);
      if (refused === undefined) continue;
      verdicts.push({ ...stated, status: OperationStatus.OUT_OF_ORDER, reason: refused });
    }
    for (const vpcId of touched) this.#dropUnlessNeeded(vpcId);
    return verdicts;
  }

  /** The stream has said everything of the VPC: what it left out is not wanted any more, unless a topic speaks for the VPC. */
  completeVpc(source: StreamSource, vpcId: string): void {
    const vpc = this.#vpcs.get(vpcId);
    if (vpc === undefined || vpc.topic !== undefined || source.offers.isLost(vpcId)) return;
    // Until all neighbours are known, those that are not are asked for.
    vpc.held.onDemand = source.onDemand.has(vpcId);
    vpc.isWhole = source.begun.has(vpcId);
    this.#sweepFrom(vpc, source, source.offers.leftOut(vpcId));
  }

  /** The stream has said everything that it will: VPCs that neither it nor a topic tells of are no longer wanted. */
  complete(source: StreamSource): void {
    for (const [vpcId, vpc] of this.#vpcs) {
      // What it has begun, it has completed on its own.
      if (source.begun.has(vpcId)) continue;
      if (vpc.told < source.generation) vpc.told = 0;
      this.completeVpc(source, vpcId);
      this.#dropUnlessNeeded(vpcId);
    }
  }

  /** The host is not in these VPCs any more, except where a topic is still read. */
  leave(source: StreamSource, vpcIds: readonly string[]): void {
    for (const vpcId of vpcIds) {
      source.begun.delete(vpcId);
      source.onDemand.delete(vpcId);
      const vpc = this.#vpcs.get(vpcId);
      if (vpc === undefined) continue;
      vpc.told = 0;
      if (vpc.topic === undefined) this.#drop(vpcId, vpc);
    }
  }

  /** The port of this id, or else the neighbour. */
  find(id: string): Goal | undefined {
    const items = this.#vpcs.get(this.#vpcOf.get(id) ?? '')?.held.items;
    return (items?.get(`port/${id}`) ?? items?.get(`neighbor/${id}`))?.goal;
  }

  /** True when something of the VPC is held but not its own state, so that nothing can be programmed yet. */
  waitsForVpc(vpcId: string): boolean {
    const vpc = this.#vpcs.get(vpcId);
    return vpc !== undefined && vpc.held.own === undefined;
  }

  /** One goal held of a VPC. */
  goal(vpcId: string, key: string): Goal | undefined {
    return this.#vpcs.get(vpcId)?.held.items.get(key)?.goal;
  }

  /** The VPCs of whose neighbours only those are held that were learnt on demand. */
  get vpcsOnDemand(): string[] {
    return [...this.#vpcs].flatMap(([vpcId, { held }]) => (held.onDemand ? [vpcId] : []));
  }

  /** The goals held of a VPC, by key. */
  goals(vpcId: string): ReadonlyMap<string, Goal> {
    const items = this.#vpcs.get(vpcId)?.held.items ?? new Map<string, Item>();
    return new Map([...items].map(([key, { goal }]) => [key, goal]));
  }

  /** What guests of the VPC may ask for by name; undefined before its own state is known. */
  zone(vpcId: string): Zone | undefined {
    const vpc = this.#vpcs.get(vpcId);
    const own = vpc?.held.own;
    if (vpc === undefined || own === undefined) return undefined;
    const { names: index, onDemand } = vpc.held;
    return { index, domains: own.dnsDomains, isWhole: !onDemand && (vpc.isWhole || vpc.topic !== undefined) };
  }

  get vpcs(): Iterable<string> {
    return this.#vpcs.keys();
  }

  /** For people: how much is held. */
  describe(): { vpcs: number; ports: number; neighbors: number } {
    const held = [...this.#vpcs.values()].map((vpc) => vpc.held);
    return {
      vpcs: held.length,
      ports: sum(held.map(({ ports }) => ports)),
      neighbors: sum(held.map(({ items }) => [...items.values()].filter(isNeighbor).length)),
    };
  }

  #vpc(vpcId: string): Vpc {
    let vpc = this.#vpcs.get(vpcId);
    if (vpc === undefined) {
      vpc = {
        held: new HeldVpc(vpcId, this.#parts),
        topic: undefined,
        told: 0,
        isWhole: false,
        sweep: undefined,
      };
      this.#vpcs.set(vpcId, vpc);
    }
    return vpc;
  }

  /** The stream speaks for the VPC from here on. */
  #begin(source: StreamSource, vpc: Vpc): Vpc {
    vpc.told = ++this.#generation;
    source.begun.set(vpc.held.id, vpc.told);
    return vpc;
  }

  /** Answers with the reason when the goal is older than what is known. */
  #take(vpc: Vpc, source: Source, stated: StatedGoal): string | undefined {
    const { held, topic } = vpc;
    const { removed } = stated;
    const key = goalKey(stated.goal);
    const generation = generationOf(source, held.id);
    const item = held.items.get(key);
    const known = item === undefined ? this.#remembered.get(held.id, key) : wordOf(item);
    if (item !== undefined && !removed) note(item, source, generation, this.#clock.now());
    const goal = upToDate(stated, known);
    if (goal === undefined) {
      if (removed && item !== undefined) {
        item[source.kind] = 0;
        // The newer revision must be the other channel's word, which may be ahead.
        item[other(source.kind)] ||= 1;
        if (speaks(vpc, source)) this.#doubt(vpc, source, key);
      }
      return `revision ${known?.revision} is held`;
    }
    const isTopics = topic !== undefined && known?.topic === topic.generation;
    if (isTopics && source.kind === 'stream' && known.revision === goal.state.revisionNumber) return undefined;
    this.#observe({ goal, removed });
    const said = source.kind === 'topic' ? generation : 0;
    if (removed) {
      this.#forget(held, key, { revision: goal.state.revisionNumber, topic: said, goal: undefined });
      return undefined;
    }
    const heardAt = this.#clock.now();
    const next: Item = { goal, said, stream: item?.stream ?? 0, topic: item?.topic ?? 0, heardAt };
    next[source.kind] = generation;
    this.#hold(held, key, next);
    // The last words of a stream may come when the topic has said everything already.
    if (source.kind === 'stream' && topic !== undefined && next.topic < topic.generation) this.#doubt(vpc, topic, key);
    return undefined;
  }

  /** Who speaks for the VPC does not name the goal: either it lags, and will, or it never heard of what is held. */
  #doubt(vpc: Vpc, speaker: Source, key: string): void {
    const sweep = vpc.sweep?.isOf(speaker.kind, generationOf(speaker, vpc.held.id))
      ? vpc.sweep
      : this.#beginSweep(vpc, speaker);
    sweep.doubt(key);
    sweep.run();
  }

  #hold(held: HeldVpc, key: string, item: Item): void {
    const { goal } = item;
    this.#remembered.delete(held.id, key);
    held.set(key, item);
    if (isPlace(goal)) this.#vpcOf.set(goal.state.id, held.id);
  }

  #forget(held: HeldVpc, key: string, word: LastWord): void {
    const goal = held.delete(key)?.goal;
    if (goal !== undefined && isPlace(goal)) {
      const { id } = goal.state;
      if (!held.items.has(`port/${id}`) && !held.items.has(`neighbor/${id}`)) this.#vpcOf.delete(id);
    }
    this.#remembered.set(held.id, key, word);
  }

  /** Forgets what the source, which has said everything, left out. */
  #sweepFrom(vpc: Vpc, source: Source, isLeftOut: (goal: Goal) => boolean): void {
    const { kind } = source;
    const generation = generationOf(source, vpc.held.id);
    const sweep = this.#beginSweep(vpc, source);
    for (const [key, item] of vpc.held.items) {
      if (item[kind] >= generation) item[other(kind)] = 0;
      else if (isLeftOut(item.goal)) sweep.leaveOut(key, item);
    }
    sweep.run();
  }

  #beginSweep(vpc: Vpc, source: Source): Sweep {
    const { held } = vpc;
    const { kind } = source;
    const generation = generationOf(source, held.id);
    vpc.sweep?.cancel();
    return (vpc.sweep = new Sweep({
      held,
      kind,
      generation,
      clock: this.#clock,
      forget: (key, item) => this.#forget(held, key, wordOf(item)),
      onEnd: () => {
        vpc.sweep = undefined;
        this.#dropUnlessNeeded(held.id);
      },
      onForgotten: this.#onForgotten,
    }));
  }

  #dropUnlessNeeded(vpcId: string): void {
    const vpc = this.#vpcs.get(vpcId);
    if (vpc === undefined || vpc.held.ports > 0 || vpc.told > 0 || vpc.topic !== undefined) return;
    this.#drop(vpcId, vpc);
  }

  #drop(vpcId: string, { held, sweep }: Vpc): void {
    sweep?.cancel();
    for (const [key, item] of held.items) this.#forget(held, key, wordOf(item));
    this.#vpcs.delete(vpcId);
  }
}

/** Whether all that is held of the VPC is what streams have told, and nothing of it is in doubt. */
function isSettled({ isWhole, topic, sweep }: Vpc): boolean {
  return isWhole && topic === undefined && sweep === undefined;
}

function everything(): boolean {
  return true;
}

/** Whether the source is the one that the VPC is told by. */
function speaks({ topic }: Vpc, source: Source): boolean {
  return source.kind === 'topic' ? topic === source : topic === undefined;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function isNeighbor({ goal }: Item): boolean {
  return goal.kind === 'neighbor';
}

/** Something that packets go to. */
function isPlace({ kind }: Goal): boolean {
  return kind === 'port' || kind === 'neighbor';
}
