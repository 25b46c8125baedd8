import { canonicalIp, refusal } from '@alcor/network';
import type { NetworkTypes, NodeTypes, PortTypes, SubnetTypes } from '@alcor/network';
import { sortKeysOf } from './resource.ts';
import type { Column, Resource } from './resource.ts';

const identity = {
  id: { name: 'id', type: 'uuid' },
  projectId: { name: 'project_id', type: 'text' },
  name: { name: 'name', type: 'text' },
  description: { name: 'description', type: 'text' },
} as const satisfies Record<string, Column>;

const history = {
  revision: { name: 'revision', type: 'integer' },
  createdAt: { name: 'created_at', type: 'timestamptz' },
  updatedAt: { name: 'updated_at', type: 'timestamptz' },
} as const satisfies Record<string, Column>;

const tenantKeys = ['id', 'projectId', 'name', 'description', 'revision', 'createdAt', 'updatedAt'] as const;

const networkColumns = {
  ...identity,
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  shared: { name: 'shared', type: 'boolean' },
  mtu: { name: 'mtu', type: 'integer' },
  vni: { name: 'vni', type: 'integer' },
  portSecurityEnabled: { name: 'port_security_enabled', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

export const networkResource: Resource<NetworkTypes> = {
  kind: 'network',
  table: 'networks',
  columns: networkColumns,
  composed: {},
  viewed: {
    subnetIds: `(select coalesce(json_agg(s.id order by s.id), '[]') from subnets s where s.network_id = t.id)`,
  },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(networkColumns, [...tenantKeys, 'adminStateUp', 'shared', 'mtu', 'vni']),
  visibleTo: (project) => `(t.project_id = ${project} or t.shared)`,
  notFound: (networkId) => refusal('NetworkNotFound', { networkId }),
  canonical: (row) => row,
};

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
  ...history,
} as const satisfies Record<string, Column>;

export const subnetResource: Resource<SubnetTypes> = {
  kind: 'subnet',
  table: 'subnets',
  columns: subnetColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(subnetColumns, [...tenantKeys, 'networkId', 'ipVersion', 'cidr', 'gatewayIp', 'enableDhcp']),
  visibleTo: (project) => `(t.project_id = ${project} or t.network_id in (select n.id from networks n where n.shared))`,
  notFound: (subnetId) => refusal('SubnetNotFound', { subnetId }),
  canonical: (row) => (row.gatewayIp === null ? row : { ...row, gatewayIp: canonicalAddress(row.gatewayIp) }),
};

const portColumns = {
  ...identity,
  networkId: { name: 'network_id', type: 'uuid' },
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  mac: { name: 'mac', type: 'macaddr' },
  hostId: { name: 'host_id', type: 'text', nullsAs: `''` },
  deviceId: { name: 'device_id', type: 'text' },
  deviceOwner: { name: 'device_owner', type: 'text' },
  portSecurityEnabled: { name: 'port_security_enabled', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

export const portResource: Resource<PortTypes> = {
  kind: 'port',
  table: 'ports',
  columns: portColumns,
  composed: {
    fixedIps: `(select coalesce(json_agg(json_build_object('subnetId', a.subnet_id, 'ip', host(a.ip)) order by a.ordinal), '[]')
      from ip_allocations a where a.port_id = t.id)`,
  },
  viewed: { status: `coalesce(u.status, 'DOWN')`, statusReason: `coalesce(u.reason, '')` },
  join: 'left join port_status u on u.port_id = t.id',
  filters: {
    status: (values) => `coalesce(u.status, 'DOWN') = any(${values})`,
  },
  sortKeys: {
    ...sortKeysOf(portColumns, [
      ...tenantKeys,
      'networkId',
      'mac',
      'hostId',
      'deviceId',
      'deviceOwner',
      'adminStateUp',
      'portSecurityEnabled',
    ]),
    status: `coalesce(u.status, 'DOWN')`,
  },
  visibleTo: (project) =>
    `(t.project_id = ${project} or t.network_id in (select n.id from networks n where n.project_id = ${project}))`,
  notFound: (portId) => refusal('PortNotFound', { portId }),
  canonical: (row) => ({
    ...row,
    fixedIps: row.fixedIps.map(({ subnetId, ip }) => ({ subnetId, ip: canonicalAddress(ip) })),
  }),
};

const nodeColumns = {
  id: { name: 'id', type: 'text' },
  name: { name: 'name', type: 'text' },
  ip: { name: 'ip', type: 'inet' },
  agentAddress: { name: 'agent_address', type: 'text' },
  ...history,
} as const satisfies Record<string, Column>;

export const nodeResource: Resource<NodeTypes> = {
  kind: 'node',
  table: 'nodes',
  columns: nodeColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(nodeColumns, ['id', 'name', 'ip', 'agentAddress', 'createdAt', 'updatedAt', 'revision']),
  visibleTo: null,
  notFound: (nodeId) => refusal('NodeNotFound', { nodeId }),
  canonical: (row) => ({ ...row, ip: canonicalAddress(row.ip) }),
};

/** PostgreSQL writes some IPv6 addresses with a dotted quad where RFC 5952 does not. */
function canonicalAddress(ip: string): string {
  return ip.includes(':') ? (canonicalIp(ip) ?? ip) : ip;
}
