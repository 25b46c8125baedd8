import { refusal } from '@alcor/network';
import type { NetworkTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { granteesView, visibleByGrant } from '../sharing.ts';
import { zonesView } from '../zones.ts';
import { history, identity, tenantKeys } from './common.ts';

const networkColumns = {
  ...identity,
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  shared: { name: 'shared', type: 'boolean' },
  external: { name: 'external', type: 'boolean' },
  isDefault: { name: 'is_default', type: 'boolean' },
  mtu: { name: 'mtu', type: 'integer' },
  vni: { name: 'vni', type: 'integer' },
  networkType: { name: 'network_type', type: 'text' },
  physicalNetwork: { name: 'physical_network', type: 'text', nullsAs: `''` },
  vlan: { name: 'vlan', type: 'integer', nullsAs: '0' },
  portSecurityEnabled: { name: 'port_security_enabled', type: 'boolean' },
  qosPolicyId: { name: 'qos_policy_id', type: 'uuid' },
  dnsDomain: { name: 'dns_domain', type: 'text' },
  availabilityZoneHints: { name: 'availability_zone_hints', type: 'jsonb' },
  ...history,
} as const satisfies Record<string, Column>;

/** What `provider:segmentation_id` says of the network at `network`: the one place that knows. */
export function segmentationId(network: string): string {
  return `(case ${network}.network_type when 'vxlan' then ${network}.vni else ${network}.vlan end)`;
}

export const networkResource: Resource<NetworkTypes> = {
  kind: 'network',
  table: 'networks',
  columns: networkColumns,
  composed: {},
  viewed: {
    subnetIds: `(select coalesce(json_agg(s.id order by s.id), '[]') from subnets s where s.network_id = t.id)`,
    ipv4AddressScope: addressScope(4),
    ipv6AddressScope: addressScope(6),
    grantees: granteesView,
    segmentationId: segmentationId('t'),
    availabilityZones: zonesView,
  },
  join: '',
  filters: { segmentationId: (values) => `${segmentationId('t')}::text = any(${values})` },
  sortKeys: {
    ...sortKeysOf(networkColumns, [...tenantKeys, 'adminStateUp', 'shared', 'external', 'mtu']),
    segmentationId: `coalesce(${segmentationId('t')}, 0)`,
  },
  visibleTo: visibleByGrant,
  sharing: {
    objectType: 'network',
    grants: {
      // Ports of nobody's are those of gateways and floating IPs, which rest on the other grant.
      access_as_shared: {
        flag: 'shared',
        users: (network) => `select p.project_id from ports p where p.network_id = ${network} and p.project_id <> ''`,
      },
      access_as_external: {
        flag: 'external',
        anyTarget: true,
        users: (network) => `select r.project_id from routers r join ports p on p.id = r.gateway_port_id
            where p.network_id = ${network}
          union all select f.project_id from floating_ips f where f.network_id = ${network}`,
        kept: (network) => `select 1 from networks n where n.id = ${network} and n.is_default`,
      },
    },
  },
  notFound: (networkId) => refusal('NetworkNotFound', { networkId }),
  canonical: (row) => row,
};

/** The one scope that the pools of the network's subnets are in (`checkPoolAffinity`). */
function addressScope(version: 4 | 6): string {
  return `(select p.address_scope_id from subnets s join subnet_pools p on p.id = s.subnet_pool_id
    where s.network_id = t.id and s.ip_version = ${version} and p.address_scope_id is not null limit 1)`;
}
