import {
  type GoalState,
  type GoalStateOperationReply,
  type GoalStateV2,
  type LearntNeighbor,
  type NodeSubscribeInfo,
  OperationStatus,
  pushGoalStatesStream,
  pushNetworkResourceStates,
  pushNodeSubscribeInfo,
  type StatedGoal,
  SubscribeOperation,
  SubscribeOperationReply,
} from '@alcor/contract';
import {
  answering,
  CallRefused,
  handler,
  type Handler,
  type MessageQueue,
  reliable,
  type Runtime,
} from '@alcor/runtime';
import type { Duplex } from 'node:stream';
import { Dataplane, type PacketIn, type Switch } from './dataplane/index.ts';
import type { AskUpstream } from './dns/forwarder.ts';
import { GuestServices, type MetadataGuest } from './guest-services.ts';
import { HeldState } from './held-state.ts';
import type { OnDemandLimits } from './on-demand-limits.ts';
import { OnDemand } from './on-demand.ts';
import { OutsideMachines } from './outside-machines.ts';
import { answersPortCounters } from './port-counters.ts';
import { Reports, successOf } from './reports.ts';
import { emptyReply, type GoalStream, Session } from './session.ts';
import type { StreamSource } from './sources.ts';
import { Subscriptions } from './subscriptions.ts';
import { goalsOfVersion1 } from './version1.ts';

export interface AgentOptions {
  readonly runtime: Runtime;
  readonly switch: Switch;
  /** This host's underlay address. */
  readonly hostIp: string;
  readonly log: (message: string, error?: unknown) => void;
  /** Connects to the message queue at a URL; without it the agent refuses to read topics, and is told everything by stream. */
  readonly openQueue?: (url: string) => MessageQueue;
  /** The message queue's URL where a config manager does not name one. */
  readonly queueUrl?: string;
  /** Asks others for names that are no port's; without it guests are refused. */
  readonly askUpstream?: AskUpstream;
  /** Speaks HTTP with guests that open a connection to their host; without it they are refused. */
  readonly metadata?: (stream: Duplex, guest: MetadataGuest) => void;
  /** Where what is bounded on demand is to be other than by default. */
  readonly onDemandLimits?: Partial<OnDemandLimits>;
  /** Told of every goal that is taken in, before it is programmed; for tools that watch. */
  readonly observe?: (goal: StatedGoal) => void;
}

/** The newest stream, as whoever takes over from it sees it. */
interface Current {
  readonly stop: AbortController;
  session: Session | undefined;
  done: Promise<void>;
}

/**
 * The host's agent: takes goal states, keeps the switch at them and says what became of each port. When the config manager is
 * away, what is in force stays in force (what was learnt on demand, for an hour) and subscribed topics are read on; after the agent's
 * own restart nothing is deleted before it has been told everything.
 */
export class Agent {
  readonly dataplane: Dataplane;
  readonly held: HeldState;
  readonly onDemand: OnDemand;
  readonly #options: AgentOptions;
  readonly #services: GuestServices;
  readonly #outside: OutsideMachines;
  readonly #reports: Reports;
  readonly #subscriptions: Subscriptions;
  /** What calls of version 1 told. */
  readonly #pushed: StreamSource;
  #current: Current | undefined;
  #hasFailed = false;
  /** The highest seen: who has a lower one has lost the right to speak for this host. */
  #fence = 0;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: AgentOptions) {
    this.#options = options;
    const { clock } = options.runtime;
    this.onDemand = new OnDemand({
      runtime: options.runtime,
      dataplane: {
        send: (packets) => this.dataplane.send(packets),
        uses: (match, signal) => this.dataplane.uses(match, signal),
      },
      // They are held until the stream takes them back: of other hosts' ports some say whom to let in.
      onIdle: (neighbors) => this.#current?.session?.tellIdle(neighbors),
      onExpired: (neighbors) => this.#forget(neighbors),
      log: options.log,
      ...(options.onDemandLimits === undefined ? {} : { limits: options.onDemandLimits }),
    });
    this.dataplane = new Dataplane({
      switch: options.switch,
      hostIp: options.hostIp,
      clock,
      onPortOutcome: (outcome) => this.#reports.outcome(outcome),
      onOutcomes: (outcomes) => this.onDemand.onOutcomes(outcomes),
      onPacket: (packet) => this.#onPacket(packet),
      onSwitch: () => this.#current?.session?.tellSwitch(),
      onServing: (addresses) => this.#outside.onServing(addresses),
    });
    this.held = new HeldState({
      sink: this.dataplane,
      learner: this.onDemand,
      clock,
      ...(options.observe === undefined ? {} : { observe: options.observe }),
      onForgotten: () => this.#flushForgotten(),
    });
    this.#services = new GuestServices({
      held: this.held,
      dataplane: this.dataplane,
      clock,
      random: options.runtime.random,
      askUpstream: options.askUpstream,
      metadata: options.metadata,
    });
    this.#outside = new OutsideMachines({ dataplane: this.dataplane, clock, log: options.log });
    this.#pushed = this.held.openStream();
    this.#reports = new Reports(this.held, (report) => this.#current?.session?.tell(report));
    this.#subscriptions = new Subscriptions({
      held: this.held,
      flush: (signal) => this.dataplane.flush(signal),
      openQueue: options.openQueue,
      queueUrl: options.queueUrl ?? '',
      log: options.log,
      onApplied: (goals, outcomes, verdicts) => void this.#reports.answer(goals, outcomes, verdicts),
      onReport: (report) => this.#current?.session?.tellSubscription(report),
    });
  }

  /** What a guest sends must not end the agent, whatever it is. Of failures the first is told: one is enough to mend it, and guests are many. */
  #onPacket(packet: PacketIn): void {
    try {
      if (!this.#outside.onPacket(packet) && !this.#services.onPacket(packet)) this.onDemand.onPacket(packet);
    } catch (error) {
      if (!this.#hasFailed) this.#options.log(`a packet out of the table ${packet.table} cannot be answered`, error);
      this.#hasFailed = true;
    }
  }

  /** Connects to the switch and serves the contract at `address`; resolves with the address once both stand. */
  async start(address: string, signal: AbortSignal): Promise<string> {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#subscriptions.close(), { once: true });
    this.onDemand.start(signal);
    this.#services.start(signal);
    this.#outside.start(signal);
    await this.dataplane.start(signal);
    return this.#options.runtime.transport.serve(address, this.#handlers(), signal);
  }

  #handlers(): Handler[] {
    return [
      handler(pushGoalStatesStream, (wire, signal) => this.#serve(wire, signal)),
      answering(pushNodeSubscribeInfo, (info, signal) => this.#subscribe(info, signal)),
      answering(pushNetworkResourceStates, (state, signal) => this.#push(state, signal)),
      answersPortCounters(this.dataplane),
    ];
  }

  /** A stream takes over from the one before with its first message, which says whether it may. */
  async #serve(wire: GoalStream, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.runtime;
    const stream = reliable(wire, { clock, empty: emptyReply });
    const messages = stream.received[Symbol.asyncIterator]();
    const first = await messages.next();
    if (first.done === true) return;
    this.#admit(first.value.fence);
    this.onDemand.address(first.value.requestAddress, first.value.hostId);
    await this.#takeOver(stream, from(first.value, messages), signal);
  }

  #admit(fence: number): void {
    if (fence < this.#fence)
      throw new CallRefused('FAILED_PRECONDITION', `fence ${fence} is past: ${this.#fence} speaks for this host`);
    this.#fence = fence;
  }

  /** The stream before lets go of the data plane first. */
  async #takeOver(stream: GoalStream, messages: AsyncIterable<GoalStateV2>, signal: AbortSignal): Promise<void> {
    const before = this.#current;
    const stop = new AbortController();
    const current: Current = { stop, session: undefined, done: Promise.resolve() };
    this.#current = current;
    before?.stop.abort(new Error('a newer stream has taken over'));
    current.done = (before?.done ?? Promise.resolve()).then(() =>
      this.#converse(current, stream, messages, AbortSignal.any([signal, stop.signal])),
    );
    return current.done;
  }

  /** Never rejects. */
  async #converse(
    current: Current,
    stream: GoalStream,
    messages: AsyncIterable<GoalStateV2>,
    until: AbortSignal,
  ): Promise<void> {
    if (until.aborted) return;
    const { held, dataplane } = this;
    const { clock } = this.#options.runtime;
    const subscriptions = this.#subscriptions.reports;
    const onComplete = (): void => this.onDemand.heard();
    const session = new Session({ stream, held, dataplane, reports: this.#reports, clock, subscriptions, onComplete });
    current.session = session;
    const close = (): void => stream.close();
    until.addEventListener('abort', close, { once: true });
    this.#options.log('a config manager has connected');
    try {
      await session.run(messages, until);
    } catch (error) {
      this.#options.log('the stream from the config manager broke; what is in force stays', error);
    } finally {
      current.session = undefined;
      this.onDemand.unheard();
      until.removeEventListener('abort', close);
      stream.close();
    }
  }

  async #subscribe(info: NodeSubscribeInfo, signal: AbortSignal): Promise<SubscribeOperationReply> {
    try {
      this.#admit(info.fence);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return SubscribeOperationReply.fromPartial({ operationStatus: OperationStatus.FAILURE, reason });
    }
    if (info.subscribeOperation === SubscribeOperation.Subscribe) return this.#subscriptions.subscribe(info, signal);
    if (info.subscribeOperation === SubscribeOperation.Unsubscribe) return this.#subscriptions.unsubscribe(info);
    const reason = `subscribe_operation: ${info.subscribeOperation} is unknown`;
    return SubscribeOperationReply.fromPartial({ operationStatus: OperationStatus.INVALID_ARG, reason });
  }

  /** Goals from a sender of the older family; each is answered for. */
  async #push(state: GoalState, signal: AbortSignal): Promise<GoalStateOperationReply> {
    const goals = goalsOfVersion1(state);
    const verdicts = this.held.apply(this.#pushed, goals);
    const outcomes = await this.dataplane.flush(signal);
    const reports = this.#reports.answer(goals, outcomes, verdicts);
    const answered = new Set(reports.map(({ resourceId }) => resourceId));
    const rest = goals.flatMap((stated) => (answered.has(stated.goal.state.id) ? [] : [successOf(stated)]));
    return { ...emptyReply(), formatVersion: 1, operationStatuses: [...reports, ...rest] };
  }

  /** Where these neighbours are is not known any longer: whoever wants them asks. */
  #forget(neighbors: readonly LearntNeighbor[]): void {
    for (const { vpcId, id } of neighbors) this.held.forgetNeighbor(vpcId, id);
    this.#flushForgotten();
  }

  #flushForgotten(): void {
    this.dataplane.flush(this.#signal).then(
      (outcomes) => void this.#reports.answer([], outcomes, []),
      (error: unknown) => this.#options.log('cannot clear what is not wanted any more', error),
    );
  }
}

async function* from<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T, void> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
