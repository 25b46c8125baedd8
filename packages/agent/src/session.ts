import {
  GoalStateOperationReply,
  type GoalStateOperationReply_GoalStateOperationStatus as OperationReport,
  type GoalStateV2,
  goalVpc,
  goalsOf,
  HeldVpc,
  type LearntNeighbor,
  OperationStatus,
  type SubscriptionReport,
  SubscriptionState,
} from '@alcor/contract';
import { type Clock, createWakeup, type Stream, type Timer } from '@alcor/runtime';
import type { Dataplane } from './dataplane/index.ts';
import type { HeldState } from './held-state.ts';
import { keyOf, type Reports } from './reports.ts';
import type { StreamSource } from './sources.ts';

export type GoalStream = Stream<GoalStateOperationReply, GoalStateV2>;

const reportsPerReply = 1_000;
/** How many messages may be taken and not yet in force. */
const messagesAtOnce = 4;
/** How long news of a position waits for more of its kind, in ms. */
const positionsWaitMs = 50;

export interface SessionOptions {
  readonly stream: GoalStream;
  readonly held: Pick<
    HeldState,
    'openStream' | 'offer' | 'resume' | 'leave' | 'begin' | 'apply' | 'completeVpc' | 'complete'
  >;
  readonly dataplane: Pick<Dataplane, 'flush' | 'reconcile' | 'isAway'>;
  readonly reports: Reports;
  readonly clock: Clock;
  /** All the agent's subscriptions as they stand. */
  readonly subscriptions: readonly SubscriptionReport[];
  /** The stream has said everything. */
  readonly onComplete?: () => void;
}

/** One stream from a config manager, the newest: takes its goals and answers with whatever there is to say, in few replies. */
export class Session {
  readonly #options: SessionOptions;
  readonly #source: StreamSource;
  readonly #wakeup = createWakeup();
  /** Not yet sent, the newest per resource. */
  readonly #reports = new Map<string, OperationReport>();
  readonly #subscriptions = new Map<string, SubscriptionReport>();
  #offers: HeldVpc[] = [];
  /** Not yet told, each with how many messages had been taken by then. */
  readonly #idle = new Map<string, { readonly neighbor: LearntNeighbor; readonly taken: number }>();
  #taken = 0;
  /** How many of the messages taken are in force. */
  #applied = 0;
  #later: Timer | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#source = options.held.openStream();
    for (const report of options.reports.standing) this.tell(report);
    for (const report of options.subscriptions) this.#subscriptions.set(report.topic, report);
  }

  /** Has a report sent. */
  tell(report: OperationReport): void {
    const key = keyOf(report);
    // That a word came late says nothing of the resource; what does must not be lost for it.
    if (report.operationStatus === OperationStatus.OUT_OF_ORDER && this.#reports.has(key)) return;
    this.#reports.set(key, report);
    this.#wakeup.raise();
  }

  /** Has a subscription's state sent; one that has only read on may wait a little. */
  tellSubscription(report: SubscriptionReport): void {
    const waiting = this.#subscriptions.get(report.topic);
    this.#subscriptions.set(report.topic, report);
    if (report.state !== SubscriptionState.CAUGHT_UP || waiting?.state === SubscriptionState.READING)
      this.#wakeup.raise();
    else {
      this.#later ??= this.#options.clock.timer(positionsWaitMs, () => {
        this.#later = undefined;
        this.#wakeup.raise();
      });
    }
  }

  /** Has the manager know that the switch has gone or come back. */
  tellSwitch(): void {
    this.#wakeup.raise();
  }

  /** Has the manager know what nothing here uses. */
  tellIdle(neighbors: readonly LearntNeighbor[]): void {
    for (const neighbor of neighbors)
      this.#idle.set(`${neighbor.vpcId} ${neighbor.id}`, { neighbor, taken: this.#taken });
    this.#wakeup.raise();
  }

  /** Runs until the stream ends or breaks, or `signal` aborts. */
  async run(messages: AsyncIterable<GoalStateV2>, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    try {
      await Promise.race([this.#take(messages, signal), this.#answer(AbortSignal.any([signal, over.signal]))]);
    } finally {
      over.abort();
      this.#later?.cancel();
    }
  }

  /** While the switch is at work on what messages told, the next ones are read. */
  async #take(messages: AsyncIterable<GoalStateV2>, signal: AbortSignal): Promise<void> {
    const underWay: Promise<void>[] = [];
    for await (const message of messages) {
      if (signal.aborted) return;
      const confirmed = this.#takeOne(message, signal);
      confirmed.catch(() => undefined);
      underWay.push(confirmed);
      if (underWay.length === messagesAtOnce) await underWay.shift();
    }
    await Promise.all(underWay);
  }

  /** Resolves when what the message tells is in force; messages come into force in the order in which they are taken. */
  async #takeOne(message: GoalStateV2, signal: AbortSignal): Promise<void> {
    const { held, dataplane, reports, onComplete } = this.#options;
    this.#taken++;
    const goals = goalsOf(message);
    held.leave(this.#source, message.leftVpcs);
    held.begin(this.#source, message.begunVpcs, message.onDemandVpcs);
    this.#resume(message);
    // What is told now somebody is about to use.
    if (this.#idle.size > 0) for (const { goal } of goals) this.#idle.delete(`${goalVpc(goal)} ${goal.state.id}`);
    const verdicts = held.apply(this.#source, goals);
    for (const vpcId of message.completedVpcs) held.completeVpc(this.#source, vpcId);
    if (message.complete) {
      held.complete(this.#source);
      onComplete?.();
    }
    const outcomes = message.complete ? await dataplane.reconcile(signal) : await dataplane.flush(signal);
    reports.answer(goals, outcomes, verdicts);
    if (signal.aborted) return;
    this.#applied++;
    this.#wakeup.raise();
  }

  /** What is not held any more as it was offered is offered anew, to say so. */
  #resume({ verifiedVpcs, resumedVpcs }: GoalStateV2): void {
    const verified = verifiedVpcs.map((vpcId) => ({ vpcId, staleBuckets: [] }));
    const lost = this.#options.held.resume(this.#source, [...verified, ...resumedVpcs]);
    this.#offers.push(...lost.map((vpcId) => HeldVpc.fromPartial({ vpcId })));
  }

  /** Those that can be told of: a reply speaks of what was idle after the messages that it confirms, and before any other. */
  #takeIdle(): LearntNeighbor[] {
    const told: LearntNeighbor[] = [];
    for (const [key, { neighbor, taken }] of this.#idle) {
      if (taken > this.#applied) break;
      told.push(neighbor);
      this.#idle.delete(key);
    }
    return told;
  }

  async #answer(signal: AbortSignal): Promise<void> {
    this.#offers = this.#options.held.offer(this.#source);
    let saidAway = false;
    for (let answered = -1; !signal.aborted;) {
      const idle = this.#takeIdle();
      const news = this.#reports.size + this.#subscriptions.size + idle.length;
      const { isAway } = this.#options.dataplane;
      const nothing = news === 0 && this.#applied === answered && isAway === saidAway;
      if (nothing) {
        await this.#wakeup.wait(signal);
        continue;
      }
      const reply = emptyReply();
      for (const [key, report] of this.#reports) {
        if (reply.operationStatuses.length === reportsPerReply) break;
        reply.operationStatuses.push(report);
        this.#reports.delete(key);
      }
      reply.subscriptions = [...this.#subscriptions.values()];
      this.#subscriptions.clear();
      reply.forgotten = idle;
      reply.allSubscriptions = answered < 0;
      reply.switchAway = saidAway = isAway;
      reply.heldVpcs = this.#offers;
      this.#offers = [];
      reply.appliedSequence = answered = this.#applied;
      await this.#options.stream.send(reply);
    }
  }
}

/** A reply that says nothing. */
export function emptyReply(): GoalStateOperationReply {
  return GoalStateOperationReply.fromPartial({ formatVersion: 2 });
}
