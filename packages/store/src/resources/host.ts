import { refusal } from '@alcor/network';
import type { AgentTypes, AvailabilityZoneTypes, ConfigManagerTypes, GatewayTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { canonicalAddress, history, identity } from './common.ts';

const agentColumns = {
  id: identity.id,
  host: { name: 'node_id', type: 'text' },
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  description: identity.description,
  startedAt: { name: 'started_at', type: 'timestamptz' },
  heartbeatAt: { name: 'heartbeat_at', type: 'timestamptz' },
  ...history,
} as const satisfies Record<string, Column>;

/** Heard of in as many seconds as Neutron waits: two heartbeats and a half. `agent` is what the table is called. */
export function aliveCondition(agent: string): string {
  return `coalesce(${agent}.heartbeat_at > now() - interval '75 seconds', false)`;
}

export const agentResource: Resource<AgentTypes> = {
  kind: null,
  table: 'agents',
  columns: agentColumns,
  composed: {},
  viewed: {
    alive: aliveCondition('t'),
    tunnelIp: 'host(n.ip)',
    availabilityZone: 'n.availability_zone',
    ports: '(select count(*)::int from ports p where p.host_id = t.node_id)',
  },
  join: 'join nodes n on n.id = t.node_id',
  filters: {
    alive: (values) => `${aliveCondition('t')}::text = any(${values})`,
    availabilityZone: (values) => `n.availability_zone = any(${values})`,
  },
  sortKeys: {
    ...sortKeysOf(agentColumns, ['id', 'host', 'adminStateUp', 'description', 'createdAt']),
    availabilityZone: 'n.availability_zone',
    alive: aliveCondition('t'),
  },
  // They belong to no project.
  visibleTo: (project) => `${project} is null`,
  notFound: (agentId) => refusal('AgentNotFound', { agentId }),
  canonical: (row) => row,
};

const zoneColumns = {
  id: { name: 'id', type: 'text' },
  name: { name: 'name', type: 'text' },
  resource: { name: 'resource', type: 'text' },
  state: { name: 'state', type: 'text' },
} as const satisfies Record<string, Column>;

export const availabilityZoneResource: Resource<AvailabilityZoneTypes> = {
  kind: null,
  table: 'availability_zones',
  columns: zoneColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(zoneColumns, ['id', 'name', 'resource', 'state']),
  visibleTo: null,
  notFound: (zone) => refusal('AvailabilityZoneNotFound', { zone }),
  canonical: (row) => row,
};

const groupColumns = {
  id: identity.id,
  name: identity.name,
  description: identity.description,
  ...history,
} as const satisfies Record<string, Column>;
const groupKeys = ['id', 'name', 'description', 'revision', 'createdAt', 'updatedAt'] as const;

/** How many nodes name the group. */
function nodesBy(column: string): string {
  return `(select count(*)::int from nodes n where n.${column} = t.id)`;
}

const configManagerColumns = {
  ...groupColumns,
  address: { name: 'address', type: 'text' },
} as const satisfies Record<string, Column>;

export const configManagerResource: Resource<ConfigManagerTypes> = {
  kind: null,
  table: 'config_managers',
  columns: configManagerColumns,
  composed: {},
  viewed: { nodes: nodesBy('config_manager_id') },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(configManagerColumns, [...groupKeys, 'address']),
  visibleTo: null,
  notFound: (configManagerId) => refusal('ConfigManagerNotFound', { configManagerId }),
  canonical: (row) => row,
};

const gatewayColumns = {
  ...groupColumns,
  ip: { name: 'ip', type: 'inet', nullsAs: `'0.0.0.0'::inet` },
} as const satisfies Record<string, Column>;

export const gatewayResource: Resource<GatewayTypes> = {
  kind: null,
  table: 'gateways',
  columns: gatewayColumns,
  composed: {},
  viewed: { nodes: nodesBy('gateway_id') },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(gatewayColumns, [...groupKeys, 'ip']),
  visibleTo: null,
  notFound: (gatewayId) => refusal('GatewayNotFound', { gatewayId }),
  canonical: (row) => ({ ...row, ip: row.ip === null ? null : canonicalAddress(row.ip) }),
};
