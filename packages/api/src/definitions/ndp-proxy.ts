import { type NdpProxyTypes, type RouterId, refusal } from '@alcor/network';
import { ip } from '../address-kinds.ts';
import { attributesOf, chosen, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { isUuid, nullable, uuid } from '../kinds.ts';
import { identity, records } from './common.ts';
import { port } from './port.ts';
import { router } from './router.ts';

const { field } = attributesOf<NdpProxyTypes>();

export const ndpProxy = define<NdpProxyTypes>({
  singular: 'ndp_proxy',
  plural: 'ndp_proxies',
  prefix: '/v2.0',
  about: 'That a router answers neighbour discovery outside for an IPv6 address behind it',
  tenancy: 'project',
  collection: (store) => store.ndpProxies,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as NdpProxyTypes['id']) : null),
  notFound: (ndpProxyId) => refusal('NDPProxyNotFound', { ndpProxyId }),
  attributes: {
    ...identity<NdpProxyTypes>(),
    router_id: field('routerId', uuid<RouterId>(), 'It must have enable_ndp_proxy', {
      post: required,
      ...listed,
      refers: [{ to: () => router }],
    }),
    port_id: field('portId', uuid(), 'The guest’s port, on a subnet of the router', {
      post: required,
      ...listed,
      refers: [{ to: () => port }],
    }),
    ip_address: field('ip', nullable(ip), 'The port’s address. Default: the first of IPv6 that the router reaches', {
      post: chosen,
      ...listed,
    }),
    ...records<NdpProxyTypes>(),
  },
});
