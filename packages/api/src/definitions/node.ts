import { type NodeId, type NodeTypes, refusal } from '@alcor/network';
import { ip } from '../address-kinds.ts';
import { attributesOf, chosen, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { Refusal, integer, refined, shown, text, timestamp } from '../kinds.ts';
import { wireTime } from './common.ts';

const { field } = attributesOf<NodeTypes>();

/** Ids stand in paths and on the southbound: printable, without blanks and slashes. */
const idExpression = /^[\w.:@+-]{1,255}$/;
const nodeId = refined(text(255), (value) =>
  idExpression.test(value) ? (value as NodeId) : new Refusal(`${shown(value)} is not a valid host id`),
);

/** `host:port` or `unix:/path`. */
const agentAddress = refined(text(255), (value) =>
  /^(?:unix:\/\S+|[^\s/]+:\d{1,5})$/.test(value)
    ? value
    : new Refusal(`${shown(value)} is neither host:port nor unix:/path`),
);

export const node = define<NodeTypes>({
  singular: 'node',
  plural: 'nodes',
  prefix: '/alcor/v1',
  about: 'A host of the region',
  tenancy: 'region',
  collection: (store) => store.nodes,
  parseId: (id) => (idExpression.test(id) ? (id as NodeId) : null),
  notFound: (id) => refusal('NodeNotFound', { nodeId: id }),
  complete: (body) =>
    Object.hasOwn(body, 'id') || !Object.hasOwn(body, 'name') ? body : { ...body, id: body['name'] },
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
    revision_number: field('revision', integer(0, Number.MAX_SAFE_INTEGER), 'Grows with every change', { sort: true }),
    created_at: field('createdAt', timestamp, 'When it was registered', { sort: true, wire: wireTime }),
    updated_at: field('updatedAt', timestamp, 'When it last changed', { sort: true, wire: wireTime }),
  },
});
