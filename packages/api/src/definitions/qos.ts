import {
  type BandwidthLimitRule,
  type CollectionTypes,
  type DscpMarkingRule,
  type MinimumBandwidthRule,
  type MinimumPacketRateRule,
  type PacketRateLimitRule,
  type QosPolicyTypes,
  type QosRule,
  type QosRuleId,
  type QosRuleTypes,
  dscpMarks,
  refusal,
} from '@alcor/network';
import { type Reference, attributesOf, initially, listed, required } from '../attribute.ts';
import { type AnyDefinition, type Definition, define } from '../definition.ts';
import { dictionary, flag, integer, isUuid, listOf, oneOf, uuid } from '../kinds.ts';
import { bySharing, identity, records, sharedWith } from './common.ts';

const { field, computed } = attributesOf<QosPolicyTypes>();

/** What the columns hold. */
const rate = integer(0, 2 ** 31 - 1);

/** Providers say what quality there is; users choose. */
const writtenByAdmin = { create: 'admin', update: 'admin', delete: 'admin' } as const;

export const qosPolicy = define<QosPolicyTypes>({
  singular: 'policy',
  plural: 'policies',
  prefix: '/v2.0',
  path: 'qos/policies',
  labelPath: 'policies',
  about: 'What quality of service those get that refer to it',
  tenancy: 'project',
  policy: { ...writtenByAdmin, label: 'writer' },
  collection: (store) => store.qosPolicies,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as QosPolicyTypes['id']) : null),
  notFound: (policyId) => refusal('QosPolicyNotFound', { policyId }),
  attributes: {
    ...identity<QosPolicyTypes>(),
    shared: field('shared', flag, 'Every project may use it', {
      post: initially(false),
      put: true,
      ...listed,
      filter: bySharing,
      wire: sharedWith,
    }),
    is_default: field('isDefault', flag, 'New networks of the project that name no policy get it', {
      post: initially(false),
      put: true,
      ...listed,
    }),
    rules: computed(listOf(dictionary, 1_000), 'Its rules of all kinds, oldest first', (view) =>
      view.rules.map(wireRule),
    ),
    ...records<QosPolicyTypes>(),
  },
});

/** What the provider put on something of a project stays on it, unless it is for the project to use. */
export const keptPolicy: Reference = {
  to: () => qosPolicy,
  release: (policyId) => refusal('PolicyRemoveAuthorizationError', { policyId }),
};

/** A rule as its policy shows it. */
function wireRule(rule: QosRule): Readonly<Record<string, unknown>> {
  const { id, type, policyId } = rule;
  const common = { id, type, qos_policy_id: policyId };
  switch (rule.type) {
    case 'bandwidth_limit':
      return { ...common, direction: rule.direction, max_kbps: rule.maxKbps, max_burst_kbps: rule.maxBurstKbps };
    case 'packet_rate_limit':
      return { ...common, direction: rule.direction, max_kpps: rule.maxKpps, max_burst_kpps: rule.maxBurstKpps };
    case 'dscp_marking':
      return { ...common, dscp_mark: rule.dscpMark };
    case 'minimum_bandwidth':
      return { ...common, direction: rule.direction, min_kbps: rule.minKbps };
    case 'minimum_packet_rate':
      return { ...common, direction: rule.direction, min_kpps: rule.minKpps };
    default:
      return rule satisfies never;
  }
}

type RuleParts<T extends CollectionTypes> = Pick<Definition<T>, 'about' | 'collection' | 'attributes'> & {
  readonly singular: string;
};

/** Rules of one kind: as parts of their policy, and by another name by themselves. */
function ruleDefinitions<Rule extends QosRule>(
  parts: RuleParts<QosRuleTypes<Rule>>,
): readonly [AnyDefinition, AnyDefinition] {
  const id = attributesOf<QosRuleTypes<QosRule>>().field('id', uuid(), 'Given by the region', listed);
  const common = {
    ...parts,
    prefix: '/v2.0',
    tenancy: 'project',
    policy: writtenByAdmin,
    attributes: { id, ...parts.attributes } as Definition<QosRuleTypes<QosRule>>['attributes'],
    collection: parts.collection as unknown as Definition<QosRuleTypes<QosRule>>['collection'],
    parseId: (text: string) => (isUuid(text) ? (text.toLowerCase() as QosRuleId) : null),
    notFound: (ruleId: string) => refusal('QosRuleNotFound', { ruleId }),
  } as const;
  const alias = `alias_${parts.singular}`;
  return [
    define<QosRuleTypes<QosRule>>({
      ...common,
      plural: `${parts.singular}s`,
      parent: { definition: qosPolicy, field: 'policyId' },
    }),
    define<QosRuleTypes<QosRule>>({
      ...common,
      singular: alias,
      plural: `${alias}s`,
      path: `qos/${alias}s`,
      operations: ['show', 'update', 'delete'],
    }),
  ];
}

const directions = oneOf('ingress', 'egress');
const toward = 'From the guest’s side: ingress is what it receives';
const optionalDirection = { post: initially('egress'), put: true, ...listed } as const;
const needed = { post: required, put: true, ...listed } as const;
const orNone = { post: initially(0), put: true, ...listed } as const;

const bandwidthLimit = attributesOf<QosRuleTypes<BandwidthLimitRule>>();
const packetRateLimit = attributesOf<QosRuleTypes<PacketRateLimitRule>>();
const dscpMarking = attributesOf<QosRuleTypes<DscpMarkingRule>>();
const minimumBandwidth = attributesOf<QosRuleTypes<MinimumBandwidthRule>>();
const minimumPacketRate = attributesOf<QosRuleTypes<MinimumPacketRateRule>>();

export const qosRules: readonly AnyDefinition[] = [
  ...ruleDefinitions<BandwidthLimitRule>({
    singular: 'bandwidth_limit_rule',
    about: 'At most so much',
    collection: (store) => store.bandwidthLimitRules,
    attributes: {
      max_kbps: bandwidthLimit.field('maxKbps', rate, 'Kilobits per second', needed),
      max_burst_kbps: bandwidthLimit.field('maxBurstKbps', rate, 'Kilobits; 0: chosen by the host', orNone),
      direction: bandwidthLimit.field('direction', directions, toward, optionalDirection),
    },
  }),
  ...ruleDefinitions<PacketRateLimitRule>({
    singular: 'packet_rate_limit_rule',
    about: 'At most so many packets',
    collection: (store) => store.packetRateLimitRules,
    attributes: {
      max_kpps: packetRateLimit.field('maxKpps', rate, 'Thousands of packets per second', needed),
      max_burst_kpps: packetRateLimit.field('maxBurstKpps', rate, 'Thousands; 0: chosen by the host', orNone),
      direction: packetRateLimit.field('direction', directions, toward, optionalDirection),
    },
  }),
  ...ruleDefinitions<DscpMarkingRule>({
    singular: 'dscp_marking_rule',
    about: 'The mark in the header of what guests send',
    collection: (store) => store.dscpMarkingRules,
    attributes: {
      dscp_mark: dscpMarking.field('dscpMark', oneOf(...dscpMarks), 'Differentiated services code point', needed),
    },
  }),
  ...ruleDefinitions<MinimumBandwidthRule>({
    singular: 'minimum_bandwidth_rule',
    about: 'At least so much',
    collection: (store) => store.minimumBandwidthRules,
    attributes: {
      min_kbps: minimumBandwidth.field('minKbps', rate, 'Kilobits per second', needed),
      direction: minimumBandwidth.field('direction', directions, toward, optionalDirection),
    },
  }),
  ...ruleDefinitions<MinimumPacketRateRule>({
    singular: 'minimum_packet_rate_rule',
    about: 'At least so many packets',
    collection: (store) => store.minimumPacketRateRules,
    attributes: {
      min_kpps: minimumPacketRate.field('minKpps', rate, 'Thousands of packets per second', needed),
      direction: minimumPacketRate.field(
        'direction',
        oneOf('ingress', 'egress', 'any'),
        `${toward}; any: both together`,
        needed,
      ),
    },
  }),
];
