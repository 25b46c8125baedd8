import type { Lease } from './lease.ts';
import type { NetworkId } from './nouns.ts';

/**
 * How the goals of a VPC reach its hosts. `grpc`: each host's config manager reads them for it and sends them down its stream.
 * `mq`: the host reads them itself, from the VPC's topic in the message queue. `on-demand`: as `grpc`, but of neighbours a host is told only
 * those that it has asked for.
 */
export const channelNames = ['grpc', 'mq', 'on-demand'] as const;
export type ChannelName = (typeof channelNames)[number];

/** The channel of a VPC; a VPC without such a row has `grpc`, chosen by its size. */
export interface Channel {
  /** The VPC. */
  readonly id: NetworkId;
  /** In force: with `mq`, the topic is whole and somebody keeps it so. */
  readonly channel: ChannelName;
  /** What an administrator wants whatever the size; null: chosen by size. */
  readonly override: ChannelName | null;
  readonly revision: number;
}

export interface ChannelStore {
  /** Says what is in force. Rejects with LeaseLost when `lease` is in other hands. Does nothing for a network that is gone. */
  setChannel(networkId: NetworkId, channel: ChannelName, lease: Lease): Promise<void>;
  /** Says what an administrator wants. Rejects with NetworkNotFound. */
  setChannelOverride(networkId: NetworkId, override: ChannelName | null): Promise<Channel>;
}
