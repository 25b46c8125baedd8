import type { OneOf } from './collection.ts';
import type { AllocationPool, NetworkId, SubnetId } from './nouns.ts';
import { rangeOf } from './pools.ts';

/** How many addresses of a subnet's pools there are, and how many of the subnet's addresses ports have. */
export interface SubnetIpUse {
  readonly id: SubnetId;
  readonly name: string;
  readonly cidr: string;
  readonly ipVersion: 4 | 6;
  readonly allocationPools: readonly AllocationPool[];
  readonly usedIps: number;
}

export interface NetworkIpAvailability {
  /** The network's. */
  readonly id: NetworkId;
  readonly projectId: string;
  readonly name: string;
  readonly subnets: readonly SubnetIpUse[];
}

export interface NetworkIpAvailabilityTypes {
  readonly id: NetworkId;
  readonly view: NetworkIpAvailability;
  readonly create: object;
  readonly update: object;
  readonly filter: {
    readonly id?: OneOf<NetworkId>;
    readonly projectId?: OneOf<string>;
    readonly name?: OneOf<string>;
    /** Networks with a subnet of this IP version. */
    readonly ipVersion?: OneOf<number>;
  };
  readonly sortKey: 'id' | 'name' | 'projectId';
}

/** The addresses of all pools; more than a float can count in IPv6. */
export function totalIps(pools: readonly AllocationPool[]): bigint {
  return pools.map(rangeOf).reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}
