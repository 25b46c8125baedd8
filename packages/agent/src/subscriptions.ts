import {
  decodeGoal,
  goalVpc,
  isMulticast,
  type NodeSubscribeInfo,
  OperationStatus,
  type StatedGoal,
  SubscribeOperationReply,
  subjectsFor,
  SubscriptionReport,
  SubscriptionState,
  vpcOfTopic,
  wholeSubject,
} from '@alcor/contract';
import { aborted, type MessageQueue, type QueueBatch, type QueueMessage } from '@alcor/runtime';
import type { ResourceOutcome } from './dataplane/index.ts';
import type { HeldState, Verdict } from './held-state.ts';
import type { TopicSource } from './sources.ts';
import { TopicSnapshot } from './topic-snapshot.ts';

export interface SubscriptionsOptions {
  readonly held: HeldState;
  /** Brings the switch in line with what is held. */
  readonly flush: (signal: AbortSignal) => Promise<readonly ResourceOutcome[]>;
  /** Connects to the message queue at a URL; undefined: this host reads from none. */
  readonly openQueue: ((url: string) => MessageQueue) | undefined;
  /** Where the queue is when a request does not say. */
  readonly queueUrl: string;
  readonly log: (message: string, error?: unknown) => void;
  /** Told what became of goals that a topic told of. */
  readonly onApplied: (
    goals: readonly StatedGoal[],
    outcomes: readonly ResourceOutcome[],
    verdicts: readonly Verdict[],
  ) => void;
  /** Told when a subscription stands otherwise. */
  readonly onReport: (report: SubscriptionReport) => void;
}

interface Reading {
  readonly topic: string;
  readonly vpcId: string;
  readonly key: string;
  readonly queueUrl: string;
  readonly stop: AbortController;
  /** Collects what is read; until the reading has caught up. */
  snapshot: TopicSnapshot | undefined;
  /** Since it has. */
  source: TopicSource | undefined;
  request: number;
  state: SubscriptionState;
  position: number;
  multicastPosition: number;
  reason: string;
  /** Aborted when the reading has caught up or is over. */
  readonly settled: AbortController;
}

/**
 * The topics that this host reads itself. A subscription lasts until it is taken back or its topic is lost, whatever becomes of the stream
 * from the config manager; what it told stays held until somebody says otherwise.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #readings = new Map<string, Reading>();
  readonly #queues = new Map<string, MessageQueue>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** How the subscriptions stand. */
  get reports(): readonly SubscriptionReport[] {
    return [...this.#readings.values()].map(reportOf);
  }

  /** Reads the topic; answers once everything that it held has been applied, or with the reason why that will not be. */
  async subscribe(info: NodeSubscribeInfo, signal: AbortSignal): Promise<SubscribeOperationReply> {
    const vpcId = vpcOfTopic(info.topic);
    const queueUrl = info.queueUrl === '' ? this.#options.queueUrl : info.queueUrl;
    if (vpcId === undefined || vpcId === '') return refusal(`topic: '${info.topic}' is no VPC's`);
    if (info.key === '') return refusal('key: must not be empty');
    if (queueUrl === '') return refusal('queue_url: must not be empty, because the agent knows of no message queue');
    if (this.#options.openQueue === undefined) return refusal('this agent reads from no message queue');
    const before = this.#readings.get(info.topic);
    if (before !== undefined && info.request < before.request) return outOfOrder(before);
    const stands = before !== undefined && before.key === info.key && before.queueUrl === queueUrl && !info.again;
    if (stands) {
      before.request = info.request;
      this.#options.onReport(reportOf(before));
      return answer(before, signal);
    }
    const reading = this.#open(vpcId, info, queueUrl);
    // After the next one has been opened, so that the queue is not closed in between.
    if (before !== undefined) this.#close(before);
    return answer(reading, signal);
  }

  /** Reads the topic no longer; a topic that is not read is fine. */
  unsubscribe(info: NodeSubscribeInfo): SubscribeOperationReply {
    const reading = this.#readings.get(info.topic);
    if (reading !== undefined) {
      if (info.request < reading.request) return outOfOrder(reading);
      reading.request = info.request;
      this.#end(reading, 'unsubscribed');
    }
    return SubscribeOperationReply.fromPartial({ operationStatus: OperationStatus.SUCCESS });
  }

  /** Ends all readings, when the agent stops. */
  close(): void {
    for (const reading of this.#readings.values()) this.#close(reading);
  }

  #open(vpcId: string, { topic, key, request }: NodeSubscribeInfo, queueUrl: string): Reading {
    const reading: Reading = {
      topic,
      vpcId,
      key,
      queueUrl,
      stop: new AbortController(),
      snapshot: new TopicSnapshot(vpcId),
      source: undefined,
      request,
      state: SubscriptionState.READING,
      position: 0,
      multicastPosition: 0,
      reason: '',
      settled: new AbortController(),
    };
    this.#readings.set(topic, reading);
    this.#options.onReport(reportOf(reading));
    this.#read(reading).then(
      () => this.#end(reading, 'the agent stops'),
      (error: unknown) => this.#end(reading, error instanceof Error ? error.message : String(error)),
    );
    return reading;
  }

  async #read(reading: Reading): Promise<void> {
    const { signal } = reading.stop;
    const queue = this.#queue(reading.queueUrl);
    for await (const batch of queue.read(reading.topic, subjectsFor(reading.key), 0, signal)) {
      if (signal.aborted) return;
      await this.#take(reading, batch, signal);
      if (signal.aborted) return;
    }
  }

  async #take(reading: Reading, batch: QueueBatch, signal: AbortSignal): Promise<void> {
    const { held, flush, onApplied, onReport } = this.#options;
    const { source, snapshot } = reading;
    const messages = snapshot === undefined ? batch.messages : snapshot.take(batch);
    if (messages === undefined) return;
    const goals = this.#goalsOf(reading, messages);
    const verdicts = source === undefined ? this.#catchUp(reading, goals) : held.apply(source, goals);
    const outcomes = await flush(signal);
    onApplied(goals, outcomes, verdicts);
    if (signal.aborted) return;
    reading.position = batch.position;
    for (const { subject, position } of messages) {
      if (isMulticast(subject)) reading.multicastPosition = Math.max(reading.multicastPosition, position);
    }
    reading.state = SubscriptionState.CAUGHT_UP;
    onReport(reportOf(reading));
    reading.settled.abort();
  }

  /** The topic speaks for the VPC from here on. All at once: of a part nobody can tell whether the stream knows better. */
  #catchUp(reading: Reading, goals: readonly StatedGoal[]): Verdict[] {
    const { source, verdicts } = this.#options.held.openTopic(reading.vpcId, goals);
    reading.source = source;
    reading.snapshot = undefined;
    return verdicts;
  }

  /** What is no goal of the VPC is left out: one wrong message must not keep the host from all others. */
  #goalsOf({ topic, vpcId }: Reading, messages: readonly QueueMessage[]): StatedGoal[] {
    return messages.flatMap(({ subject, payload }) => {
      if (subject === wholeSubject) return [];
      try {
        const stated = decodeGoal(payload);
        if (goalVpc(stated.goal) === vpcId) return [stated];
        this.#options.log(`${topic} ${subject}: a goal of another VPC (${goalVpc(stated.goal)})`);
      } catch (error) {
        this.#options.log(`${topic} ${subject}: cannot be understood`, error);
      }
      return [];
    });
  }

  /** The reading is over and its manager is told why. */
  #end(reading: Reading, reason: string): void {
    if (this.#readings.get(reading.topic) !== reading) return;
    reading.reason = reason;
    this.#close(reading);
    this.#options.log(`does not read ${reading.topic} any more: ${reason}`);
    this.#options.onReport(reportOf(reading));
  }

  #close(reading: Reading): void {
    if (this.#readings.get(reading.topic) === reading) this.#readings.delete(reading.topic);
    reading.state = SubscriptionState.LOST;
    reading.stop.abort();
    if (reading.source !== undefined) this.#options.held.closeTopic(reading.source);
    reading.settled.abort();
    const used = [...this.#readings.values()].some(({ queueUrl }) => queueUrl === reading.queueUrl);
    if (used) return;
    const queue = this.#queues.get(reading.queueUrl);
    this.#queues.delete(reading.queueUrl);
    void queue?.close().catch((error: unknown) => this.#options.log('cannot close the message queue', error));
  }

  #queue(url: string): MessageQueue {
    let queue = this.#queues.get(url);
    if (queue === undefined) this.#queues.set(url, (queue = this.#options.openQueue!(url)));
    return queue;
  }
}

function reportOf({ topic, key, state, position, multicastPosition, request, reason }: Reading): SubscriptionReport {
  return SubscriptionReport.fromPartial({ topic, key, state, position, multicastPosition, request, reason });
}

/** Waits while the reading has not caught up. */
async function answer(reading: Reading, signal: AbortSignal): Promise<SubscribeOperationReply> {
  await aborted(AbortSignal.any([signal, reading.settled.signal]));
  const { state, position } = reading;
  if (state === SubscriptionState.CAUGHT_UP) {
    return SubscribeOperationReply.fromPartial({ operationStatus: OperationStatus.SUCCESS, position });
  }
  const reason = reading.reason === '' ? 'another request has taken the place of this one' : reading.reason;
  return SubscribeOperationReply.fromPartial({ operationStatus: OperationStatus.FAILURE, reason, position });
}

function refusal(reason: string): SubscribeOperationReply {
  return SubscribeOperationReply.fromPartial({ operationStatus: OperationStatus.INVALID_ARG, reason });
}

function outOfOrder(reading: Reading): SubscribeOperationReply {
  const reason = `request ${reading.request} has been taken`;
  return SubscribeOperationReply.fromPartial({ operationStatus: OperationStatus.OUT_OF_ORDER, reason });
}
