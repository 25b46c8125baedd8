import { topicOf } from '@alcor/contract';
import { type ChannelName, type ChannelStore, type Lease, LeaseLost, type NetworkId } from '@alcor/network';
import { type Clock, createWakeup, Fenced, type MessageQueue, type Topic, type TopicSummary } from '@alcor/runtime';
import type { VpcFacts } from './channel-choice.ts';
import type { Delivery } from './delivery.ts';
import { type PublishCounters, TopicPublisher } from './topic-publisher.ts';
import type { HostGoal } from './unicast-goals.ts';

export interface ChannelLifeOptions {
  readonly vpcId: string;
  readonly lease: Lease;
  readonly delivery: Pick<Delivery, 'goals' | 'unicast' | 'vpcs'>;
  readonly queue: MessageQueue | undefined;
  readonly choose: (facts: VpcFacts) => ChannelName;
  /** The queue has a topic of the VPC. */
  readonly hasTopic: boolean;
  readonly channels: Pick<ChannelStore, 'setChannel'>;
  readonly counters: PublishCounters;
  readonly clock: Clock;
  readonly log: (message: string, error?: unknown) => void;
}

/** How long a topic is kept up that hosts may still be reading while they change over. */
const lingerMs = 60_000;
const retryMs = 1_000;
/** After which whoever has lost a lease knows it: more than it is given for. */
const fencedMs = 10_000;

/**
 * The changes of one VPC's channel, and its topic from the choice of the message queue to the end of the topic.
 *
 *     to the queue:    publish everything ──▶ say `mq` ──▶ keep publishing
 *     away from it:    say the other one ──▶ keep publishing for a minute, for those who have not changed over ──▶ drop the topic
 *     between others:  say it
 */
export class ChannelLife {
  readonly #options: ChannelLifeOptions;
  readonly #wakeup = createWakeup();
  #publisher: TopicPublisher | undefined;
  /** Keeps the topic; undefined: there is none. */
  #publishing: Promise<void> | undefined;
  /** On the clock: when the topic goes, unless it is wanted again. */
  #dropAt: number | undefined;

  constructor(options: ChannelLifeOptions) {
    this.#options = options;
  }

  /** There is something new: of the VPC, or of its topic in the queue (null: the queue has none). */
  look(topic?: TopicSummary | null): void {
    const publisher = this.#publisher;
    const isLost = topic === null || (topic !== undefined && topic.position < (publisher?.position ?? 0));
    if (publisher?.isWhole === true && isLost) publisher.restart();
    this.#wakeup.raise();
  }

  /** Resolves when the channel is said and there is no topic (any more), or `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    if (this.#options.hasTopic) this.#publishing = this.#publish(until);
    while (!signal.aborted) {
      try {
        if (await this.#step(until)) break;
        await this.#wait(signal);
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof LeaseLost))
          this.#options.log(`cannot keep the channel of VPC ${this.#options.vpcId}`, error);
        await this.#options.clock.sleep(retryMs, signal).catch(() => {});
      }
    }
    over.abort();
    if (this.#publishing === undefined) return;
    await this.#publishing;
    if (!signal.aborted) await this.#drop(signal);
  }

  /** Moves on by one step; true: there is nothing left to do, and no topic is needed. */
  async #step(signal: AbortSignal): Promise<boolean> {
    const { vpcId, delivery, choose, channels, lease, clock } = this.#options;
    const facts = delivery.vpcs.get(vpcId);
    if (facts === undefined) return true;
    const wanted = choose(facts);
    signal.throwIfAborted();
    if (wanted === 'mq' || facts.channel === 'mq') this.#publishing ??= this.#publish(signal);
    if (wanted === 'mq') this.#dropAt = undefined;
    if (facts.channel !== wanted && (wanted !== 'mq' || this.#publisher?.isWhole === true))
      await channels.setChannel(vpcId as NetworkId, wanted, lease);
    if (facts.channel !== wanted || wanted === 'mq') return false;
    if (this.#publishing === undefined) return true;
    this.#dropAt ??= clock.now() + lingerMs;
    return clock.now() >= this.#dropAt;
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const timer =
      this.#dropAt === undefined ? undefined : clock.timer(Math.max(0, this.#dropAt - clock.now()), this.#wakeup.raise);
    await this.#wakeup.wait(signal);
    timer?.cancel();
  }

  async #publish(signal: AbortSignal): Promise<void> {
    const { vpcId, delivery, queue } = this.#options;
    if (queue === undefined) return;
    const unicast = delivery.unicast.open(vpcId);
    try {
      await this.#keepPublishing(unicast, queue, signal);
    } finally {
      delivery.unicast.close(vpcId);
    }
  }

  async #keepPublishing(unicast: Topic<HostGoal>, queue: MessageQueue, signal: AbortSignal): Promise<void> {
    const { vpcId, clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        this.#publisher = this.#publisherOf(unicast, queue);
        await this.#publisher.run(signal);
      } catch (error) {
        if (!(error instanceof Fenced)) throw error;
        log(`VPC ${vpcId} has been published by another process`, error);
        await clock.sleep(fencedMs, signal).catch(() => {});
        // The lease is still ours, so there is nobody else: the fence is that of another life of the store.
        if (!signal.aborted) await this.#drop(signal);
      }
    }
  }

  #publisherOf(unicast: Topic<HostGoal>, queue: MessageQueue): TopicPublisher {
    const { vpcId, delivery, lease, clock, counters, log } = this.#options;
    return new TopicPublisher({
      vpcId,
      multicast: delivery.goals.topic(`vpc/${vpcId}`),
      unicast,
      queue,
      fence: lease.fence,
      clock,
      counters,
      onWhole: this.#wakeup.raise,
      log,
    });
  }

  async #drop(signal: AbortSignal): Promise<void> {
    const { queue, vpcId, log } = this.#options;
    // A topic that stays is found again by whoever looks at what topics there are.
    await queue
      ?.drop(topicOf(vpcId), signal)
      .catch((error: unknown) => log(`cannot drop the topic of VPC ${vpcId}`, error));
  }
}
