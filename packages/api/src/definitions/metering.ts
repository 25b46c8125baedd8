import {
  type MeteringLabelId,
  type MeteringLabelRuleId,
  type MeteringLabelRuleTypes,
  type MeteringLabelTypes,
  refusal,
} from '@alcor/network';
import { cidr } from '../address-kinds.ts';
import { attributesOf, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { flag, isUuid, nullable, oneOf, text, uuid } from '../kinds.ts';
import { identity } from './common.ts';

const label = attributesOf<MeteringLabelTypes>();

export const meteringLabel = define<MeteringLabelTypes>({
  singular: 'metering_label',
  plural: 'metering_labels',
  prefix: '/v2.0',
  path: 'metering/metering-labels',
  about: 'A name under which the traffic of a project’s routers is counted',
  tenancy: 'project',
  operations: ['create', 'list', 'show', 'delete'],
  policy: { create: 'admin', delete: 'admin' },
  collection: (store) => store.meteringLabels,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as MeteringLabelId) : null),
  notFound: (labelId) => refusal('MeteringLabelNotFound', { labelId }),
  attributes: {
    ...identity<MeteringLabelTypes>(),
    name: label.field('name', text(255), 'For people; need not be unique', { post: initially(''), ...listed }),
    description: label.field('description', text(1024), 'For people', { post: initially(''), ...listed }),
    shared: label.field('shared', flag, 'It counts the routers of every project', {
      post: initially(false),
      ...listed,
    }),
  },
});

const rule = attributesOf<MeteringLabelRuleTypes>();
const prefixUse = { post: initially(null), ...listed } as const;

export const meteringLabelRule = define<MeteringLabelRuleTypes>({
  singular: 'metering_label_rule',
  plural: 'metering_label_rules',
  prefix: '/v2.0',
  path: 'metering/metering-label-rules',
  about: 'What traffic a label counts, or leaves out',
  tenancy: 'project',
  operations: ['create', 'list', 'show', 'delete'],
  policy: { create: 'admin', delete: 'admin' },
  collection: (store) => store.meteringLabelRules,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as MeteringLabelRuleId) : null),
  notFound: (ruleId) => refusal('MeteringLabelRuleNotFound', { ruleId }),
  attributes: {
    id: rule.field('id', uuid(), 'Given by the region', listed),
    metering_label_id: rule.field('labelId', uuid(), 'The label that counts', { post: required, ...listed }),
    direction: rule.field('direction', oneOf('ingress', 'egress'), 'Into the router’s networks, or out', {
      post: required,
      ...listed,
    }),
    excluded: rule.field('excluded', flag, 'True: it is left out', { post: initially(false), ...listed }),
    remote_ip_prefix: rule.field('remoteIpPrefix', nullable(cidr), 'The far side', prefixUse),
    source_ip_prefix: rule.field('sourceIpPrefix', nullable(cidr), 'Where from', prefixUse),
    destination_ip_prefix: rule.field('destinationIpPrefix', nullable(cidr), 'Where to', prefixUse),
  },
});
