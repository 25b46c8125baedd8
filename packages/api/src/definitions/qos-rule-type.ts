import { type OneOf, type QosRuleType, dscpMarks, refusal } from '@alcor/network';
import { type FilterRule, attributesOf, listed } from '../attribute.ts';
import { define } from '../definition.ts';
import { fixedCollection } from '../fixed-collection.ts';
import { dictionary, listOf, oneOf } from '../kinds.ts';

interface Parameter {
  readonly parameter_name: string;
  readonly parameter_type: 'range' | 'choices';
  readonly parameter_values: object;
}

interface QosRuleTypeTypes {
  readonly id: QosRuleType;
  readonly view: { readonly id: QosRuleType; readonly parameters: readonly Parameter[] };
  readonly create: object;
  readonly update: object;
  readonly filter: { readonly id?: OneOf<QosRuleType> };
  readonly sortKey: 'id';
}

function range(name: string): Parameter {
  return { parameter_name: name, parameter_type: 'range', parameter_values: { start: 0, end: 2 ** 31 - 1 } };
}

function choices(name: string, values: readonly (string | number)[]): Parameter {
  return { parameter_name: name, parameter_type: 'choices', parameter_values: values };
}

const direction = choices('direction', ['egress', 'ingress']);

const rows: readonly QosRuleTypeTypes['view'][] = [
  { id: 'bandwidth_limit', parameters: [range('max_kbps'), range('max_burst_kbps'), direction] },
  { id: 'dscp_marking', parameters: [choices('dscp_mark', dscpMarks)] },
  { id: 'minimum_bandwidth', parameters: [range('min_kbps'), direction] },
  {
    id: 'minimum_packet_rate',
    parameters: [range('min_kpps'), choices('direction', ['any', 'egress', 'ingress'])],
  },
  { id: 'packet_rate_limit', parameters: [range('max_kpps'), range('max_burst_kpps'), direction] },
];
const names = rows.map(({ id }) => id);

const { field, computed } = attributesOf<QosRuleTypeTypes>();
const notFound = (ruleType: string) => refusal('QosRuleTypeNotFound', { ruleType });
/** All types are known and all are supported: asking for either asks for all. */
const anyway: FilterRule = () => ({});

export const qosRuleType = define<QosRuleTypeTypes>({
  singular: 'rule_type',
  plural: 'rule_types',
  prefix: '/v2.0',
  path: 'qos/rule-types',
  about: 'A kind of rule that QoS policies may have',
  tenancy: 'region',
  operations: ['list', 'show'],
  policy: { get: 'anyone', show: 'admin' },
  inLists: new Set(['type']),
  collection: () => fixedCollection<QosRuleTypeTypes>(rows, notFound),
  parseId: (text) => names.find((name) => name === text) ?? null,
  notFound,
  attributes: {
    type: field('id', oneOf(...names), 'Its name', listed),
    drivers: computed(listOf(dictionary, 1), 'What hosts do of it', ({ parameters }) => [
      { name: 'openvswitch', supported_parameters: parameters },
    ]),
    all_supported: {
      ...computed(oneOf('True', 'true', '1'), 'Those that some host can do', () => null),
      filter: anyway,
      visible: false,
    },
    all_rules: {
      ...computed(oneOf('True', 'true', '1'), 'Those that are known', () => null),
      filter: anyway,
      visible: false,
    },
  },
});
