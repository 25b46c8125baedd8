import { refusal } from './errors.ts';
import type { OneOf, TenantFilter, TenantInput, TenantPatch, TenantSortKey } from './collection.ts';
import type { Branded, Resource } from './nouns.ts';

export type QosPolicyId = Branded<'QosPolicyId'>;
export type QosRuleId = Branded<'QosRuleId'>;

/** What traffic gets of those ports, networks and addresses that refer to it. */
export interface QosPolicy extends Resource<QosPolicyId> {
  /** Every project may use it. */
  readonly shared: boolean;
  /** New networks of the project that name no policy get this one. At most one a project. */
  readonly isDefault: boolean;
}

/** A policy with what it says. A change of its rules is one of the policy. */
export interface RuledQosPolicy extends QosPolicy {
  /** In the order of their making; at most one of each type and direction. */
  readonly rules: readonly QosRule[];
}

export interface QosPolicyView extends RuledQosPolicy {
  /** Projects that have a grant of their own to use it. */
  readonly grantees: readonly string[];
}

export type QosDirection = 'ingress' | 'egress';

interface QosRuleBase<Type extends string> {
  readonly id: QosRuleId;
  readonly policyId: QosPolicyId;
  readonly type: Type;
}

export interface BandwidthLimitRule extends QosRuleBase<'bandwidth_limit'> {
  readonly direction: QosDirection;
  readonly maxKbps: number;
  readonly maxBurstKbps: number;
}

export interface PacketRateLimitRule extends QosRuleBase<'packet_rate_limit'> {
  readonly direction: QosDirection;
  readonly maxKpps: number;
  readonly maxBurstKpps: number;
}

export interface DscpMarkingRule extends QosRuleBase<'dscp_marking'> {
  readonly dscpMark: number;
}

export interface MinimumBandwidthRule extends QosRuleBase<'minimum_bandwidth'> {
  readonly direction: QosDirection;
  readonly minKbps: number;
}

export interface MinimumPacketRateRule extends QosRuleBase<'minimum_packet_rate'> {
  /** `any`: of both directions together. */
  readonly direction: QosDirection | 'any';
  readonly minKpps: number;
}

export type QosRule =
  | BandwidthLimitRule
  | PacketRateLimitRule
  | DscpMarkingRule
  | MinimumBandwidthRule
  | MinimumPacketRateRule;
export type QosRuleType = QosRule['type'];

/** The marks of RFC 2474 and 2597 that are in use: the class selectors, the assured and the expedited forwarding. */
export const dscpMarks = [
  0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56,
] as const;

export interface QosPolicyTypes {
  readonly id: QosPolicyId;
  readonly view: QosPolicyView;
  readonly create: CreateQosPolicy;
  readonly update: UpdateQosPolicy;
  readonly filter: QosPolicyFilter;
  readonly sortKey: TenantSortKey | 'shared' | 'isDefault';
}

export interface CreateQosPolicy extends TenantInput {
  /** Default: false. */
  readonly shared?: boolean | undefined;
  /** Default: false. QoSPolicyDefaultAlreadyExists where the project has one. */
  readonly isDefault?: boolean | undefined;
}

export interface UpdateQosPolicy extends TenantPatch {
  readonly shared?: boolean | undefined;
  readonly isDefault?: boolean | undefined;
}

export interface QosPolicyFilter extends TenantFilter<QosPolicyId> {
  readonly shared?: OneOf<boolean>;
  readonly isDefault?: OneOf<boolean>;
}

/** The types one kind of rule is handled with; its values are the fields of the rule that a user may choose. */
export interface QosRuleTypes<Rule extends QosRule> {
  readonly id: QosRuleId;
  readonly view: Rule;
  readonly create: Omit<Rule, 'id' | 'type'>;
  readonly update: { readonly [Field in keyof Omit<Rule, 'id' | 'type' | 'policyId'>]?: Rule[Field] | undefined };
  readonly filter: QosRuleFilter & {
    readonly [Field in keyof Omit<Rule, 'id' | 'type' | 'policyId'>]?: OneOf<Rule[Field]>;
  };
  readonly sortKey: string & keyof Omit<Rule, 'type' | 'policyId'>;
}

interface QosRuleFilter {
  readonly id?: OneOf<QosRuleId>;
  readonly policyId?: OneOf<QosPolicyId>;
  /** Only rules of policies that this project may see. */
  readonly visibleTo?: string | undefined;
}

/** Refuses a rule that says again, or otherwise, what another of its policy says. `others` does not hold the rule itself. */
export function checkQosRule(rule: QosRule, others: readonly QosRule[]): void {
  const twin = others.find((other) => other.type === rule.type && overlap(directionOf(rule), directionOf(other)));
  if (twin !== undefined) {
    throw refusal('QoSRulesConflict', { ruleType: rule.type, ruleId: twin.id, policyId: rule.policyId });
  }
  for (const other of others) {
    const [limit, minimum] = rule.type === 'bandwidth_limit' ? [rule, other] : [other, rule];
    if (limit.type !== 'bandwidth_limit' || minimum.type !== 'minimum_bandwidth') continue;
    if (minimum.minKbps <= limit.maxKbps) continue;
    const [value, existing] = rule === limit ? [limit.maxKbps, minimum.minKbps] : [minimum.minKbps, limit.maxKbps];
    throw refusal('QoSRuleParameterConflict', { value, policyId: rule.policyId, type: other.type, existing });
  }
}

function directionOf(rule: QosRule): QosDirection | 'any' {
  return rule.type === 'dscp_marking' ? 'any' : rule.direction;
}

function overlap(one: QosDirection | 'any', other: QosDirection | 'any'): boolean {
  return one === other || one === 'any' || other === 'any';
}
