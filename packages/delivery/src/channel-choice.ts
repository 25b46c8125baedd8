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

/** From these on, either of them, a VPC goes by another channel. */
export interface Threshold {
  readonly ports: number;
  readonly largestGroup: number;
}

/** The channels for larger VPCs than gRPC tells everything of; `onDemand` is for the larger ones. */
export interface Thresholds {
  readonly mq: Threshold;
  readonly onDemand: Threshold;
}

/** A VPC comes back from a channel only below this part of both its thresholds, so that none goes to and fro. */
const downAt = 0.8;

/** The channel that the VPC should have. */
export function chooseChannel(facts: VpcFacts, { mq, onDemand }: Thresholds): ChannelName {
  const { channel, override } = facts;
  if (override !== null) return override;
  if (isAbove(facts, onDemand, channel === 'on-demand')) return 'on-demand';
  return isAbove(facts, mq, channel !== 'grpc') ? 'mq' : 'grpc';
}

function isAbove({ ports, largestGroup }: VpcFacts, threshold: Threshold, wasAbove: boolean): boolean {
  const part = wasAbove ? downAt : 1;
  return ports >= part * threshold.ports || largestGroup >= part * threshold.largestGroup;
}
