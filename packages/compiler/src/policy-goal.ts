import {
  type Goal,
  QosPolicyConfiguration,
  QosPolicyConfiguration_Direction as Direction,
  type QosPolicyConfiguration_Limit as Limit,
  QosPolicyConfiguration_Unit as Unit,
} from '@alcor/contract';
import type { NetworkId, QosDirection, QosRule, RuledQosPolicy } from '@alcor/network';

/** What a policy means to every host of a VPC that uses it. Guaranteed minimums are for whoever places guests. */
export function qosPolicyGoal(policy: RuledQosPolicy, vpcId: NetworkId): Goal {
  return {
    kind: 'qos-policy',
    state: QosPolicyConfiguration.fromPartial({
      id: policy.id,
      revisionNumber: policy.revision,
      vpcId,
      ...limitsAndMark(policy),
    }),
  };
}

/** What a policy makes of the traffic of whoever has it; nothing without one. */
export function limitsAndMark(policy: RuledQosPolicy | undefined): LimitsAndMark {
  const { rules = [] } = policy ?? {};
  const mark = rules.find((rule) => rule.type === 'dscp_marking');
  return { limits: rules.flatMap(limitOf), dscpMark: mark?.dscpMark };
}

export type LimitsAndMark = Pick<QosPolicyConfiguration, 'limits' | 'dscpMark'>;

/** A limit of 0 is none, as Neutron has it. */
function limitOf(rule: QosRule): Limit[] {
  if (rule.type === 'bandwidth_limit' && rule.maxKbps > 0)
    return [{ ...directed(rule), unit: Unit.KILOBITS, rate: rule.maxKbps, burst: rule.maxBurstKbps }];
  if (rule.type === 'packet_rate_limit' && rule.maxKpps > 0)
    return [{ ...directed(rule), unit: Unit.KILOPACKETS, rate: rule.maxKpps, burst: rule.maxBurstKpps }];
  return [];
}

function directed({ direction }: { readonly direction: QosDirection }): Pick<Limit, 'direction'> {
  return { direction: direction === 'ingress' ? Direction.INGRESS : Direction.EGRESS };
}
