import type { NetworkId } from '@alcor/network';

/** How large a VPC is, for whoever chooses how it is served. */
export interface VpcSize {
  /** That are bound to a host. */
  readonly ports: number;
  /** How many of them the security group with the most members has. */
  readonly largestGroup: number;
}

interface Sizes {
  ports: number;
  largestGroup: number;
  /** How many groups have so many members: what makes the largest known without looking at all. */
  readonly groupsOfSize: Map<number, number>;
}

/** The sizes of all VPCs, kept at the same cost for a VPC of any size. */
export class VpcSizes {
  readonly #vpcs = new Map<NetworkId, Sizes>();

  get(vpcId: NetworkId): VpcSize {
    const { ports = 0, largestGroup = 0 } = this.#vpcs.get(vpcId) ?? {};
    return { ports, largestGroup };
  }

  addPort(vpcId: NetworkId): void {
    const sizes = this.#vpcs.get(vpcId);
    if (sizes === undefined) this.#vpcs.set(vpcId, { ports: 1, largestGroup: 0, groupsOfSize: new Map() });
    else sizes.ports++;
  }

  /** The port must have left its groups. */
  removePort(vpcId: NetworkId): void {
    const sizes = this.#sizes(vpcId);
    sizes.ports--;
    if (sizes.ports === 0) this.#vpcs.delete(vpcId);
  }

  /** A group that had one member more or less has `members` now. The VPC must have ports. */
  resizeGroup(vpcId: NetworkId, before: number, members: number): void {
    const sizes = this.#sizes(vpcId);
    const { groupsOfSize } = sizes;
    groupsOfSize.set(members, (groupsOfSize.get(members) ?? 0) + 1);
    const left = (groupsOfSize.get(before) ?? 1) - 1;
    if (left > 0) groupsOfSize.set(before, left);
    else groupsOfSize.delete(before);
    if (members > sizes.largestGroup || (before === sizes.largestGroup && left <= 0)) sizes.largestGroup = members;
  }

  #sizes(vpcId: NetworkId): Sizes {
    const sizes = this.#vpcs.get(vpcId);
    if (sizes === undefined) throw new Error(`the VPC ${vpcId} has no ports`);
    return sizes;
  }
}
