import { type ConntrackHelperTypes, refusal } from '@alcor/network';
import { attributesOf, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { integer, isUuid, oneOf, text, uuid } from '../kinds.ts';
import { router } from './router.ts';

const { field } = attributesOf<ConntrackHelperTypes>();
const chosenByUser = { post: required, put: true, ...listed } as const;

export const conntrackHelper = define<ConntrackHelperTypes>({
  singular: 'conntrack_helper',
  plural: 'conntrack_helpers',
  prefix: '/v2.0',
  parent: { definition: router, field: 'routerId' },
  about: 'That a router follows an application protocol to the further connections that it opens',
  // Whoever may change the router, whose project the rules see.
  tenancy: 'region',
  policy: { create: 'member', get: 'reader', update: 'member', delete: 'member' },
  collection: (store) => store.conntrackHelpers,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as ConntrackHelperTypes['id']) : null),
  notFound: (conntrackHelperId) => refusal('ConntrackHelperNotFound', { conntrackHelperId }),
  attributes: {
    id: field('id', uuid(), 'Given by the region', listed),
    protocol: field('protocol', oneOf('tcp', 'udp'), 'What it is spoken over', chosenByUser),
    port: field('port', integer(1, 65_535), 'Where its servers listen', chosenByUser),
    helper: field('helper', text(64), 'ftp (over tcp) or tftp (over udp): what Open vSwitch knows', chosenByUser),
  },
});
