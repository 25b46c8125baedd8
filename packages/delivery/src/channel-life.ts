import { topicOf } from '@alcor/contract';
import { type ChannelName, type ChannelStore, type Lease, LeaseLost, type NetworkId } from '@alcor/network';
import { type Clock, createWakeup, Fenced, type MessageQueue, type TopicSummary } from '@alcor/runtime';
import type { VpcFacts } from './channel-choice.ts';
import type { Delivery } from './delivery.ts';
import { type PublishCounters, TopicPublisher } from './topic-publisher.ts';

export interface ChannelLifeOptions {
  readonly vpcId: string;
  readonly lease: Lease;
  readonly delivery: Pick<Delivery, 'goals' | 'hostGoals' | 'vpcs'>;
  readonly queue: MessageQueue | undefined;
  readonly choose: (facts: VpcFacts) => ChannelName;
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
 * The life of one VPC's topic, from the choice of the message queue to the end of the topic.
 *
 *     up:    publish everything ──▶ say `mq` ──▶ keep publishing
 *     down:  say `grpc` ──▶ keep publishing for a minute, for those who have not changed over ──▶ drop the topic
 */
export class ChannelLife {
  readonly #options: ChannelLifeOptions;
  readonly #wakeup = createWakeup();
  #publisher: TopicPublisher | undefined;
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

  /** Resolves when the topic is gone or `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const publishing = this.#publish(until);
    while (!signal.aborted) {
      try {
        if (await this.#step(signal)) break;
        await this.#wait(signal);
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof LeaseLost))
          this.#options.log(`cannot keep the channel of VPC ${this.#options.vpcId}`, error);
        await this.#options.clock.sleep(retryMs, signal).catch(() => {});
      }
    }
    over.abort();
    await publishing;
    if (!signal.aborted) await this.#drop(signal);
  }

  /** Moves on by one step; true: the topic is not needed any more. */
  async #step(signal: AbortSignal): Promise<boolean> {
    const { vpcId, delivery, choose, channels, lease, clock } = this.#options;
    const facts = delivery.vpcs.get(vpcId);
    if (facts === undefined) return true;
    const wanted = choose(facts);
    signal.throwIfAborted();
    if (wanted === 'mq') {
      this.#dropAt = undefined;
      if (facts.channel === 'grpc' && this.#publisher?.isWhole === true)
        await channels.setChannel(vpcId as NetworkId, 'mq', lease);
      return false;
    }
    if (facts.channel === 'mq') {
      await channels.setChannel(vpcId as NetworkId, 'grpc', lease);
      return false;
    }
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
    const { vpcId, queue, clock, log } = this.#options;
    if (queue === undefined) return;
    while (!signal.aborted) {
      try {
        this.#publisher = this.#publisherTo(queue);
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

  #publisherTo(queue: MessageQueue): TopicPublisher {
    const { vpcId, delivery, lease, clock, counters, log } = this.#options;
    return new TopicPublisher({
      vpcId,
      multicast: delivery.goals.topic(`vpc/${vpcId}`),
      unicast: delivery.hostGoals.topic(`vpc/${vpcId}/hosts`),
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
