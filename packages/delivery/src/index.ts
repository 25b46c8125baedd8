export { chooseChannel, type Threshold, type Thresholds, type VpcFacts } from './channel-choice.ts';
export { ChannelKeeper, type ChannelKeeperOptions } from './channel-keeper.ts';
export { Delivery, type DeliveryOptions, type Host, type VpcChannel } from './delivery.ts';
export type { HostGoal } from './unicast-goals.ts';
export { GatewayWatch, type GatewayWatchOptions } from './gateway-watch.ts';
export { HostShare, type OwnHost } from './host-share.ts';
export { LeaseKeeper, type LeaseKeeperOptions, type ShardWork } from './lease-keeper.ts';
export { StatusCollector, type StatusSink } from './status-collector.ts';
export { type PublishCounters, TopicPublisher, type TopicPublisherOptions } from './topic-publisher.ts';
