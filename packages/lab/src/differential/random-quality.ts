/** QoS policies, as far as a single packet shows them: marks. */
import { dscpMarks, type QosPolicyId, type QosRuleId, type RuledQosPolicy } from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { chance, tenant } from './random-plan.ts';

/** Up to two; some mark nothing, and some mark what was marked before with nothing. */
export function randomPolicies(random: Random, name: string): RuledQosPolicy[] {
  return Array.from({ length: between(random, 0, 2) }, (_, n) => {
    const id = `policy-${name}-${n}` as QosPolicyId;
    const mark = {
      id: `${id} mark` as QosRuleId,
      policyId: id,
      type: 'dscp_marking',
      dscpMark: pick(random, dscpMarks),
    };
    const rules = chance(random, 0.85) ? [mark as RuledQosPolicy['rules'][number]] : [];
    return { ...tenant(name), id, shared: false, isDefault: false, rules };
  });
}

/** Now and then one of them. */
export function somePolicy(random: Random, policies: readonly RuledQosPolicy[], p: number): QosPolicyId | null {
  return policies.length > 0 && chance(random, p) ? pick(random, policies).id : null;
}
