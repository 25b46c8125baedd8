import type { ConntrackHelperTypes } from './conntrack-helper.ts';
import type { FloatingIpPoolTypes, FloatingIpTypes, PortForwardingTypes } from './floating-ip.ts';
import type { Collection } from './collection.ts';
import type { LocalIpAssociationTypes, LocalIpTypes } from './local-ip.ts';
import type { NdpProxyTypes } from './ndp-proxy.ts';
import type { Routers } from './router.ts';

/** The part of the store that joins networks with each other and with what is outside. */
export interface RoutingStore {
  readonly routers: Routers;
  readonly floatingIps: Collection<FloatingIpTypes>;
  readonly portForwardings: Collection<PortForwardingTypes>;
  readonly floatingIpPools: Pick<Collection<FloatingIpPoolTypes>, 'get' | 'list'>;
  readonly conntrackHelpers: Collection<ConntrackHelperTypes>;
  readonly ndpProxies: Collection<NdpProxyTypes>;
  readonly localIps: Collection<LocalIpTypes>;
  readonly localIpAssociations: Collection<LocalIpAssociationTypes>;
}
