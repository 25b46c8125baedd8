import { vpcOfTopic } from '@alcor/contract';
import type { ChannelStore, Lease, Shard } from '@alcor/network';
import { shardOf } from '@alcor/network';
import { type Clock, createWakeup, type MessageQueue, type TopicSummary } from '@alcor/runtime';
import type { Thresholds } from './channel-choice.ts';
import { chooseChannel } from './channel-choice.ts';
import type { Delivery } from './delivery.ts';
import type { ShardWork } from './lease-keeper.ts';
import { ChannelLife } from './channel-life.ts';
import type { PublishCounters } from './topic-publisher.ts';

export interface ChannelKeeperOptions {
  readonly delivery: Pick<Delivery, 'goals' | 'unicast' | 'vpcs'>;
  /** Undefined: no VPC goes by it. */
  readonly queue: MessageQueue | undefined;
  readonly thresholds: Thresholds;
  readonly channels: Pick<ChannelStore, 'setChannel'>;
  readonly clock: Clock;
  readonly log: (message: string, error?: unknown) => void;
}

/** Between looks at which topics the queue has. */
const sweepEveryMs = 30_000;

interface Living {
  readonly life: ChannelLife;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Chooses the channel of every VPC in the shards that this process holds, and keeps the topics of those that go by message queue. */
export class ChannelKeeper implements ShardWork {
  /** What has been published from here, for metrics. */
  readonly counters: PublishCounters = { multicast: 0, unicast: 0, bytes: 0, unchanged: 0 };
  readonly #options: ChannelKeeperOptions;
  readonly #leases = new Map<Shard, Lease>();
  readonly #byShard = new Map<Shard, Set<string>>();
  /** VPCs that have a topic, are to have one or had one, or whose channel is yet to be said. */
  readonly #living = new Map<string, Living>();
  readonly #sweep = createWakeup();

  constructor(options: ChannelKeeperOptions) {
    this.#options = options;
  }

  /** The VPCs whose topics are kept from here, and those that are about to change channels. */
  get published(): readonly string[] {
    return [...this.#living.keys()];
  }

  take(lease: Lease): void {
    this.#leases.set(lease.shard, lease);
    for (const vpcId of this.#byShard.get(lease.shard) ?? []) this.#consider(vpcId);
    this.#sweep.raise();
  }

  async leave(shard: Shard): Promise<void> {
    this.#leases.delete(shard);
    const ended = [...this.#living].filter(([vpcId]) => shardOf('vpc', vpcId) === shard);
    for (const [vpcId, { stop }] of ended) {
      this.#living.delete(vpcId);
      stop.abort();
    }
    await Promise.all(ended.map(([, { done }]) => done));
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { queue } = this.#options;
    const sweeping = queue === undefined ? undefined : this.#sweepRepeatedly(queue, signal);
    await this.#follow(signal);
    await sweeping;
    await Promise.all([...this.#leases.keys()].map((shard) => this.leave(shard)));
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { vpcs } = this.#options.delivery;
    const wakeup = createWakeup();
    const subscription = vpcs.subscribe(wakeup.raise);
    while (!signal.aborted) {
      for (const { key, removed } of vpcs.take(subscription, 1_000)) {
        const shard = shardOf('vpc', key);
        const known = this.#byShard.get(shard) ?? new Set();
        this.#byShard.set(shard, known);
        if (removed) known.delete(key);
        else known.add(key);
        this.#consider(key);
      }
      if (subscription.position === vpcs.position) await wakeup.wait(signal);
    }
    subscription.close();
  }

  /** Lets the VPC's life know what is new, or begin. */
  #consider(vpcId: string, topic?: TopicSummary): void {
    const lease = this.#leases.get(shardOf('vpc', vpcId));
    if (lease === undefined) return;
    const living = this.#living.get(vpcId);
    if (living !== undefined) return living.life.look(topic);
    const facts = this.#options.delivery.vpcs.get(vpcId);
    const begins = facts !== undefined && (facts.channel === 'mq' || this.#choose(facts) !== facts.channel);
    if (begins || topic !== undefined) this.#begin(vpcId, lease, topic !== undefined);
  }

  #begin(vpcId: string, lease: Lease, hasTopic: boolean): void {
    const stop = new AbortController();
    const { counters } = this;
    const life = new ChannelLife({ ...this.#options, vpcId, lease, choose: this.#choose, hasTopic, counters });
    const done = this.#live(life, vpcId, stop.signal);
    this.#living.set(vpcId, { life, stop, done });
  }

  async #live(life: ChannelLife, vpcId: string, signal: AbortSignal): Promise<void> {
    await life.run(signal);
    if (this.#living.get(vpcId)?.life === life) this.#living.delete(vpcId);
    // It may be wanted again since its last look.
    if (!signal.aborted) this.#consider(vpcId);
  }

  readonly #choose = (facts: Parameters<typeof chooseChannel>[0]): ReturnType<typeof chooseChannel> => {
    const channel = chooseChannel(facts, this.#options.thresholds);
    return channel === 'mq' && this.#options.queue === undefined ? 'grpc' : channel;
  };

  /** Finds topics that nobody wants any more, and those that the queue has lost. */
  async #sweepRepeatedly(queue: MessageQueue, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      const timer = clock.timer(sweepEveryMs, this.#sweep.raise);
      await this.#sweep.wait(signal);
      timer.cancel();
      if (signal.aborted) return;
      try {
        const topics = new Map((await queue.topics(signal)).map((each) => [vpcOfTopic(each.topic), each]));
        for (const [vpcId, topic] of topics) if (vpcId !== undefined) this.#consider(vpcId, topic);
        for (const [vpcId, { life }] of this.#living) if (!topics.has(vpcId)) life.look(null);
      } catch (error) {
        if (!signal.aborted) log('cannot see which topics the queue has', error);
      }
    }
  }
}
