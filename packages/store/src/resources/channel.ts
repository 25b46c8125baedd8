import { refusal } from '@alcor/network';
import type { Channel, NetworkId } from '@alcor/network';
import type { Column, Resource } from '../resource.ts';

/** A channel is read by the feed and written by `channels.ts`: it is in no list of the API. */
interface ChannelTypes {
  readonly id: NetworkId;
  readonly view: Channel;
  readonly create: never;
  readonly update: never;
  readonly filter: object;
  readonly sortKey: never;
}

const channelColumns = {
  id: { name: 'id', type: 'uuid' },
  channel: { name: 'channel', type: 'text' },
  override: { name: 'override', type: 'text' },
  revision: { name: 'revision', type: 'integer' },
} as const satisfies Record<string, Column>;

export const channelResource: Resource<ChannelTypes> = {
  kind: 'channel',
  table: 'vpc_channels',
  columns: channelColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: {},
  visibleTo: null,
  notFound: (networkId) => refusal('NetworkNotFound', { networkId }),
  canonical: (row) => row,
};
