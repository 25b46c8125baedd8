import { type LocalIpAssociationTypes, type LocalIpTypes, localIpModes, refusal } from '@alcor/network';
import { ip } from '../address-kinds.ts';
import { attributesOf, chosen, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { isUuid, nullable, oneOf, text, uuid } from '../kinds.ts';
import { identity, records } from './common.ts';
import { network } from './network.ts';
import { port } from './port.ts';

const { field } = attributesOf<LocalIpTypes>();

export const localIp = define<LocalIpTypes>({
  singular: 'local_ip',
  plural: 'local_ips',
  prefix: '/v2.0',
  about: 'An address that each host leads to a port of its own that stands for it',
  tenancy: 'project',
  collection: (store) => store.localIps,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as LocalIpTypes['id']) : null),
  notFound: (localIpId) => refusal('LocalIPNotFound', { localIpId }),
  attributes: {
    ...identity<LocalIpTypes>(),
    local_port_id: field('localPortId', uuid(), 'The port whose address it is. Default: one made for it', {
      post: chosen,
      ...listed,
      refers: [{ to: () => port }],
    }),
    network_id: field('networkId', uuid(), 'Where a port is made for it; otherwise the port’s', {
      post: chosen,
      ...listed,
      refers: [{ to: () => network }],
    }),
    local_ip_address: field('ip', nullable(ip), 'Of IPv4. Default: the port’s only one', { post: chosen, ...listed }),
    ip_mode: field('mode', oneOf(...localIpModes), 'Whether guests that stand for it see their own address', {
      post: initially('translate'),
      ...listed,
    }),
    ...records<LocalIpTypes>(),
  },
});

const association = attributesOf<LocalIpAssociationTypes>();

export const localIpAssociation = define<LocalIpAssociationTypes>({
  singular: 'port_association',
  plural: 'port_associations',
  prefix: '/v2.0',
  parent: { definition: localIp, field: 'localIpId' },
  key: 'fixedPortId',
  about: 'That a port stands for a local IP on its host',
  // Whoever may change the local IP, whose project the rules see.
  tenancy: 'region',
  policy: { create: 'member', get: 'reader', delete: 'member' },
  operations: ['create', 'list', 'show', 'delete'],
  collection: (store) => store.localIpAssociations,
  parseId: (id) => (isUuid(id) ? id.toLowerCase() : null),
  notFound: (portId) => refusal('LocalIPAssociationNotFound', { portId }),
  attributes: {
    local_ip_id: association.field('localIpId', uuid(), 'The local IP'),
    local_ip_address: association.field('localIp', ip, 'The local IP’s', listed),
    fixed_port_id: association.field('fixedPortId', uuid(), 'The port that stands for it', {
      post: required,
      ...listed,
      refers: [{ to: () => port }],
    }),
    fixed_ip: association.field('fixedIp', nullable(ip), 'The port’s address. Default: its only one of IPv4', {
      post: chosen,
      ...listed,
    }),
    host: association.field('hostId', text(255), 'Where the port is bound; empty: nowhere', listed),
  },
});
