import {
  emptyGoalState,
  type GoalStateOperationReply,
  type GoalStateOperationReply_GoalStateOperationStatus as OperationReport,
  type GoalStateV2,
  pushGoalStatesStream,
  topicOf,
} from '@alcor/contract';
import { aborted, createWakeup, type Keepalive, reliable, type Stream, type Wakeup } from '@alcor/runtime';
import type { Admission } from './admission.ts';
import type { ConfigManagerOptions, ManagedHost } from './config-manager.ts';
import { HostGoals, type Outgoing, type Progress } from './host-goals.ts';
import { HostLearner } from './host-learner.ts';
import { HostReport } from './host-report.ts';
import type { OnDemand } from './on-demand.ts';
import type { Pace } from './pace.ts';
import { Subscriber } from './subscriber.ts';
import type { TopicDigests } from './topic-digests.ts';

/** How long a host may take to say what it holds, in ms; then it is told everything. */
const offerMs = 5_000;
const firstRetryMs = 200;
const lastRetryMs = 5_000;
/** Of a gateway host, of which there are few. */
const gatewayKeepalive: Keepalive = { everyMs: 1_000, answerMs: 2_000 };

/** How a host stands with its config manager. */
export interface HostState {
  readonly state: 'connecting' | 'synchronising' | 'synchronised' | 'unreachable';
  /** Why, when unreachable or without its switch. */
  readonly reason: string;
  /** Its agent has no switch to work on. */
  readonly switchAway: boolean;
  readonly ports: number;
  readonly vpcs: number;
}

/**
 * Of one topic: the position that the host should be at, the one that it has been told of and the one that it has confirmed to have
 * applied. Positions of a topic that the host reads itself are the message queue's, others this process's own.
 */
export interface TopicProgress extends Progress {
  readonly applied: number;
}

export interface VpcProgress extends TopicProgress {
  readonly vpcId: string;
  readonly channel: 'grpc' | 'on-demand' | 'subscribing' | 'mq';
  /** Why the host does not read the VPC's topic, though it should. */
  readonly reason: string;
}

/** What one host should hold, has been told and holds. */
export interface GoalStates {
  readonly hostId: string;
  readonly state: HostState;
  /** What only this host is told: its ports. */
  readonly own: TopicProgress;
  readonly vpcs: readonly VpcProgress[];
  /** What went wrong, by resource; the host's words. */
  readonly failures: readonly OperationReport[];
  /** Failures that there was no room for. */
  readonly failuresLeftOut: number;
}

/** What the sessions of one process share. */
export interface SharedBySessions {
  readonly digests: TopicDigests;
  readonly onDemand: OnDemand;
  readonly pace: Pace;
  /** Where hosts ask for neighbours; empty: nowhere, and they are told all of them. */
  readonly requestAddress: () => string;
  /** To open a stream for the first time. */
  readonly opening: Admission;
  /** To open one anew. */
  readonly reopening: Admission;
  /** To tell a host all that it must know. */
  readonly telling: Admission;
}

export interface HostSessionOptions extends ConfigManagerOptions {
  readonly shared: SharedBySessions;
  /** The host has come into the VPC or left it. */
  readonly onMembership: (vpcId: string, joined: boolean) => void;
  /** How far the host has read a topic of the queue, and how far anybody has. */
  readonly topicProgress: (topic: string, hostId: string) => TopicProgress;
  readonly onSubscriptions: (hostId: string, reply: GoalStateOperationReply) => void;
}

type GoalStream = Stream<GoalStateV2, GoalStateOperationReply>;

/** What lasts as long as one stream. */
interface Conversation {
  readonly stream: GoalStream;
  readonly goals: HostGoals;
  readonly subscriber: Subscriber;
  readonly learner: HostLearner;
  readonly wakeup: Wakeup;
  /** Aborts when the host has said what it holds. */
  readonly heard: AbortController;
  /** Sequence of the message with which the host has been told everything. */
  completeAt: number;
}

/** Keeps one host at what the topics say, through as many streams as it takes. */
export class HostSession {
  readonly #host: ManagedHost;
  readonly #options: HostSessionOptions;
  readonly #report = new HostReport();
  #conversation: Conversation | undefined;
  #opened = false;
  #state: HostState = { state: 'connecting', reason: '', switchAway: false, ports: 0, vpcs: 0 };

  constructor(host: ManagedHost, options: HostSessionOptions) {
    this.#host = host;
    this.#options = options;
  }

  get state(): HostState {
    return this.#state;
  }

  /** The channel of a VPC that the host is in has changed. */
  reconsider(vpcId: string): void {
    this.#conversation?.subscriber.reconsider(vpcId);
  }

  /** Tells the host again what it should hold: of one VPC, or everything. */
  again(vpcId?: string): void {
    const { goals, subscriber, learner } = this.#conversation ?? {};
    for (const each of vpcId === undefined ? (goals?.vpcs ?? []) : [vpcId]) {
      goals?.again(each);
      learner?.again(each);
      subscriber?.again(each);
    }
  }

  describe(): GoalStates {
    const { goals, subscriber } = this.#conversation ?? {};
    const { id: hostId } = this.#host;
    const ofStream = (topic: string, progress: Progress | undefined): TopicProgress => ({
      ...(progress ?? { sent: 0, wanted: 0 }),
      applied: this.#report.applied(topic),
    });
    const vpcs = (goals?.vpcs ?? []).map((vpcId): VpcProgress => {
      const how = subscriber?.describe(vpcId) ?? { channel: 'grpc' as const, reason: '' };
      const progress = goals?.progress(vpcId);
      if (goals?.telling(vpcId) === 'on-demand')
        return { vpcId, channel: 'on-demand', reason: '', ...ofStream(`vpc/${vpcId}/common`, progress) };
      if (how.channel === 'mq') return { vpcId, ...how, ...this.#options.topicProgress(topicOf(vpcId), hostId) };
      return { vpcId, ...how, ...ofStream(`vpc/${vpcId}`, progress) };
    });
    const own = ofStream(`host/${hostId}`, goals?.progress());
    const { failures, failuresLeftOut } = this.#report;
    return { hostId, state: this.#state, own, vpcs, failures, failuresLeftOut };
  }

  /** Never rejects: a host that cannot be reached is tried until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options.runtime;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const started = clock.now();
      const reason = await this.#converse(signal).then(
        () => 'the agent closed the stream',
        (error: unknown) => describe(error),
      );
      if (signal.aborted) return;
      if (this.#state.state !== 'unreachable') this.#options.log(`lost host ${this.#host.id}: ${reason}`);
      this.#state = { ...this.#state, state: 'unreachable', reason };
      if (clock.now() - started > lastRetryMs) retryMs = firstRetryMs;
      await clock.sleep(retryMs * (0.5 + random.next()), signal).catch(() => {});
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    }
  }

  /** One stream, from the first goal to its end. */
  async #converse(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const conversation = this.#begin(await this.#open(until), until);
    this.#conversation = conversation;
    this.#report.begin();
    this.#state = { state: 'synchronising', reason: '', switchAway: false, ports: 0, vpcs: 0 };
    try {
      await Promise.race([this.#tell(conversation, until), this.#hear(conversation)]);
    } finally {
      over.abort('over');
      this.#end(conversation);
    }
  }

  /** When all hosts are to be reached at once, each has to wait for its turn; those that are lost keep nobody waiting who is new. */
  async #open(signal: AbortSignal): Promise<GoalStream> {
    const { runtime, shared } = this.#options;
    const leave = await (this.#opened ? shared.reopening : shared.opening).enter(signal);
    this.#opened = true;
    try {
      const { agentAddress, gateway } = this.#host;
      const keepalive = gateway === true ? gatewayKeepalive : undefined;
      const wire = await runtime.transport.open(pushGoalStatesStream, agentAddress, signal, keepalive);
      return reliable(wire, { clock: runtime.clock, empty: emptyGoalState });
    } finally {
      leave();
    }
  }

  /** By what right, then, once the host has answered with what it is subscribed to and what it holds, what it has to know. */
  async #tell(conversation: Conversation, signal: AbortSignal): Promise<void> {
    const { stream, goals, learner, wakeup, heard } = conversation;
    const { runtime, shared } = this.#options;
    const { id: hostId, fence = 0 } = this.#host;
    await stream.send({ ...emptyGoalState(), fence, hostId, requestAddress: shared.requestAddress() });
    // What the host reads itself is judged by the VPCs that it is in.
    goals.look();
    // Where this process had no time for so long, the answer may be there and not yet read.
    const late = runtime.clock.timer(offerMs, () => void runtime.clock.sleep(0).then(() => heard.abort('no answer')));
    await aborted(AbortSignal.any([heard.signal, signal]));
    late.cancel();
    const leave = await shared.telling.enter(signal);
    // Once, and not for each message.
    signal.addEventListener('abort', wakeup.raise, { once: true });
    try {
      for (let sequence = 2; !signal.aborted;) {
        const outgoing: Outgoing | undefined = goals.next();
        this.#noteSize(goals);
        if (outgoing === undefined) {
          await wakeup.wait();
          continue;
        }
        const { complete } = outgoing.message;
        if (complete) conversation.completeAt = sequence;
        this.#report.sent(sequence, outgoing.positions);
        learner.sent(sequence);
        await stream.send(outgoing.message);
        if (complete) leave();
        sequence++;
      }
    } finally {
      leave();
    }
  }

  #noteSize({ ports, vpcCount: vpcs }: HostGoals): void {
    if (this.#state.ports !== ports || this.#state.vpcs !== vpcs) this.#state = { ...this.#state, ports, vpcs };
  }

  async #hear(conversation: Conversation): Promise<void> {
    const { stream, goals } = conversation;
    for await (const reply of stream.received) {
      this.#take(reply, conversation);
      if (reply.appliedSequence < conversation.completeAt || this.#state.state === 'synchronised') continue;
      this.#state = { ...this.#state, state: 'synchronised' };
      this.#options.log(`host ${this.#host.id} is synchronised: ${goals.ports} ports in ${goals.vpcCount} VPCs`);
    }
  }

  #begin(stream: GoalStream, signal: AbortSignal): Conversation {
    const { runtime, channels, queueUrl, goals: bus, shared, onMembership, log } = this.#options;
    const wakeup = createWakeup();
    const heard = new AbortController();
    const isOnDemand = (vpcId: string): boolean =>
      channels?.get(vpcId)?.channel === 'on-demand' && shared.requestAddress() !== '' && !goals.isGateway(vpcId);
    const subscriber: Subscriber = new Subscriber(
      {
        host: this.#host,
        runtime,
        queueUrl: queueUrl ?? '',
        wantsTopic: (vpcId) => channels?.get(vpcId)?.channel === 'mq',
        tell: (vpcId, telling) => {
          if (telling === 'stream' && isOnDemand(vpcId)) return learner.begin(vpcId);
          learner.end(vpcId);
          return goals.tell(vpcId, telling);
        },
        again: (vpcId) => {
          goals.again(vpcId);
          learner.again(vpcId);
        },
        sayLeft: (vpcId) => goals.sayLeft(vpcId),
        log,
      },
      signal,
    );
    const goals: HostGoals = new HostGoals({
      hostId: this.#host.id,
      goals: bus,
      digests: shared.digests,
      wake: wakeup.raise,
      onJoin: (vpcId) => {
        onMembership(vpcId, true);
        const telling = subscriber.join(vpcId);
        if (telling !== 'stream' || !isOnDemand(vpcId)) return telling;
        learner.begin(vpcId);
        return 'later';
      },
      onLeave: (vpcId) => {
        onMembership(vpcId, false);
        for (const topic of [`vpc/${vpcId}`, `vpc/${vpcId}/common`]) this.#report.forget(topic);
        learner.end(vpcId);
        subscriber.leave(vpcId);
      },
      onShare: (vpcId) => subscriber.reconsider(vpcId),
    });
    const { onDemand, pace } = shared;
    const learner = new HostLearner({
      host: this.#host,
      onDemand,
      goals,
      clock: runtime.clock,
      pace,
      heard: heard.signal,
    });
    return { stream, goals, subscriber, learner, wakeup, heard, completeAt: Number.POSITIVE_INFINITY };
  }

  #take(reply: GoalStateOperationReply, { subscriber, goals, learner, heard }: Conversation): void {
    this.#report.take(reply);
    this.#noteSwitch(reply.switchAway);
    learner.take(reply);
    // A first reply that comes when the host is being told already is like later ones: what the host speaks of is told from nothing.
    if (heard.signal.aborted) {
      for (const { vpcId } of reply.heldVpcs) {
        goals.again(vpcId);
        learner.again(vpcId);
      }
    } else {
      goals.offer(reply.heldVpcs);
      learner.offer(reply.heldVpcs);
    }
    // With a reason, because to make an error with its stack for every host would cost as much as the rest.
    heard.abort('answered');
    for (const report of reply.operationStatuses) this.#options.onReport(this.#host.id, report);
    if (reply.subscriptions.length === 0 && !reply.allSubscriptions) return;
    this.#options.onSubscriptions(this.#host.id, reply);
    subscriber.take(reply.subscriptions, reply.allSubscriptions);
  }

  #noteSwitch(switchAway: boolean): void {
    if (switchAway === this.#state.switchAway) return;
    this.#state = { ...this.#state, switchAway, reason: switchAway ? 'its agent has no switch to work on' : '' };
    this.#options.log(`host ${this.#host.id} ${switchAway ? 'has lost its switch' : 'has its switch again'}`);
  }

  #end({ goals, learner, stream }: Conversation): void {
    this.#conversation = undefined;
    learner.close();
    for (const vpcId of goals.vpcs) this.#options.onMembership(vpcId, false);
    goals.close();
    stream.close();
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
