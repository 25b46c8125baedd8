import type { ConfigManager, VpcProgress } from '@alcor/config-manager';
import { hostKey, topicOf } from '@alcor/contract';
import type { Goal } from '@alcor/contract';
import type { Channel, ChannelName, ChannelStore, IntentStore, Network, NetworkId } from '@alcor/network';
import type { Bus, MessageQueue, Topic, TopicSummary } from '@alcor/runtime';

/** What a VPC's channel is chosen by, and which one is in force: delivery's. */
export interface VpcFacts {
  readonly channel: ChannelName;
  readonly override: ChannelName | null;
  readonly ports: number;
  readonly largestGroup: number;
}

export interface TopicsOptions {
  readonly store: Pick<IntentStore, 'networks'> & Pick<ChannelStore, 'setChannelOverride'>;
  readonly goals: Bus<Goal>;
  readonly vpcs: Topic<VpcFacts>;
  readonly manager: Pick<ConfigManager, 'hostsIn' | 'goalStates'>;
  /** Undefined: every VPC goes by gRPC. */
  readonly queue: Pick<MessageQueue, 'topics'> | undefined;
}

/** The topic of a VPC, as it is shown. */
export interface TopicView {
  readonly topic: string;
  readonly vpc_id: string;
  readonly channel: ChannelName;
  readonly override: ChannelName | 'automatic';
  readonly ports: number;
  readonly largest_group: number;
  readonly messages: number;
  /** Null where they are not encoded, because no message queue carries them. */
  readonly bytes: number | null;
  readonly position: number;
}

/** A host that reads the topic, or that it is read for. */
export interface SubscriberView {
  readonly host_id: string;
  /** By which it finds its own messages in the topic. */
  readonly key: string;
  /** Who reads it: its config manager for it, the host itself, or the one while the other is about to. */
  readonly channel: VpcProgress['channel'];
  /** Why the host does not read it, though it should. */
  readonly reason: string;
  readonly wanted: number;
  readonly sent: number;
  readonly applied: number;
}

export interface Page {
  readonly limit: number;
  readonly marker: string | undefined;
}

/** A page of something, and the marker of the next one; null: it was the last. */
export interface Paged<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** The topics of VPCs: how they are carried, and who reads them. */
export class Topics {
  readonly #options: TopicsOptions;

  constructor(options: TopicsOptions) {
    this.#options = options;
  }

  get hasQueue(): boolean {
    return this.#options.queue !== undefined;
  }

  async list({ limit, marker }: Page, signal: AbortSignal): Promise<Paged<TopicView>> {
    const { networks } = this.#options.store;
    const { rows, more } = await networks.list({ limit, marker: marker as NetworkId | undefined });
    const queued = await this.#queued(rows, signal);
    const items = rows.map(({ id }) => this.#view(id, queued));
    return { items, next: more ? (rows.at(-1)?.id ?? null) : null };
  }

  /** Rejects with NetworkNotFound. */
  async show(vpcId: string, signal: AbortSignal): Promise<TopicView> {
    const network = await this.#options.store.networks.get(vpcId as NetworkId);
    return this.#view(network.id, await this.#queued([network], signal));
  }

  /** The hosts of this controller that are in the VPC, by id. */
  subscribers(vpcId: string, { limit, marker = '' }: Page): Paged<SubscriberView> & { readonly total: number } {
    const { manager } = this.#options;
    const all = manager.hostsIn(vpcId);
    const rest = all.filter((hostId) => hostId > marker).toSorted();
    const page = rest.slice(0, limit);
    const items = page.flatMap((hostId): SubscriberView[] => {
      const progress = manager.goalStates(hostId)?.vpcs.find((vpc) => vpc.vpcId === vpcId);
      if (progress === undefined) return [];
      const { channel, reason, wanted, sent, applied } = progress;
      return [{ host_id: hostId, key: hostKey(hostId), channel, reason, wanted, sent, applied }];
    });
    return { items, next: rest.length > limit ? (page.at(-1) ?? null) : null, total: all.length };
  }

  /** Null: chosen by size. Rejects with NetworkNotFound. */
  override(vpcId: string, channel: ChannelName | null): Promise<Channel> {
    return this.#options.store.setChannelOverride(vpcId as NetworkId, channel);
  }

  /** What the message queue says of its topics; nobody is asked where none of the VPCs has one. */
  async #queued(
    networks: readonly Pick<Network, 'id'>[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, TopicSummary>> {
    const { queue, vpcs } = this.#options;
    if (queue === undefined || networks.every(({ id }) => vpcs.get(id)?.channel !== 'mq')) return new Map();
    return new Map((await queue.topics(signal)).map((summary) => [summary.topic, summary]));
  }

  #view(vpcId: string, queued: ReadonlyMap<string, TopicSummary>): TopicView {
    const { vpcs, goals } = this.#options;
    const { channel, override, ports, largestGroup } = vpcs.get(vpcId) ?? unknownFacts;
    const topic = topicOf(vpcId);
    const local = goals.topics.get(`vpc/${vpcId}`);
    const { messages, bytes, position } = queued.get(topic) ?? {
      messages: local?.size ?? 0,
      bytes: null,
      position: local?.position ?? 0,
    };
    const shown = { topic, vpc_id: vpcId, channel, override: override ?? 'automatic' } as const;
    return { ...shown, ports, largest_group: largestGroup, messages, bytes, position };
  }
}

/** Of a network that has just been made. */
const unknownFacts: VpcFacts = { channel: 'grpc', override: null, ports: 0, largestGroup: 0 };
