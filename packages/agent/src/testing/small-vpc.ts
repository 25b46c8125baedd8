import {
  type Goal,
  NeighborConfiguration,
  PortConfiguration,
  type StatedGoal,
  VpcConfiguration,
} from '@alcor/contract';
import type { LocalPort, QosPolicy } from '../dataplane/index.ts';
import type { GoalSink } from '../held-vpc.ts';

/** Goals of one small VPC, and where they would be sent to. */

export const vpcId = 'vpc';
export const says = (goal: Goal): StatedGoal => ({ goal, removed: false });
export const takesBack = (goal: Goal): StatedGoal => ({ goal, removed: true });

export function vpc(revisionNumber = 1, id = vpcId): Goal {
  return { kind: 'vpc', state: VpcConfiguration.fromPartial({ id, revisionNumber, tunnelId: 7 }) };
}

export function port(id: string, revisionNumber = 1, of = vpcId): Goal {
  return {
    kind: 'port',
    state: PortConfiguration.fromPartial({ id, revisionNumber, vpcId: of, adminStateUp: true }),
  };
}

export function neighbor(id: string, revisionNumber = 1, hostIpAddress = '172.16.0.2'): Goal {
  const state = NeighborConfiguration.fromPartial({ id, revisionNumber, vpcId, hostIpAddress });
  return { kind: 'neighbor', state };
}

/** Where neighbours and policies would be sent to. */
export class Switch implements GoalSink {
  readonly neighbors = new Map<string, string>();
  readonly onDemandIds = new Set<string>();
  /** Those of ports, by the ports' ids. */
  readonly policyOf = new Map<string, string | undefined>();
  readonly policies = new Map<string, QosPolicy>();
  onRemove: (id: string) => void = () => undefined;

  setPort({ id, qosPolicyId }: LocalPort): void {
    this.policyOf.set(id, qosPolicyId);
  }
  setSecurityGroup(): void {}
  removeSecurityGroup(): void {}
  setAddressGroup(): void {}
  removeAddressGroup(): void {}
  setNetworkAcl(): void {}
  removeNetworkAcl(): void {}
  setQosPolicy(policy: QosPolicy): void {
    this.policies.set(policy.id, policy);
  }
  removeQosPolicy(id: string): void {
    this.policies.delete(id);
  }
  setRouter(): void {}
  removeRouter(): void {}
  removePort(): void {}
  setFloatingIp(): void {}
  removeFloatingIp(): void {}
  setProviderNetwork(): void {}
  removeProviderNetwork(): void {}
  setOnDemandVpc({ id }: { id: string }): void {
    this.onDemandIds.add(id);
  }
  removeOnDemandVpc(id: string): void {
    this.onDemandIds.delete(id);
  }
  setNeighbor({ id, hostIp }: { id: string; hostIp: string }): void {
    this.neighbors.set(id, hostIp);
  }
  removeNeighbor(id: string): void {
    if (this.neighbors.delete(id)) this.onRemove(id);
  }
}
