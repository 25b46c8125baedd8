import type { RoutingStore } from '@alcor/network';
import type { StoreContext } from './context.ts';
import { createConntrackHelperCollection } from './conntrack-helper-collection.ts';
import { createFloatingIpCollection } from './floating-ip-collection.ts';
import { guarded } from './guard.ts';
import { createLocalIpAssociationCollection, createLocalIpCollection } from './local-ip-collections.ts';
import { createNdpProxyCollection } from './ndp-proxies.ts';
import { createPortForwardingCollection } from './port-forwarding-collection.ts';
import { readPage, readView } from './reader.ts';
import { floatingIpPoolResource } from './resources/floating-ip.ts';
import { createRouterCollection } from './router-collection.ts';

/** What joins networks with each other and with what is outside. */
export function createRoutingCollections(context: StoreContext): RoutingStore {
  const { database } = context;
  return {
    routers: guarded(createRouterCollection(context)),
    floatingIps: guarded(createFloatingIpCollection(context)),
    portForwardings: guarded(createPortForwardingCollection(context)),
    floatingIpPools: guarded({
      get: (id) => readView(database, floatingIpPoolResource, id),
      list: (query) => readPage(database, floatingIpPoolResource, query),
    }),
    conntrackHelpers: guarded(createConntrackHelperCollection(context)),
    ndpProxies: guarded(createNdpProxyCollection(context)),
    localIps: guarded(createLocalIpCollection(context)),
    localIpAssociations: guarded(createLocalIpAssociationCollection(context)),
  };
}
