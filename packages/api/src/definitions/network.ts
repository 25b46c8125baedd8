import { type NetworkTypes, networkTypes, type QosPolicyId, refusal } from '@alcor/network';
import { attributesOf, chosen, initially, listed } from '../attribute.ts';
import { define } from '../definition.ts';
import { dictionary, flag, integer, isUuid, listOf, nullable, nullMeans, oneOf, text, uuid } from '../kinds.ts';
import { adminOnly, adminSets } from '../policy.ts';
import { keptPolicy } from './qos.ts';
import { bySharing, identity, inZones, records, sharedWith } from './common.ts';
import { dnsDomain } from './port-extras.ts';

const { field, computed, constant, unenforced } = attributesOf<NetworkTypes>();

const guestMtu = 'Bytes of the largest IP packet that guests may send; the underlay decides the upper bound';

const scoped = 'The address scope of the pools that its subnets come out of';

export const network = define<NetworkTypes>({
  singular: 'network',
  plural: 'networks',
  prefix: '/v2.0',
  about: 'A layer-2 domain of one tenant',
  tenancy: 'project',
  collection: (store) => store.networks,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as NetworkTypes['id']) : null),
  notFound: (networkId) => refusal('NetworkNotFound', { networkId }),
  attributes: {
    ...identity<NetworkTypes>(),
    admin_state_up: field('adminStateUp', flag, 'False: nothing is forwarded', {
      post: initially(true),
      put: true,
      ...listed,
    }),
    status: constant(oneOf('ACTIVE'), 'A network is ready once it is made', 'ACTIVE'),
    shared: field(
      'shared',
      flag,
      'The caller’s project may use it, because every project may, or by a grant of its own',
      {
        post: initially(false),
        put: true,
        ...listed,
        filter: bySharing,
        wire: sharedWith,
        access: adminSets,
      },
    ),
    subnets: computed(listOf(uuid(), 1_000_000), 'Its subnets, oldest first', (view) => view.subnetIds),
    mtu: field('mtu', integer(68, 65_535), guestMtu, { post: chosen, put: true, ...listed }),
    port_security_enabled: field('portSecurityEnabled', flag, 'The default for its ports', {
      post: initially(true),
      put: true,
      filter: true,
    }),
    'provider:network_type': field(
      'networkType',
      oneOf(...networkTypes),
      'vxlan: tunnels between hosts carry it; flat, vlan: it lies on a physical network, without a tag or with one',
      { post: initially('vxlan'), filter: true, access: adminOnly },
    ),
    'provider:physical_network': field(
      'physicalNetwork',
      nullable(text(64)),
      'Of flat and vlan: the physical network, as hosts call it that have a bridge to it',
      { post: initially(null), filter: true, access: adminOnly },
    ),
    'provider:segmentation_id': field(
      'segmentationId',
      nullable(integer(1, 16_777_215)),
      'VXLAN network identifier, one network each, or the tag of a vlan, 1 to 4094, one network of the physical one each',
      { post: chosen, ...listed, access: adminOnly },
    ),
    'router:external': field('external', flag, 'Routers’ gateways and floating IPs may be on it', {
      post: initially(false),
      put: true,
      ...listed,
      access: adminSets,
    }),
    is_default: field('isDefault', flag, 'The external network of those who name none', {
      post: initially(false),
      put: true,
      filter: true,
      access: adminSets,
    }),
    qos_policy_id: field(
      'qosPolicyId',
      nullable(uuid<QosPolicyId>()),
      'What quality its ports get. Default: the project’s default policy',
      {
        post: initially(null),
        put: true,
        filter: true,
        refers: [keptPolicy],
      },
    ),
    dns_domain: field('dnsDomain', dnsDomain, 'The domain of its ports’ names', {
      post: initially(''),
      put: true,
      filter: true,
    }),
    vlan_transparent: unenforced(nullMeans(flag, false), false, 'guests’ VLAN tags are not carried', {
      visible: false,
      put: false,
    }),
    segments: unenforced(nullMeans(listOf(dictionary, 64), []), [], 'a network has one segment here', {
      visible: false,
      access: adminOnly,
    }),
    ipv4_address_scope: computed(nullable(uuid()), scoped, (view) => view.ipv4AddressScope),
    ipv6_address_scope: computed(nullable(uuid()), scoped, (view) => view.ipv6AddressScope),
    ...inZones<NetworkTypes>(),
    ...records<NetworkTypes>(),
  },
});
