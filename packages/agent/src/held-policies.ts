import {
  type QosPolicyConfiguration,
  QosPolicyConfiguration_Direction as Direction,
  QosPolicyConfiguration_Unit as Unit,
} from '@alcor/contract';
import { Copies } from './copies.ts';
import type { QosPolicy, QualityRules } from './dataplane/index.ts';

/** What QoS policies drive: the data plane, as far as it concerns them. */
export interface PolicySink {
  setQosPolicy(policy: QosPolicy): void;
  removeQosPolicy(id: string): void;
}

/** QoS policies as VPCs tell of them: the newest word on each counts for all until the last VPC has let go of it. */
export function heldPolicies(sink: PolicySink): Copies<QosPolicyConfiguration> {
  return new Copies(
    (state) => sink.setQosPolicy(qosPolicyOf(state)),
    (id) => sink.removeQosPolicy(id),
  );
}

/** What the data plane makes of a policy's goal. */
export function qosPolicyOf(state: QosPolicyConfiguration): QosPolicy {
  const { id, revisionNumber: revision } = state;
  return { id, ...qualityOf(state), revision };
}

/** What the data plane makes of limits and a mark, whichever goal says them. */
export function qualityOf({ limits, dscpMark }: Pick<QosPolicyConfiguration, 'limits' | 'dscpMark'>): QualityRules {
  return {
    limits: limits.map(({ direction, unit, rate, burst }) => ({
      direction: direction === Direction.INGRESS ? 'ingress' : 'egress',
      unit: unit === Unit.KILOBITS ? 'kilobits' : 'kilopackets',
      rate,
      burst,
    })),
    dscpMark: dscpMark ?? null,
  };
}
