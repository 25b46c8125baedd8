import { refusal } from '@alcor/network';
import type {
  BandwidthLimitRule,
  DscpMarkingRule,
  MinimumBandwidthRule,
  MinimumPacketRateRule,
  PacketRateLimitRule,
  QosPolicyTypes,
  QosRule,
  QosRuleTypes,
} from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { granteesView, visibleByGrant } from '../sharing.ts';
import { history, identity, tenantKeys } from './common.ts';

const policyColumns = {
  ...identity,
  shared: { name: 'shared', type: 'boolean' },
  isDefault: { name: 'is_default', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

/** A rule of any kind, at `r`: the fields that its kind has. */
export const ruleObject = `json_strip_nulls(json_build_object(
  'id', r.id, 'policyId', r.policy_id, 'type', r.type, 'direction', case when r.type <> 'dscp_marking' then r.direction end,
  'maxKbps', r.max_kbps, 'maxBurstKbps', r.max_burst_kbps, 'maxKpps', r.max_kpps, 'maxBurstKpps', r.max_burst_kpps,
  'dscpMark', r.dscp_mark, 'minKbps', r.min_kbps, 'minKpps', r.min_kpps))`;

/** What may refer to a policy, and where it lies. */
export const qosUsers = [
  ['network', 'networks'],
  ['port', 'ports'],
  ['router', 'routers'],
  ['floatingip', 'floating_ips'],
] as const;

export const qosPolicyResource: Resource<QosPolicyTypes> = {
  kind: 'qos-policy',
  table: 'qos_policies',
  columns: policyColumns,
  composed: {
    rules: `(select coalesce(json_agg(${ruleObject} order by r.id), '[]') from qos_rules r where r.policy_id = t.id)`,
  },
  viewed: {
    grantees: granteesView,
  },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(policyColumns, [...tenantKeys, 'shared', 'isDefault']),
  visibleTo: visibleByGrant,
  sharing: {
    objectType: 'qos_policy',
    grants: {
      access_as_shared: {
        flag: 'shared',
        users: (policy) =>
          qosUsers
            .map(([, table]) => `select project_id from ${table} where qos_policy_id = ${policy}`)
            .join(' union all '),
        ownUse: true,
      },
    },
  },
  notFound: (policyId) => refusal('QosPolicyNotFound', { policyId }),
  canonical: (row) => row,
};

const direction = { name: 'direction', type: 'text' } as const satisfies Column;

/** Every kind lies in a view of `qos_rules` that holds it alone. */
function ruleResource<Rule extends QosRule>(
  table: string,
  own: Readonly<Record<Exclude<keyof Rule, 'id' | 'policyId' | 'type'>, Column>>,
): Resource<QosRuleTypes<Rule>> {
  const columns: Readonly<Record<string, Column>> = {
    id: identity.id,
    policyId: { name: 'policy_id', type: 'uuid' },
    type: { name: 'type', type: 'text' },
    ...own,
    ...history,
  };
  return {
    kind: null,
    table,
    columns,
    composed: {},
    viewed: {},
    join: '',
    filters: {},
    sortKeys: sortKeysOf(columns, ['id', ...Object.keys(own)]) as Resource<QosRuleTypes<Rule>>['sortKeys'],
    visibleTo: (project) => `t.policy_id in (select t.id from qos_policies t where ${visibleByGrant(project)})`,
    notFound: (ruleId) => refusal('QosRuleNotFound', { ruleId }),
    canonical: (row) => row,
  };
}

export const bandwidthLimitRuleResource = ruleResource<BandwidthLimitRule>('qos_bandwidth_limit_rules', {
  direction,
  maxKbps: { name: 'max_kbps', type: 'integer' },
  maxBurstKbps: { name: 'max_burst_kbps', type: 'integer' },
});

export const packetRateLimitRuleResource = ruleResource<PacketRateLimitRule>('qos_packet_rate_limit_rules', {
  direction,
  maxKpps: { name: 'max_kpps', type: 'integer' },
  maxBurstKpps: { name: 'max_burst_kpps', type: 'integer' },
});

export const dscpMarkingRuleResource = ruleResource<DscpMarkingRule>('qos_dscp_marking_rules', {
  dscpMark: { name: 'dscp_mark', type: 'integer' },
});

export const minimumBandwidthRuleResource = ruleResource<MinimumBandwidthRule>('qos_minimum_bandwidth_rules', {
  direction,
  minKbps: { name: 'min_kbps', type: 'integer' },
});

export const minimumPacketRateRuleResource = ruleResource<MinimumPacketRateRule>('qos_minimum_packet_rate_rules', {
  direction,
  minKpps: { name: 'min_kpps', type: 'integer' },
});
