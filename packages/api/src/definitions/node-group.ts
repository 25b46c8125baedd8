import {
  type ConfigManagerId,
  type ConfigManagerTypes,
  type GatewayId,
  type GatewayTypes,
  refusal,
} from '@alcor/network';
import { agentAddress, ip } from '../address-kinds.ts';
import { attributesOf, initially, listed } from '../attribute.ts';
import { define } from '../definition.ts';
import { integer, isUuid, nullable, refined, text, timestamp, uuid } from '../kinds.ts';
import { wireTime } from './common.ts';

const own = { post: initially(''), put: true, ...listed } as const;
const count = integer(0, Number.MAX_SAFE_INTEGER);

const manager = attributesOf<ConfigManagerTypes>();

export const configManager = define<ConfigManagerTypes>({
  singular: 'config_manager',
  plural: 'config_managers',
  prefix: '/alcor/v1',
  path: 'config-managers',
  about: 'Who drives a group of nodes; nodes name it by config_manager_id',
  tenancy: 'region',
  collection: (store) => store.configManagers,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as ConfigManagerId) : null),
  notFound: (configManagerId) => refusal('ConfigManagerNotFound', { configManagerId }),
  attributes: {
    id: manager.field('id', uuid(), 'Given by the region', listed),
    name: manager.field('name', text(255), 'For people; need not be unique', own),
    description: manager.field('description', text(255), 'For people', own),
    address: manager.field(
      'address',
      refined(text(255), (value) => (value === '' ? value : agentAddress.parse(value))),
      'Where it listens: host:port or unix:/path; empty: not said',
      own,
    ),
    nodes: manager.computed(count, 'How many nodes name it', (view) => view.nodes),
    revision_number: manager.field('revision', count, 'Grows with every change', listed),
    created_at: manager.field('createdAt', timestamp, 'When it was made', { sort: true, wire: wireTime }),
    updated_at: manager.field('updatedAt', timestamp, 'When it last changed', { sort: true, wire: wireTime }),
  },
});

const exit = attributesOf<GatewayTypes>();

export const gateway = define<GatewayTypes>({
  singular: 'gateway',
  plural: 'gateways',
  prefix: '/alcor/v1',
  about: 'Where the traffic of a group of nodes leaves the region; nodes name it by gateway_id',
  tenancy: 'region',
  collection: (store) => store.gateways,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as GatewayId) : null),
  notFound: (gatewayId) => refusal('GatewayNotFound', { gatewayId }),
  attributes: {
    id: exit.field('id', uuid(), 'Given by the region', listed),
    name: exit.field('name', text(255), 'For people; need not be unique', own),
    description: exit.field('description', text(255), 'For people', own),
    ip: exit.field('ip', nullable(ip), 'Its address on the underlay', { post: initially(null), put: true, ...listed }),
    nodes: exit.computed(count, 'How many nodes name it', (view) => view.nodes),
    revision_number: exit.field('revision', count, 'Grows with every change', listed),
    created_at: exit.field('createdAt', timestamp, 'When it was made', { sort: true, wire: wireTime }),
    updated_at: exit.field('updatedAt', timestamp, 'When it last changed', { sort: true, wire: wireTime }),
  },
});
