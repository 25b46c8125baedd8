export { Delivery, type DeliveryOptions, type Host } from './delivery.ts';
export { type PortReport, StatusCollector, type StatusSink } from './status-collector.ts';
