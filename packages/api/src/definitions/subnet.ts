import { type SubnetTypes, refusal } from '@alcor/network';
import { allocationPool, cidr, hostRoute, ip } from '../address-kinds.ts';
import { attributesOf, chosen, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { flag, integer, isUuid, listOf, nullable, nullMeans, oneOf, text, uuid } from '../kinds.ts';
import { identity, records } from './common.ts';

const { field, unenforced } = attributesOf<SubnetTypes>();

/** Neutron's own limits. */
const maxNameservers = 5;
const maxHostRoutes = 20;
const maxPools = 100;

const addressMode = nullable(oneOf('slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'));
const noRouterAdvertisement = 'no router advertisements are sent yet';
const noPools = 'this region has no subnet pools yet';

export const subnet = define<SubnetTypes>({
  singular: 'subnet',
  plural: 'subnets',
  prefix: '/v2.0',
  about: 'A block of addresses on a network',
  tenancy: 'project',
  collection: (store) => store.subnets,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as SubnetTypes['id']) : null),
  notFound: (subnetId) => refusal('SubnetNotFound', { subnetId }),
  attributes: {
    ...identity<SubnetTypes>(),
    network_id: field('networkId', uuid(), 'The network it is on', { post: required, ...listed }),
    ip_version: field('ipVersion', oneOf(4, 6), 'Must agree with cidr', { post: required, ...listed }),
    cidr: field('cidr', cidr, 'Must not overlap another subnet of the network', { post: required, ...listed }),
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
    ipv6_ra_mode: unenforced(addressMode, null, noRouterAdvertisement, { put: false }),
    ipv6_address_mode: unenforced(addressMode, null, noRouterAdvertisement, { put: false }),
    subnetpool_id: unenforced(nullable(text(255)), null, noPools, { put: false }),
    use_default_subnetpool: unenforced(flag, false, noPools, { put: false, visible: false }),
    prefixlen: unenforced(nullable(integer(0, 128)), null, noPools, { put: false, visible: false }),
    segment_id: unenforced(nullable(uuid()), null, 'a network has one segment here', { visible: false }),
    service_types: unenforced(nullMeans(listOf(text(255), 64), []), [], 'addresses are not chosen by device owner', {
      visible: false,
    }),
    dns_publish_fixed_ip: unenforced(flag, false, 'no DNS is served yet', { visible: false }),
    ...records<SubnetTypes>(),
  },
});
