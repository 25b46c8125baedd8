import { type AgentId, type AgentTypes, type NodeId, refusal } from '@alcor/network';
import { attributesOf, listed } from '../attribute.ts';
import { define } from '../definition.ts';
import { dictionary, flag, isUuid, nullMeans, nullable, oneOf, refined, text, timestamp, uuid } from '../kinds.ts';

const { field, computed, constant } = attributesOf<AgentTypes>();

const host = refined(text(255), (name) => name as NodeId);

/** `2026-07-01 10:00:00`: agents have their instants in this form. */
function agentTime(at: Date | null): string | null {
  return at === null ? null : at.toISOString().slice(0, 19).replace('T', ' ');
}

/** The agents of the region's hosts. Only administrators see them: nobody owns one. */
export const agent = define<AgentTypes>({
  singular: 'agent',
  plural: 'agents',
  prefix: '/v2.0',
  about: 'What keeps the switch of a host at what the region wants; there is one for each registered node',
  tenancy: 'project',
  operations: ['list', 'show', 'update', 'delete'],
  policy: { get: 'admin', update: 'admin', delete: 'admin' },
  collection: (store) => store.agents,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as AgentId) : null),
  notFound: (agentId) => refusal('AgentNotFound', { agentId }),
  attributes: {
    id: field('id', uuid(), 'Given by the region', listed),
    agent_type: constant(oneOf('Open vSwitch agent'), 'Every host has an Open vSwitch', 'Open vSwitch agent'),
    binary: constant(oneOf('alcor-agent'), 'The program', 'alcor-agent'),
    topic: constant(oneOf('N/A'), 'Agents are spoken to one by one', 'N/A'),
    host: field('host', host, 'The node it runs on', listed),
    availability_zone: field('availabilityZone', text(255), 'Its node’s', listed),
    admin_state_up: field('adminStateUp', flag, 'For people: agents work on', { put: true, ...listed }),
    alive: field('alive', flag, 'It was heard of in the last 75 seconds', listed),
    created_at: field('createdAt', timestamp, 'When its node was registered', { sort: true, wire: agentTime }),
    started_at: field('startedAt', nullable(timestamp), 'Heard of without a gap since; null: never', {
      wire: agentTime,
    }),
    heartbeat_timestamp: field('heartbeatAt', nullable(timestamp), 'Last heard of; null: never', { wire: agentTime }),
    description: field('description', nullMeans(text(255), ''), 'For people', {
      put: true,
      ...listed,
      wire: (words) => (words === '' ? null : words),
    }),
    configurations: computed(dictionary, 'What it does', ({ tunnelIp, ports }) => ({
      tunnel_types: ['vxlan'],
      tunneling_ip: tunnelIp,
      bridge_mappings: {},
      devices: ports,
    })),
    resources_synced: constant(nullable(flag), 'Nothing is told to a placement service', null),
  },
});
