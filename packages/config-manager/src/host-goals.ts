import {
  addGoal,
  emptyGoalState,
  type Goal,
  goalVpc,
  type GoalStateV2,
  type HeldVpc,
  isShare,
  type StatedGoal,
} from '@alcor/contract';
import type { Bus, Entry, Subscription, Topic } from '@alcor/runtime';
import { HostMembership } from './host-membership.ts';
import { isNews, type Resumption, resume } from './resumption.ts';
import type { TopicDigests } from './topic-digests.ts';

const goalsPerMessage = 1_000;

/**
 * How a host learns of a VPC: by the stream; by the stream, but of neighbours only those that `learn` names; by a topic that it reads
 * itself; or not yet, because it is worth a moment to see how.
 */
export type Telling = 'stream' | 'on-demand' | 'topic' | 'later';

export interface HostGoalsOptions {
  readonly hostId: string;
  /** Topics `host/ID`, `vpc/ID`, `vpc/ID/common` and `vpc/ID/routers`. */
  readonly goals: Bus<Goal>;
  /** Of topics `vpc/ID` and `vpc/ID/common`. */
  readonly digests: TopicDigests;
  /** Called when `next` may have something to say. */
  readonly wake: () => void;
  /** The host is in the VPC from now on: how is it to learn of it? */
  readonly onJoin: (vpcId: string) => Telling;
  readonly onLeave: (vpcId: string) => void;
  /** The host has become the gateway of a VPC that it is in, or is it no longer. */
  readonly onShare: (vpcId: string) => void;
}

/** Something to send, and how far it goes: positions by topic, of those that it takes further. */
export interface Outgoing {
  readonly message: GoalStateV2;
  readonly positions: ReadonlyMap<string, number>;
}

/** How far a topic has been told, and how far it goes. */
export interface Progress {
  readonly sent: number;
  readonly wanted: number;
}

interface Reading {
  readonly name: string;
  readonly topic: Topic<Goal>;
  readonly subscription: Subscription;
  /** The last position that has been noted for a message to name. */
  noted: number;
}

interface Joined {
  readonly id: string;
  telling: Telling;
  /** Of the VPC's topic, or of what is common to its hosts, while the stream tells of it. */
  reading: Reading | undefined;
  /** Neighbours that the host is yet to be told, or that are gone, by id. */
  learnt: Map<string, StatedGoal>;
  /** While the reading is behind it: what the host held when the reading began need not be told. */
  resumption: Resumption | undefined;
  /** Everything that there was has been told since the reading began. */
  completed: boolean;
}

/**
 * Reads what one host must know out of the topics and packs it into messages: its own topic, and the topic of every VPC that it is in.
 * Holds positions, not goals, so a host costs what it has ports, whatever the size of its VPCs. VPCs whose topics the host reads itself
 * are left out.
 */
export class HostGoals {
  readonly #options: HostGoalsOptions;
  readonly #own: Reading;
  readonly #membership: HostMembership;
  readonly #joined = new Map<string, Joined>();
  /** VPCs whose topics may have something new. */
  readonly #stirred = new Set<string>();
  /** VPCs that the host is no longer in, which it is yet to be told. */
  readonly #left = new Set<string>();
  /** What the host held when the stream began, of VPCs that it has not been told of since. */
  readonly #offers = new Map<string, HeldVpc>();
  /** VPCs with neighbours that the host is yet to be told. */
  readonly #owing = new Set<Joined>();
  /** Of topics, for the next message to name. */
  #positions = new Map<string, number>();
  #complete = false;

  constructor(options: HostGoalsOptions) {
    this.#options = options;
    this.#own = this.#read(`host/${options.hostId}`, options.wake);
    this.#membership = new HostMembership({
      ...options,
      onJoin: (vpcId) => this.#join(vpcId),
      onLeave: (vpcId) => this.#leave(vpcId),
    });
  }

  get vpcs(): readonly string[] {
    return [...this.#joined.keys()];
  }

  get vpcCount(): number {
    return this.#joined.size;
  }

  get ports(): number {
    return this.#membership.ports;
  }

  /** Whether the host is the gateway of the VPC. */
  isGateway(vpcId: string): boolean {
    return this.#membership.isGateway(vpcId);
  }

  /** How the host's own topic stands, or that of a VPC that the stream tells of. */
  progress(vpcId?: string): Progress | undefined {
    const reading = vpcId === undefined ? this.#own : this.#joined.get(vpcId)?.reading;
    if (reading === undefined) return undefined;
    return { sent: reading.subscription.position, wanted: reading.topic.position };
  }

  /** What the host holds when the stream begins: what of it is as it should be is not told. */
  offer(held: readonly HeldVpc[]): void {
    for (const each of held) this.#offers.set(each.vpcId, each);
  }

  /** Finds out in which VPCs the host is, before anything is told of them. */
  look(): void {
    this.#takeOwn(emptyGoalState());
    this.#membership.settle();
  }

  /** The next message, or undefined when the host has been told everything for now. */
  next(): Outgoing | undefined {
    this.#membership.settle();
    const isAllSaid = this.#complete && isRead(this.#own) && this.#stirred.size + this.#left.size === 0;
    return isAllSaid ? undefined : this.#gather();
  }

  #gather(): Outgoing | undefined {
    const message = emptyGoalState();
    let room = goalsPerMessage - this.#takeOwn(message);
    this.#notePosition(this.#own);
    this.#membership.settle();
    for (const vpcId of this.#stirred) {
      if (room <= 0) break;
      room = this.#takeVpc(this.#joined.get(vpcId)!, message, room);
    }
    if (this.#left.size > 0) {
      message.leftVpcs.push(...this.#left);
      this.#left.clear();
    }
    const completes = !this.#complete && this.#toldAll();
    if (completes) {
      this.#complete = message.complete = true;
      this.#offers.clear();
    }
    const { leftVpcs, begunVpcs, verifiedVpcs, resumedVpcs, completedVpcs } = message;
    const lists = [leftVpcs, begunVpcs, verifiedVpcs, resumedVpcs, completedVpcs];
    const says = lists.some(({ length }) => length > 0) || completes || room < goalsPerMessage;
    if (!says) return undefined;
    const positions = this.#positions;
    this.#positions = new Map();
    return { message, positions };
  }

  /** Undefined: the host is not in the VPC. */
  telling(vpcId: string): Telling | undefined {
    return this.#joined.get(vpcId)?.telling;
  }

  /** Has the host learn of the VPC in another way; by the stream it is then told everything from nothing. */
  tell(vpcId: string, telling: Telling): void {
    const joined = this.#joined.get(vpcId);
    if (joined === undefined || joined.telling === telling) return;
    // Until now nobody has told it anything.
    const offer = joined.telling === 'later' && telling === 'on-demand' ? this.#offers.get(vpcId) : undefined;
    joined.telling = telling;
    this.#endReading(joined);
    if (offer !== undefined) this.#offers.set(vpcId, offer);
    this.#stir(vpcId);
  }

  /** Tells a neighbour of a VPC that is told on demand, or that it is gone. */
  learn(vpcId: string, neighbor: StatedGoal): void {
    const joined = this.#joined.get(vpcId);
    if (joined?.telling !== 'on-demand') return;
    joined.learnt.set(neighbor.goal.state.id, neighbor);
    this.#owing.add(joined);
    this.#stir(vpcId);
  }

  /** Whether a message is still to come with neighbours that the host is to learn. */
  get owesLearnt(): boolean {
    return this.#owing.size > 0;
  }

  /** Tells the VPC once more from nothing, if the stream tells of it. */
  again(vpcId: string): void {
    const joined = this.#joined.get(vpcId);
    if (joined?.telling !== 'stream') return;
    this.#endReading(joined);
    this.#stir(vpcId);
  }

  /** Tells the host that it is not in the VPC any more, unless it is again. */
  sayLeft(vpcId: string): void {
    if (this.#joined.has(vpcId)) return;
    this.#left.add(vpcId);
    this.#options.wake();
  }

  close(): void {
    this.#own.subscription.close();
    this.#membership.close();
    for (const joined of this.#joined.values()) this.#endReading(joined);
  }

  #read(name: string, wake: () => void): Reading {
    const topic = this.#options.goals.topic(name);
    return { name, topic, subscription: topic.subscribe(wake), noted: 0 };
  }

  #stir(vpcId: string): void {
    this.#stirred.add(vpcId);
    this.#options.wake();
  }

  #endReading(joined: Joined): void {
    if (joined.reading !== undefined) this.#positions.delete(joined.reading.name);
    joined.reading?.subscription.close();
    joined.reading = undefined;
    joined.completed = false;
    joined.resumption = undefined;
    joined.learnt.clear();
    this.#owing.delete(joined);
    // What the host holds by now is another matter.
    this.#offers.delete(joined.id);
  }

  /** Most messages take no topic further: they are of what is learnt. */
  #notePosition(reading: Reading): void {
    const { position } = reading.subscription;
    if (position === reading.noted) return;
    this.#positions.set(reading.name, position);
    reading.noted = position;
  }

  /** Until there is something to say of it; returns how much that is. */
  #takeOwn(message: GoalStateV2): number {
    const { topic, subscription } = this.#own;
    let told = 0;
    while (told === 0 && !isRead(this.#own)) {
      for (const entry of topic.take(subscription, goalsPerMessage)) {
        this.#membership.note(entry);
        // All hosts of the VPC are told of its gateway.
        if (isShare(entry.value)) continue;
        // What is begun later is told with the rest of its VPC.
        if (this.#joined.get(goalVpc(entry.value))?.reading === undefined) continue;
        addGoal(message, stated(entry));
        told++;
      }
    }
    return told;
  }

  #join(vpcId: string): void {
    const telling = this.#options.onJoin(vpcId);
    const nothingYet = { reading: undefined, resumption: undefined, completed: false, learnt: new Map() };
    this.#joined.set(vpcId, { id: vpcId, telling, ...nothingYet });
    this.#left.delete(vpcId);
    this.#stirred.add(vpcId);
  }

  #leave(vpcId: string): void {
    const joined = this.#joined.get(vpcId)!;
    this.#joined.delete(vpcId);
    this.#stirred.delete(vpcId);
    // Also where nothing has been told yet: what the host read itself before, it may still hold.
    if (joined.telling === 'stream' || joined.telling === 'on-demand') this.#left.add(vpcId);
    this.#endReading(joined);
    this.#options.onLeave(vpcId);
  }

  /** Returns the room left in the message. */
  #takeVpc(joined: Joined, message: GoalStateV2, room: number): number {
    if (joined.telling !== 'stream' && joined.telling !== 'on-demand') {
      this.#stirred.delete(joined.id);
      return room;
    }
    const begun = joined.reading === undefined ? this.#begin(joined, message) : 0;
    const reading = joined.reading!;
    const entries = this.#takeNews(joined, reading, Math.max(room - begun, 1));
    for (const entry of entries) addGoal(message, stated(entry));
    this.#notePosition(reading);
    const left = room - begun - entries.length - this.#takeLearnt(joined, message, room - begun - entries.length);
    if (isRead(reading) && joined.learnt.size === 0) {
      this.#stirred.delete(joined.id);
      if (!joined.completed) message.completedVpcs.push(joined.id);
      joined.completed = true;
    }
    return left;
  }

  /** Returns how many. */
  #takeLearnt(joined: Joined, message: GoalStateV2, room: number): number {
    const { learnt } = joined;
    if (learnt.size <= room) {
      for (const neighbor of learnt.values()) addGoal(message, neighbor);
      this.#owing.delete(joined);
      // Of a map that is filled and emptied all the time V8 keeps the tables, with all that was in them, until a full collection.
      if (learnt.size > 0) joined.learnt = new Map();
      return learnt.size;
    }
    let told = 0;
    for (const [id, neighbor] of learnt) {
      if (told >= room) break;
      addGoal(message, neighbor);
      learnt.delete(id);
      told++;
    }
    return told;
  }

  /** Begins with what only this host is told; returns how much that is. */
  #begin(joined: Joined, message: GoalStateV2): number {
    const { id, telling, learnt } = joined;
    const reading = this.#read(telling === 'on-demand' ? `vpc/${id}/common` : `vpc/${id}`, () => this.#stir(id));
    joined.reading = reading;
    const own = [...this.#membership.keysOf(id)].flatMap((key) => this.#own.topic.get(key) ?? []);
    const neighbors = [...learnt.values()].flatMap(({ goal, removed }) => (removed ? [] : [goal]));
    const resumption = this.#resume(joined, reading.topic, [...own, ...neighbors]);
    for (const goal of neighbors) if (resumption?.tells(goal) === false) learnt.delete(goal.state.id);
    if (learnt.size === 0) this.#owing.delete(joined);
    if (telling === 'on-demand') message.onDemandVpcs.push(id);
    if (resumption === undefined) message.begunVpcs.push(id);
    else if (resumption.staleBuckets.length > 0) {
      message.resumedVpcs.push({ vpcId: id, staleBuckets: [...resumption.staleBuckets] });
      joined.resumption = resumption;
    } else {
      message.verifiedVpcs.push(id);
      reading.subscription.position = resumption.position;
      joined.completed = true;
      return 0;
    }
    const told = resumption === undefined ? own : own.filter(resumption.tells);
    for (const goal of told) addGoal(message, { goal, removed: false });
    return told.length;
  }

  /** How to go on from what the host has offered; undefined: from nothing. */
  #resume({ id, telling }: Joined, topic: Topic<Goal>, own: readonly Goal[]): Resumption | undefined {
    const offer = this.#offers.get(id);
    this.#offers.delete(id);
    if (offer === undefined || offer.onDemand !== (telling === 'on-demand')) return undefined;
    return resume(this.#options.digests.of(topic), own, offer, topic.position);
  }

  /** The next entries that the host has to be told of. */
  #takeNews(joined: Joined, { topic, subscription }: Reading, limit: number): Entry<Goal>[] {
    const { resumption } = joined;
    if (resumption === undefined) return topic.take(subscription, limit);
    const news: Entry<Goal>[] = [];
    for (;;) {
      const entries = topic.take(subscription, limit - news.length);
      news.push(...entries.filter((entry) => isNews(entry, resumption)));
      if (subscription.position >= resumption.position) joined.resumption = undefined;
      if (joined.resumption === undefined || entries.length === 0 || news.length === limit) return news;
    }
  }

  #toldAll(): boolean {
    if (!isRead(this.#own)) return false;
    return [...this.#joined.values()].every(
      ({ telling, completed }) => telling === 'topic' || (telling !== 'later' && completed),
    );
  }
}

function isRead({ topic, subscription }: Reading): boolean {
  return subscription.position === topic.position;
}

function stated({ value: goal, removed }: Entry<Goal>): StatedGoal {
  return { goal, removed };
}
