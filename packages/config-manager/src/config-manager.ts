import type { Goal, GoalStateOperationReply_GoalStateOperationStatus as OperationReport } from '@alcor/contract';
import { type Bus, createWakeup, type Runtime, type Topic } from '@alcor/runtime';
import { Admission } from './admission.ts';
import type { FairTurns } from './fair-turns.ts';
import { type GoalStates, HostSession, type HostState, type SharedBySessions } from './host-session.ts';
import { Introductions, type Peer } from './introductions.ts';
import { OnDemand, type OnDemandCounters } from './on-demand.ts';
import { Pace } from './pace.ts';
import { answersRequests, questionTurns } from './requests.ts';
import { TopicDigests } from './topic-digests.ts';
import { type TopicInformation, Topics } from './topic-information.ts';

/** How many hosts are reached, and told all that they must know, at once: more would only wait for each other, with what they are told. */
const atOnce = 16;
/** One that does not answer keeps others waiting for so long at most, in ms. */
const openingMs = 1_000;
/** Of hosts that were lost more are reached for at once, for many of them may be dead; each keeps others waiting for so long at most. */
const againAtOnce = 64;
const reopeningMs = 250;
/** One that takes its time over what it is told. */
const tellingMs = 5_000;

/** Neighbours that a port is told before it asks, at most, if nobody says otherwise. */
export const predictedPerPort = 16;

export interface ManagedHost {
  readonly id: string;
  readonly agentAddress: string;
  /** Underlay address: where neighbours say that they are. */
  readonly ip?: string;
  /** Others' packets go by it: that it is gone is to be noticed within seconds. */
  readonly gateway?: boolean;
  /** The right to speak for the host, where several processes share the hosts: the highest counts. */
  readonly fence?: number;
}

export interface ConfigManagerOptions {
  readonly runtime: Runtime;
  /** Topic `host/ID`: what one host must know; `vpc/ID`: what every host in the VPC must; `vpc/ID/routers`: its routers once more. */
  readonly goals: Bus<Goal>;
  /** The hosts that this process speaks for. */
  readonly hosts: Topic<ManagedHost>;
  /** By which channel each VPC goes; one that is not there goes by gRPC. */
  readonly channels?: Topic<{ readonly channel: 'grpc' | 'mq' | 'on-demand' }>;
  /** Who else speaks for the host with this underlay address; undefined: nobody. Without it this process speaks for all hosts. */
  readonly peerAt?: (hostIp: string) => Peer | undefined;
  /** Neighbours that a port which comes to a host of a VPC on demand is told before it asks, at most; 0: none. */
  readonly predictedPerPort?: number;
  /** Where hosts find the message queue. */
  readonly queueUrl?: string;
  /** What a host says became of its goals. */
  readonly onReport: (hostId: string, report: OperationReport) => void;
  readonly log: (message: string, error?: unknown) => void;
}

interface Managed {
  readonly session: HostSession;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** The network configuration manager: one session per registered host, which keeps the host at what the topics say. */
export class ConfigManager {
  readonly #options: ConfigManagerOptions;
  readonly #managed = new Map<string, Managed>();
  /** The hosts that are in each VPC, so that a VPC's change of channel costs its hosts. */
  readonly #hostsIn = new Map<string, Set<string>>();
  readonly #topics = new Topics();
  readonly #shared: SharedBySessions;
  readonly #introductions: Introductions;
  readonly #questionTurns: FairTurns;
  readonly #onDemand: OnDemand;
  #requestAddress = '';

  constructor(options: ConfigManagerOptions) {
    this.#options = options;
    const { clock } = options.runtime;
    const { runtime, log, goals } = options;
    const peerAt = (hostIp: string): Peer | undefined => {
      const peer = options.peerAt?.(hostIp);
      return peer?.address === this.#requestAddress ? undefined : peer;
    };
    this.#introductions = new Introductions({ runtime, peerAt, log });
    const introduce = this.#introductions.introduce.bind(this.#introductions);
    this.#questionTurns = questionTurns(clock);
    const prediction = { perPort: options.predictedPerPort ?? predictedPerPort, questions: this.#questionTurns };
    this.#onDemand = new OnDemand({ goals, clock, introduce, prediction });
    this.#shared = {
      digests: new TopicDigests(),
      onDemand: this.#onDemand,
      pace: new Pace(),
      requestAddress: () => this.#requestAddress,
      opening: new Admission({ clock, places: atOnce, keptMs: openingMs }),
      reopening: new Admission({ clock, places: againAtOnce, keptMs: reopeningMs }),
      telling: new Admission({ clock, places: atOnce, keptMs: tellingMs }),
    };
  }

  /** How the host stands; undefined for a host that is not registered, or another process's. */
  host(id: string): HostState | undefined {
    return this.#managed.get(id)?.session.state;
  }

  /** The hosts that answer now. */
  get connected(): readonly string[] {
    return [...this.#managed].flatMap(([id, { session }]) =>
      session.state.state === 'synchronising' || session.state.state === 'synchronised' ? [id] : [],
    );
  }

  /** How many hosts this process speaks for, by how they stand. */
  get hostStates(): { readonly [S in HostState['state']]: number } {
    const counts = { connecting: 0, synchronising: 0, synchronised: 0, unreachable: 0 };
    for (const { session } of this.#managed.values()) counts[session.state.state]++;
    return counts;
  }

  /** The topics of the message queue that hosts read, with each host's key and position. */
  topics(): readonly TopicInformation[] {
    return this.#topics.list();
  }

  /** Who reads this topic; undefined when nobody does. */
  topic(name: string): TopicInformation | undefined {
    return this.#topics.get(name);
  }

  /** What the host should hold, has been told and holds; undefined as for `host`. */
  goalStates(hostId: string): GoalStates | undefined {
    return this.#managed.get(hostId)?.session.describe();
  }

  /** What is followed for hosts that are told on demand, and what they asked. */
  get onDemand(): OnDemandCounters {
    return this.#onDemand.counters;
  }

  /** Answers hosts at this address until `signal` aborts; those that are reached from then on are told so. Resolves with the address. */
  async answer(address: string, signal: AbortSignal): Promise<string> {
    const { runtime } = this.#options;
    const answers = answersRequests(this.#onDemand, this.#questionTurns, runtime);
    this.#requestAddress = await runtime.transport.serve(address, [answers], signal);
    return this.#requestAddress;
  }

  /** The hosts that are in the VPC. */
  hostsIn(vpcId: string): readonly string[] {
    return [...(this.#hostsIn.get(vpcId) ?? [])];
  }

  /** Tells a host again what it should hold, of one VPC or everything; false as for `host`. */
  repush(hostId: string, vpcId?: string): boolean {
    const managed = this.#managed.get(hostId);
    managed?.session.again(vpcId);
    return managed !== undefined;
  }

  /** Runs until `signal` aborts; begin when the topics are complete, because a session tells its host when it has said all. */
  async run(signal: AbortSignal): Promise<void> {
    this.#introductions.start(signal);
    await Promise.all([this.#followHosts(signal), this.#followChannels(signal), this.#onDemand.run(signal)]);
    await Promise.all([...this.#managed.keys()].map((id) => this.#release(id)));
  }

  async #followHosts(signal: AbortSignal): Promise<void> {
    const { hosts } = this.#options;
    const wakeup = createWakeup();
    const subscription = hosts.subscribe(wakeup.raise);
    while (!signal.aborted) {
      const entries = hosts.take(subscription, 1_000);
      await Promise.all(entries.map(({ key }) => this.#release(key)));
      for (const { value, removed } of entries) if (!removed && !signal.aborted) this.#manage(value, signal);
      if (subscription.position === hosts.position) await wakeup.wait(signal);
    }
    subscription.close();
  }

  async #followChannels(signal: AbortSignal): Promise<void> {
    const { channels } = this.#options;
    if (channels === undefined) return;
    const wakeup = createWakeup();
    const subscription = channels.subscribe(wakeup.raise);
    while (!signal.aborted) {
      for (const { key: vpcId } of channels.take(subscription, 1_000)) {
        for (const hostId of this.#hostsIn.get(vpcId) ?? []) this.#managed.get(hostId)?.session.reconsider(vpcId);
      }
      if (subscription.position === channels.position) await wakeup.wait(signal);
    }
    subscription.close();
  }

  #manage(host: ManagedHost, signal: AbortSignal): void {
    const stop = new AbortController();
    const session = new HostSession(host, {
      ...this.#options,
      shared: this.#shared,
      onMembership: (vpcId, joined) => this.#noteMembership(vpcId, host.id, joined),
      topicProgress: (topic, hostId) => this.#topics.progress(topic, hostId),
      onSubscriptions: (hostId, { subscriptions, allSubscriptions }) =>
        this.#topics.take(hostId, subscriptions, allSubscriptions),
    });
    const done = session.run(AbortSignal.any([signal, stop.signal]));
    this.#managed.set(host.id, { session, stop, done });
  }

  #noteMembership(vpcId: string, hostId: string, joined: boolean): void {
    const hosts = this.#hostsIn.get(vpcId) ?? new Set<string>();
    if (joined) hosts.add(hostId);
    else hosts.delete(hostId);
    if (hosts.size === 0) this.#hostsIn.delete(vpcId);
    else this.#hostsIn.set(vpcId, hosts);
  }

  async #release(id: string): Promise<void> {
    const managed = this.#managed.get(id);
    if (managed === undefined) return;
    this.#managed.delete(id);
    managed.stop.abort();
    await managed.done;
    this.#topics.removeHost(id);
  }
}
