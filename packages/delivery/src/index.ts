export { Delivery, type DeliveryOptions, type Host } from './delivery.ts';
export { StatusCollector, type StatusSink } from './status-collector.ts';
