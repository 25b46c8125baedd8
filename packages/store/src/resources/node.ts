import { refusal } from '@alcor/network';
import type { NodeTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { canonicalAddress, history } from './common.ts';
import { aliveCondition } from './host.ts';

const nodeColumns = {
  id: { name: 'id', type: 'text' },
  name: { name: 'name', type: 'text' },
  ip: { name: 'ip', type: 'inet' },
  agentAddress: { name: 'agent_address', type: 'text' },
  availabilityZone: { name: 'availability_zone', type: 'text' },
  configManagerId: { name: 'config_manager_id', type: 'uuid' },
  gatewayId: { name: 'gateway_id', type: 'uuid' },
  gateway: { name: 'gateway', type: 'boolean' },
  lost: { name: 'lost', type: 'boolean' },
  draining: { name: 'draining', type: 'boolean' },
  maxPorts: { name: 'max_ports', type: 'integer' },
  bridgeMappings: { name: 'bridge_mappings', type: 'jsonb' },
  ...history,
} as const satisfies Record<string, Column>;

export const nodeResource: Resource<NodeTypes> = {
  kind: 'node',
  table: 'nodes',
  columns: nodeColumns,
  composed: {},
  viewed: { heartbeatAt: 'a.heartbeat_at', alive: aliveCondition('a') },
  join: 'left join agents a on a.node_id = t.id',
  filters: { alive: (values) => `${aliveCondition('a')}::text = any(${values})` },
  sortKeys: sortKeysOf(nodeColumns, [
    'id',
    'name',
    'ip',
    'agentAddress',
    'availabilityZone',
    'createdAt',
    'updatedAt',
    'revision',
  ]),
  visibleTo: null,
  notFound: (nodeId) => refusal('NodeNotFound', { nodeId }),
  canonical: (row) => ({ ...row, ip: canonicalAddress(row.ip) }),
};
