import { refusal } from '@alcor/network';
import type { SubnetTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { sharingOf } from '../sharing.ts';
import { canonicalAddress, history, identity, tenantKeys } from './common.ts';

const subnetColumns = {
  ...identity,
  networkId: { name: 'network_id', type: 'uuid' },
  ipVersion: { name: 'ip_version', type: 'smallint' },
  cidr: { name: 'cidr', type: 'cidr' },
  gatewayIp: { name: 'gateway_ip', type: 'inet', nullsAs: `'0.0.0.0'::inet` },
  enableDhcp: { name: 'enable_dhcp', type: 'boolean' },
  allocationPools: { name: 'allocation_pools', type: 'jsonb' },
  dnsNameservers: { name: 'dns_nameservers', type: 'jsonb' },
  hostRoutes: { name: 'host_routes', type: 'jsonb' },
  ipv6RaMode: { name: 'ipv6_ra_mode', type: 'text' },
  ipv6AddressMode: { name: 'ipv6_address_mode', type: 'text' },
  serviceTypes: { name: 'service_types', type: 'jsonb' },
  subnetPoolId: { name: 'subnet_pool_id', type: 'uuid' },
  ...history,
} as const satisfies Record<string, Column>;

export const subnetResource: Resource<SubnetTypes> = {
  kind: 'subnet',
  table: 'subnets',
  columns: subnetColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: sharingOf('t.network_id'),
  sortKeys: sortKeysOf(subnetColumns, [...tenantKeys, 'networkId', 'ipVersion', 'cidr', 'gatewayIp', 'enableDhcp']),
  visibleTo: (project) => `(t.project_id = ${project} or t.network_id = any(array(
    select r.object_id from rbac_policies r
    where r.target_project in ('*', ${project}) and r.action = 'access_as_shared')))`,
  notFound: (subnetId) => refusal('SubnetNotFound', { subnetId }),
  canonical: (row) => (row.gatewayIp === null ? row : { ...row, gatewayIp: canonicalAddress(row.gatewayIp) }),
};
