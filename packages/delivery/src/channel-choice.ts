import type { ChannelName } from '@alcor/network';

/** What decides how the goals of a VPC travel. */
export interface VpcFacts {
  readonly vpcId: string;
  /** In force now. */
  readonly channel: ChannelName;
  /** What an administrator wants. */
  readonly override: ChannelName | null;
  readonly ports: number;
  /** Ports in the largest security group of which one is in the VPC. */
  readonly largestGroup: number;
}

/** From these on a VPC goes by the message queue. */
export interface Thresholds {
  readonly ports: number;
  readonly largestGroup: number;
}

/** A VPC comes back from the message queue only below this part of both thresholds, so that none goes to and fro. */
const downAt = 0.8;

/** The channel that the VPC should have. */
export function chooseChannel(facts: VpcFacts, thresholds: Thresholds): ChannelName {
  const { channel, override, ports, largestGroup } = facts;
  if (override !== null) return override;
  if (ports >= thresholds.ports || largestGroup >= thresholds.largestGroup) return 'mq';
  const isSmall = ports < downAt * thresholds.ports && largestGroup < downAt * thresholds.largestGroup;
  return isSmall ? 'grpc' : channel;
}
