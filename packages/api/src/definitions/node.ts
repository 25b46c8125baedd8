import {
  type ConfigManagerId,
  type GatewayId,
  type NodeId,
  type NodeTypes,
  defaultZone,
  refusal,
} from '@alcor/network';
import { action } from '../action.ts';
import { agentAddress, ip } from '../address-kinds.ts';
import { attributesOf, chosen, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { Refusal, dictionary, flag, integer, nullable, refined, shown, text, timestamp, uuid } from '../kinds.ts';
import { wireTime } from './common.ts';
import { nodeProgramming } from './programming.ts';

const { field } = attributesOf<NodeTypes>();

/** Ids stand in paths and on the southbound: printable, without blanks and slashes. */
const idExpression = /^[\w.:@+-]{1,255}$/;
const nodeId = refined(text(255), (value) =>
  idExpression.test(value) ? (value as NodeId) : new Refusal(`${shown(value)} is not a valid host id`),
);

/** Zones stand in lists that are separated by commas and blanks. */
const zone = refined(text(255), (value) =>
  /^[^\s,]+$/.test(value) ? value : new Refusal(`${shown(value)} is not a valid availability zone`),
);

/** Names of bridges are those of devices. */
const bridgeMappings = refined(dictionary, (value) => {
  const wrong = Object.entries(value).find(
    ([network, bridge]) => network === '' || network.length > 64 || !/^[\w.-]{1,15}$/.test(String(bridge)),
  );
  if (wrong === undefined) return value as Readonly<Record<string, string>>;
  return new Refusal(`${shown(wrong[1])} is not the name of a bridge for physical network ${shown(wrong[0])}`);
});

const heartbeat = action({
  about: 'Its agent is there: what a host that keeps no stream to a config manager says every 30 seconds',
  answers: 'view',
  run: async ({ store, id }) => {
    await store.agents.heard([id as NodeId]);
    return store.nodes.get(id as NodeId);
  },
});

const group = { post: initially(null), put: true, filter: true } as const;

export const node = define<NodeTypes>({
  singular: 'node',
  plural: 'nodes',
  prefix: '/alcor/v1',
  about: 'A host of the region',
  tenancy: 'region',
  files: true,
  collection: (store) => store.nodes,
  parseId: (id) => (idExpression.test(id) ? (id as NodeId) : null),
  notFound: (id) => refusal('NodeNotFound', { nodeId: id }),
  complete: (body) =>
    Object.hasOwn(body, 'id') || !Object.hasOwn(body, 'name') ? body : { ...body, id: body['name'] },
  actions: { programming: nodeProgramming, heartbeat },
  attributes: {
    id: field('id', nodeId, 'The value of binding:host_id. Default: the name', { post: required, ...listed }),
    name: field('name', text(255), 'For people. Default: the id', { post: chosen, put: true, ...listed }),
    ip: field('ip', ip, 'Underlay address: where the other hosts send tunnels to', {
      post: required,
      put: true,
      ...listed,
    }),
    agent_address: field('agentAddress', agentAddress, 'Where its agent listens: host:port or unix:/path', {
      post: required,
      put: true,
      ...listed,
    }),
    availability_zone: field('availabilityZone', zone, 'What it fails with', {
      post: initially(defaultZone),
      put: true,
      ...listed,
    }),
    config_manager_id: field('configManagerId', nullable(uuid<ConfigManagerId>()), 'Who drives it', group),
    gateway_id: field('gatewayId', nullable(uuid<GatewayId>()), 'Where its traffic leaves the region', group),
    gateway: field('gateway', flag, 'Forwards first packets of networks whose neighbours are told on demand', {
      post: initially(false),
      put: true,
      filter: true,
    }),
    draining: field(
      'draining',
      flag,
      'No more ports are bound to it (409); those that are stay. Is no gateway meanwhile',
      {
        post: initially(false),
        put: true,
        filter: true,
      },
    ),
    max_ports: field('maxPorts', nullable(integer(0, 1_000_000)), 'Ports bound to it at most (409); null: any number', {
      post: initially(null),
      put: true,
    }),
    bridge_mappings: field('bridgeMappings', bridgeMappings, 'Its bridges to physical networks, by their names', {
      post: initially({}),
      put: true,
    }),
    lost: field('lost', flag, 'It is a gateway and has not answered for some seconds: others have its share', {}),
    alive: field('alive', flag, 'Its agent was heard of in the last 75 seconds', { filter: true }),
    heartbeat_at: field('heartbeatAt', nullable(timestamp), 'When its agent was last heard of; null: never', {
      wire: (at) => (at === null ? null : wireTime(at)),
    }),
    revision_number: field('revision', integer(0, Number.MAX_SAFE_INTEGER), 'Grows with every change', { sort: true }),
    created_at: field('createdAt', timestamp, 'When it was registered', { sort: true, wire: wireTime }),
    updated_at: field('updatedAt', timestamp, 'When it last changed', { sort: true, wire: wireTime }),
  },
});
