import type { FloatingIpPoolTypes, FloatingIpTypes, PortForwardingTypes } from './floating-ip.ts';
import type { Collection } from './intent-store.ts';
import type { Routers } from './router.ts';

/** The part of the store that joins networks with each other and with what is outside. */
export interface RoutingStore {
  readonly routers: Routers;
  readonly floatingIps: Collection<FloatingIpTypes>;
  readonly portForwardings: Collection<PortForwardingTypes>;
  readonly floatingIpPools: Pick<Collection<FloatingIpPoolTypes>, 'get' | 'list'>;
}
