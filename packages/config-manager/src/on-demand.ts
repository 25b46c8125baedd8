import type { Goal, HostRequest_ResourceStateRequest as Question, LearntNeighbor } from '@alcor/contract';
import { formatIp, parseIp } from '@alcor/network';
import { type Bus, type Clock, createWakeup, type Subscription, type Timer, type Topic } from '@alcor/runtime';
import { type Answer, invalid, later, learntLifetimeMs, refused } from './answer.ts';
import type { Learner } from './learner.ts';
import { mayReach } from './may-reach.ts';
import { type Found, type PredictionCounters, type PredictionOptions, Predictor } from './predictor.ts';
import { type Place, placeFor } from './routes.ts';
import { type Introduce, ToldVpc } from './told-vpc.ts';
import { type NeighborChange, RemoteGroups, type VpcDirectory } from './vpc-directory.ts';

export interface OnDemandOptions {
  /** Topic `vpc/ID`: what every host in the VPC must know. */
  readonly goals: Bus<Goal>;
  readonly clock: Clock;
  /** Without: no other process speaks for hosts. */
  readonly introduce?: Introduce;
  /** Without: nothing is told before it is asked for. */
  readonly prediction?: PredictionOptions;
}

/** How much is followed and learnt, and what came of questions since the start. */
export interface OnDemandCounters {
  readonly vpcs: number;
  readonly neighbors: number;
  /** Neighbours that hosts hold, summed over hosts. */
  readonly learnt: number;
  /** How many neighbours hosts may hold before further questions are put off. */
  readonly learntAtMost: number;
  readonly answers: { readonly [S in Answer['status']]: number };
  readonly prediction: PredictionCounters;
}

/** How long a host's word stands that it does not use what it has learnt: hosts say it again, as long as it is so. */
const idleMs = 40_000;
const learntAtMost = 8_000_000;
/** A VPC of which no more than this would be learnt if every host kept all that it was told is left to hosts as it is. */
const keptAtMost = 2_000_000;
const entriesAtOnce = 2_000;
/** A VPC that no host is in any more is followed for as long: sessions end and begin. */
const lingerMs = 60_000;

interface Followed {
  readonly told: ToldVpc;
  readonly topic: Topic<Goal>;
  readonly subscription: Subscription;
  /** Position up to which everything was there when it began to be followed. */
  readonly wholeAt: number;
  readonly waiting: (() => void)[];
  closing: Timer | undefined;
}

/** Of a question that can be answered: what its rules were asked about. */
interface Asked extends Found {
  /** Who sends, if that is a port of the network that is asked about. */
  readonly source: Place | undefined;
}

/**
 * Answers hosts of VPCs that go on demand, and keeps what they learnt: whoever may send to a neighbour is told of it, and told again when it
 * changes; nobody else is.
 */
export class OnDemand {
  readonly #options: OnDemandOptions;
  readonly #vpcs = new Map<string, Followed>();
  readonly #byVni = new Map<number, Followed>();
  readonly #learners = new Map<string, Learner>();
  readonly #remoteGroups = new RemoteGroups();
  /** Neighbours that hosts hold, summed over hosts. */
  readonly #learnt = { size: 0 };
  readonly #stirred = new Set<Followed>();
  readonly #wakeup = createWakeup();
  readonly #answers = { routable: 0, 'not-routable': 0, later: 0, invalid: 0 };
  readonly #predictor: Predictor<Asked>;

  constructor(options: OnDemandOptions) {
    this.#options = options;
    const { clock, prediction } = options;
    this.#predictor = new Predictor({
      clock,
      prediction,
      find: (hostId, question) => this.#find(hostId, question),
      meet: (asked) => this.#meet(asked),
      told: (vpcId) => this.#vpcs.get(vpcId)?.told,
    });
  }

  get counters(): OnDemandCounters {
    const all = [...this.#vpcs.values()];
    const neighbors = all.reduce((sum, { told }) => sum + told.directory.size, 0);
    return {
      vpcs: all.length,
      neighbors,
      learnt: this.#learnt.size,
      learntAtMost,
      answers: { ...this.#answers },
      prediction: this.#predictor.counters,
    };
  }

  /** A stream to the host has begun; it may ask from now on. */
  enter(learner: Learner): void {
    this.#learners.set(learner.hostId, learner);
  }

  exit(learner: Learner): void {
    if (this.#learners.get(learner.hostId) === learner) this.#learners.delete(learner.hostId);
  }

  /** Resolves when everything of the VPC is known, so that hosts can be told of it on demand. */
  whole(vpcId: string): Promise<void> {
    const vpc = this.#follow(vpcId);
    if (isWhole(vpc)) return Promise.resolve();
    return new Promise((resolve) => vpc.waiting.push(resolve));
  }

  /**
   * The host is told of the VPC on demand. `kept`: what it holds by the ids of neighbours, or everything; it is told what is meant by those that
   * are there now, as learnt, unless that is too much.
   */
  join(vpcId: string, learner: Learner, kept: Iterable<string> | 'everything'): void {
    const vpc = this.#follow(vpcId);
    const { directory, interest, learners } = vpc.told;
    vpc.closing?.cancel();
    vpc.closing = undefined;
    learners.set(learner.hostIp, learner);
    for (const other of interest.acquaintances(learner.hostIp)) vpc.told.tellMembers(learner.hostIp, other);
    vpc.told.meetGateways(learner.hostIp);
    const isTooMuch = kept === 'everything' && directory.size * directory.hosts > keptAtMost;
    const ids = kept === 'everything' ? [...directory.neighbors()].map(({ id }) => id) : kept;
    for (const id of isTooMuch ? [] : ids) {
      const neighbor = directory.neighbor(id);
      if (neighbor === undefined) continue;
      vpc.told.tell(learner.hostIp, neighbor);
      vpc.told.acquaint(learner.hostIp, neighbor.hostIpAddress);
    }
    this.#predictor.join(vpc.told, learner.hostIp);
  }

  /** What the host holds of the VPC by having learnt it. */
  held(vpcId: string, learner: Learner): ReadonlySet<string> {
    return this.#vpcs.get(vpcId)?.told.interest.held(learner.hostIp) ?? new Set();
  }

  /** The host is not told of the VPC on demand any more. */
  leave(vpcId: string, learner: Learner): void {
    const vpc = this.#vpcs.get(vpcId);
    if (vpc?.told.learners.get(learner.hostIp) !== learner) return;
    vpc.told.learners.delete(learner.hostIp);
    vpc.told.interest.removeHost(learner.hostIp);
    vpc.told.forgetHost(learner.hostIp);
    if (vpc.told.learners.size === 0) vpc.closing ??= this.#options.clock.timer(lingerMs, () => this.#close(vpc));
  }

  /**
   * Nothing on the host uses these neighbours. It need not hold them any longer; but by members of remote groups it is judged what may come in, so
   * those of another host it forgets when nothing on either uses the other.
   */
  idle(vpcId: string, learner: Learner, idle: readonly Pick<LearntNeighbor, 'id' | 'used'>[]): void {
    const vpc = this.#vpcs.get(vpcId);
    if (vpc?.told.learners.get(learner.hostIp) !== learner) return;
    const { directory, interest } = vpc.told;
    const now = this.#options.clock.now();
    const others = new Set<string>();
    for (const { id, used } of idle) {
      const neighbor = directory.neighbor(id);
      if (neighbor === undefined || !interest.held(learner.hostIp).has(id)) continue;
      this.#predictor.idle(learner, vpcId, { id, used });
      interest.noteIdle(learner.hostIp, id, now);
      if (this.#remoteGroups.has(neighbor)) {
        if (!directory.gateways.includes(neighbor.hostIpAddress)) others.add(neighbor.hostIpAddress);
      } else vpc.told.takeBack(learner.hostIp, [id]);
    }
    for (const other of others) {
      const since = now - idleMs;
      const isIdle = interest.isIdle(learner.hostIp, directory.on(other), since);
      if (isIdle && interest.isIdle(other, directory.on(learner.hostIp), since)) vpc.told.part(learner.hostIp, other);
    }
  }

  /** Answers one question of a host, and has those told whom it concerns. */
  ask(hostId: string, question: Question): Answer {
    const asked = this.#find(hostId, question);
    const answer = 'status' in asked ? asked : this.#answer(asked);
    this.#answers[answer.status]++;
    return answer;
  }

  /** Whose network has this VNI: the project, as far as it is known. */
  tenantOf(vni: number): string {
    const { projectId, id } = this.#byVni.get(vni)?.told.directory.vpc ?? {};
    return projectId || id || '';
  }

  /** Another process has acquainted a host of its own with this one: it is told what it has to know. Calls `done` when it has applied that. */
  introduced(hostId: string, { tunnelId, destinationIp }: Question, done: (answer: Answer) => void): void {
    const learner = this.#learners.get(hostId);
    const vpc = this.#byVni.get(tunnelId);
    const address = parseIp(destinationIp);
    if (address === null) return done(invalid(`destination_ip: '${destinationIp}' is no address`));
    if (learner === undefined || vpc?.told.learners.get(learner.hostIp) !== learner)
      return done(later('it is not here yet'));
    this.#take(vpc);
    const neighbor = vpc.told.directory.at(formatIp(address));
    if (neighbor === undefined) return done(later('nothing has the address yet'));
    const { id: neighborId, hostIpAddress } = neighbor;
    if (vpc.told.interest.acquaint(learner.hostIp, hostIpAddress)) vpc.told.tellMembers(learner.hostIp, hostIpAddress);
    learner.afterApplied(() => done({ status: 'routable', neighborId, lifetimeMs: learntLifetimeMs }));
    return undefined;
  }

  /** Follows the topics of VPCs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const vpc of this.#stirred) this.#take(vpc);
      // Where much is new, others get their turn in between.
      if (this.#stirred.size > 0) await this.#options.clock.sleep(0, signal).catch(() => undefined);
      else await this.#wakeup.wait(signal);
    }
    for (const vpc of this.#vpcs.values()) this.#close(vpc);
  }

  #answer(asked: Asked): Answer {
    this.#meet(asked);
    this.#predictor.learn(asked);
    return { status: 'routable', neighborId: asked.place.neighbor.id, lifetimeMs: learntLifetimeMs };
  }

  /** Whom the host looks for, if it may know. */
  #find(hostId: string, { tunnelId, sourceIp, destinationIp }: Question): Asked | Answer {
    const destination = parseIp(destinationIp);
    if (destination === null) return invalid(`destination_ip: '${destinationIp}' is no address`);
    const asker = this.#learners.get(hostId);
    if (asker === undefined) return later('no goal states are told to this host from here');
    const vpc = this.#byVni.get(tunnelId);
    if (vpc?.told.learners.get(asker.hostIp) !== asker) {
      return later(`the host is in no network with VNI ${tunnelId} that is told on demand`);
    }
    this.#take(vpc);
    const directories = (vpcId: string): VpcDirectory | undefined => this.#vpcs.get(vpcId)?.told.directory;
    const place = placeFor(vpc.told.directory, destination, directories);
    if (place === undefined) {
      return isWhole(vpc) ? refused('nothing has the address') : later('the network is not known whole yet');
    }
    const address = parseIp(sourceIp);
    const neighbor = address === null ? undefined : vpc.told.directory.at(formatIp(address));
    // A packet that a router has put into the VPC comes from another one: the hosts judge it.
    const source = neighbor === undefined ? undefined : { directory: vpc.told.directory, neighbor };
    if (source !== undefined && !mayReach({ ...source, address: address! }, { ...place, address: destination })) {
      return refused('no rule of the security groups and network ACLs lets the two speak');
    }
    if (this.#learnt.size >= learntAtMost) return later('too much is learnt');
    const from = source ?? (address === null ? undefined : placeFor(vpc.told.directory, address, directories));
    return { asker, source, place, port: from?.neighbor, destination: { tunnelId, address: formatIp(destination) } };
  }

  /** The asker learns the destination; its host learns the source first, where it is by the source's groups that it lets packets in. */
  #meet({ asker, source, place: { directory, neighbor } }: Asked): void {
    const vpc = this.#vpcs.get(directory.vpcId)!;
    const there = neighbor.hostIpAddress;
    const teach = (): void => this.#teach(vpc, asker, neighbor.id);
    const isIntroduced = vpc.told.acquaint(asker.hostIp, there, source === undefined ? undefined : teach);
    const from = source === undefined ? undefined : this.#vpcs.get(source.directory.vpcId);
    const isJudged = source !== undefined && this.#remoteGroups.has(source.neighbor);
    if (source !== undefined && from !== undefined) {
      if (from !== vpc) from.told.acquaint(asker.hostIp, there);
      // Otherwise it only saves the way back a question of its own.
      from.told.tell(there, source.neighbor, isJudged ? 'now' : 'soon');
    }
    const other = vpc.told.learners.get(there);
    if (isJudged && other !== undefined && other !== asker) other.afterApplied(teach);
    else if (!isIntroduced) teach();
  }

  /** Has the asker learn the neighbour as it is now, also if it holds it: then it would not have asked. */
  #teach(vpc: Followed, asker: Learner, id: string): void {
    const neighbor = vpc.told.directory.neighbor(id);
    const isThere = vpc.told.learners.get(asker.hostIp) === asker;
    if (neighbor !== undefined && isThere) vpc.told.tell(asker.hostIp, neighbor, 'again');
  }

  #follow(vpcId: string): Followed {
    const known = this.#vpcs.get(vpcId);
    if (known !== undefined) return known;
    const { goals, introduce } = this.#options;
    const topic = goals.topic(`vpc/${vpcId}`);
    const stir = (): void => {
      this.#stirred.add(vpc);
      this.#wakeup.raise();
    };
    const vpc: Followed = {
      told: new ToldVpc({ vpcId, remoteGroups: this.#remoteGroups, learnt: this.#learnt, introduce }),
      topic,
      subscription: topic.subscribe(stir),
      wholeAt: topic.position,
      waiting: [],
      closing: undefined,
    };
    this.#vpcs.set(vpcId, vpc);
    stir();
    return vpc;
  }

  #close(vpc: Followed): void {
    const { told, subscription, closing } = vpc;
    const { directory, interest, learners } = told;
    closing?.cancel();
    subscription.close();
    for (const host of learners.keys()) interest.removeHost(host);
    directory.close();
    this.#vpcs.delete(directory.vpcId);
    this.#stirred.delete(vpc);
    const vni = directory.vpc?.tunnelId ?? 0;
    if (this.#byVni.get(vni) === vpc) this.#byVni.delete(vni);
  }

  /** Takes what is new in the VPC's topic, as much as is good at once. */
  #take(vpc: Followed): void {
    const { told, topic, subscription, waiting } = vpc;
    const isNews = isWhole(vpc);
    for (const entry of topic.take(subscription, entriesAtOnce)) {
      const change = told.directory.take(entry);
      if (entry.value.kind === 'vpc') this.#noteVni(vpc);
      if (change === 'members') told.tellNewMembers();
      else if (change === 'gateway') for (const host of told.learners.keys()) told.meetGateways(host);
      else if (change !== undefined) {
        told.spread(change);
        if (isNews) this.#noteArrival(told, change);
      }
    }
    if (subscription.position === topic.position) this.#stirred.delete(vpc);
    if (isWhole(vpc)) for (const resolve of waiting.splice(0)) resolve();
  }

  #noteArrival(told: ToldVpc, { before, after }: NeighborChange): void {
    if (after !== undefined && after.hostIpAddress !== before?.hostIpAddress) this.#predictor.arrive(told, after);
  }

  #noteVni(vpc: Followed): void {
    const vni = vpc.told.directory.vpc?.tunnelId;
    if (vni !== undefined) this.#byVni.set(vni, vpc);
  }
}

function isWhole({ subscription, wholeAt }: Followed): boolean {
  return subscription.position >= wholeAt;
}
