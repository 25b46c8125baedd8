import { type SubnetPoolId, type SubnetTypes, refusal } from '@alcor/network';
import { allocationPool, cidr, hostRoute, ip } from '../address-kinds.ts';
import { attributesOf, chosen, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import {
  Refusal,
  flag,
  integer,
  isUuid,
  listOf,
  nullable,
  nullMeans,
  oneOf,
  refined,
  shown,
  text,
  uuid,
} from '../kinds.ts';
import { bySharing, identity, records } from './common.ts';
import { network } from './network.ts';
import { subnetPool } from './subnet-pool.ts';

const { condition, field, wish, unenforced } = attributesOf<SubnetTypes>();

/** Neutron's own limits. */
const maxNameservers = 5;
const maxHostRoutes = 20;
const maxPools = 100;

const addressMode = nullable(oneOf('slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'));

/** Device owners begin with the name of a service. */
const serviceType = refined(text(255), (type) =>
  /^[^:]+:/.test(type) ? type : new Refusal(`${shown(type)} is not a valid service type`),
);

export const subnet = define<SubnetTypes>({
  singular: 'subnet',
  plural: 'subnets',
  prefix: '/v2.0',
  about: 'A block of addresses on a network',
  tenancy: 'project',
  policy: {
    create: 'network owner',
    update: ['member', 'network owner'],
    delete: ['member', 'network owner'],
    networkField: 'networkId',
  },
  collection: (store) => store.subnets,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as SubnetTypes['id']) : null),
  notFound: (subnetId) => refusal('SubnetNotFound', { subnetId }),
  attributes: {
    ...identity<SubnetTypes>(),
    network_id: field('networkId', uuid(), 'The network it is on', {
      post: required,
      ...listed,
      refers: [{ to: () => network }],
    }),
    ip_version: field('ipVersion', oneOf(4, 6), 'Must agree with cidr', { post: required, ...listed }),
    cidr: field('cidr', cidr, 'Must not overlap another subnet of the network', { post: chosen, ...listed }),
    gateway_ip: field('gatewayIp', nullable(ip), 'Null: none. Default: the first address', {
      post: chosen,
      put: true,
      ...listed,
    }),
    enable_dhcp: field('enableDhcp', flag, 'Hosts answer DHCP of its ports', {
      post: initially(true),
      put: true,
      ...listed,
    }),
    allocation_pools: field(
      'allocationPools',
      listOf(allocationPool, maxPools),
      'Where ports get addresses from. Default: all but the gateway',
      { post: chosen, put: true },
    ),
    dns_nameservers: field(
      'dnsNameservers',
      nullMeans(listOf(ip, maxNameservers, String), []),
      'Told to guests by DHCP',
      { post: initially([]), put: true },
    ),
    host_routes: field(
      'hostRoutes',
      nullMeans(
        listOf(hostRoute, maxHostRoutes, (route) => `${route.destination} ${route.nexthop}`),
        [],
      ),
      'Told to guests by DHCP',
      { post: initially([]), put: true },
    ),
    ipv6_ra_mode: field('ipv6RaMode', addressMode, 'What router advertisements tell guests to do for an address', {
      post: initially(null),
      filter: true,
    }),
    ipv6_address_mode: field('ipv6AddressMode', addressMode, 'Who gives guests their addresses', {
      post: initially(null),
      filter: true,
    }),
    subnetpool_id: field('subnetPoolId', nullable(uuid<SubnetPoolId>()), 'The pool that its block comes out of', {
      post: initially(null),
      filter: true,
      refers: [{ to: () => subnetPool }],
    }),
    use_default_subnetpool: wish('useDefaultSubnetPool', flag, 'True: its block comes out of the default pool'),
    prefixlen: wish('prefixlen', integer(0, 128), 'How large a block of the pool. Default: as the pool says'),
    segment_id: unenforced(nullable(uuid()), null, 'a network has one segment here', { visible: false }),
    service_types: field(
      'serviceTypes',
      nullMeans(
        listOf(serviceType, 64, (type) => type),
        [],
      ),
      'Only ports with these device owners get its addresses. Default: all do',
      { post: initially([]), put: true },
    ),
    shared: condition('Its network is shared with the caller’s project', bySharing),
    dns_publish_fixed_ip: unenforced(flag, false, 'names are published to no DNS outside', { visible: false }),
    ...records<SubnetTypes>(),
  },
});
