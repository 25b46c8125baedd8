import type { OneOf, TenantFilter, TenantInput, TenantPatch, TenantSortKey } from './collection.ts';
import type { Branded, NetworkId, Resource, SubnetId } from './nouns.ts';
import type { TrafficFilter, TrafficInput, TrafficSortKey } from './security-group.ts';
import type { Traffic } from './traffic-rules.ts';

export type NetworkAclId = Branded<'NetworkAclId'>;
export type NetworkAclRuleId = Branded<'NetworkAclRuleId'>;

/** What may enter and leave subnets: of each direction the rule of the lowest number that fits decides, else it is denied. */
export interface NetworkAcl extends Resource<NetworkAclId> {
  /** A subnet has at most one ACL; without one, everything may pass. */
  readonly subnetIds: readonly SubnetId[];
}

/** An ACL with what it judges, and how. A change of its rules is one of the ACL, and so is that a subnet of its goes. */
export interface RuledNetworkAcl extends NetworkAcl {
  /** By id. */
  readonly subnets: readonly AclSubnet[];
  /** By direction and number. */
  readonly rules: readonly NetworkAclRule[];
}

/** A subnet as its ACL knows it. */
export interface AclSubnet {
  readonly id: SubnetId;
  readonly networkId: NetworkId;
  readonly cidr: string;
}

export interface NetworkAclTypes {
  readonly id: NetworkAclId;
  readonly view: RuledNetworkAcl;
  readonly create: CreateNetworkAcl;
  readonly update: UpdateNetworkAcl;
  readonly filter: NetworkAclFilter;
  readonly sortKey: TenantSortKey;
}

export interface CreateNetworkAcl extends TenantInput {
  /** SubnetNotFound, or NetworkAclSubnetTaken where one has an ACL. */
  readonly subnetIds?: readonly SubnetId[] | undefined;
}

export interface UpdateNetworkAcl extends TenantPatch {
  /** The whole new list. */
  readonly subnetIds?: readonly SubnetId[] | undefined;
}

export interface NetworkAclFilter extends TenantFilter<NetworkAclId> {
  readonly subnetId?: OneOf<SubnetId>;
}

/** One line of an ACL. It is stateless: answers need a line of their own. */
export interface NetworkAclRule extends Traffic, Omit<Resource<NetworkAclRuleId>, 'name'> {
  readonly networkAclId: NetworkAclId;
  /** The lowest that fits decides; each once per ACL and direction. */
  readonly number: number;
  readonly action: 'allow' | 'deny';
}

export interface NetworkAclRuleTypes {
  readonly id: NetworkAclRuleId;
  readonly view: NetworkAclRule;
  readonly create: CreateNetworkAclRule;
  readonly update: UpdateNetworkAclRule;
  readonly filter: NetworkAclRuleFilter;
  readonly sortKey:
    | Exclude<TenantSortKey, 'name'>
    | Exclude<TrafficSortKey, 'remoteAddressGroupId'>
    | 'networkAclId'
    | 'number'
    | 'action';
}

export interface CreateNetworkAclRule extends Omit<TenantInput, 'name'>, TrafficInput {
  readonly networkAclId: NetworkAclId;
  readonly number: number;
  readonly action: 'allow' | 'deny';
}

export interface UpdateNetworkAclRule extends Partial<TrafficInput> {
  readonly description?: string | undefined;
  readonly number?: number | undefined;
  readonly action?: 'allow' | 'deny' | undefined;
}

export interface NetworkAclRuleFilter
  extends Omit<TenantFilter<NetworkAclRuleId>, 'name'>, Omit<TrafficFilter, 'remoteAddressGroupId'> {
  readonly networkAclId?: OneOf<NetworkAclId>;
  readonly number?: OneOf<number>;
  readonly action?: OneOf<'allow' | 'deny'>;
}
