import type { AddressGroupId } from './address-group.ts';
import type { OneOf, TenantFilter, TenantInput, TenantPatch, TenantSortKey } from './collection.ts';
import type { Branded, Resource } from './nouns.ts';
import type { Direction, Ethertype, Traffic } from './traffic-rules.ts';

export type SecurityGroupId = Branded<'SecurityGroupId'>;
export type SecurityGroupRuleId = Branded<'SecurityGroupRuleId'>;
export type DefaultSecurityGroupRuleId = Branded<'DefaultSecurityGroupRuleId'>;

/** Further addresses that a port may send from. */
export interface AddressPair {
  /** An address, or a block of them written with any of its addresses. */
  readonly ip: string;
  readonly mac: string;
}

/** A pair as a client gives it. */
export interface AddressPairRequest {
  readonly ip: string;
  /** Absent or null: the port's own. */
  readonly mac?: string | null | undefined;
}

/** Ports that are protected alike: only what one of the group's rules speaks of may pass. */
export interface SecurityGroup extends Resource<SecurityGroupId> {
  /** True: answers to what was let through pass as well. */
  readonly stateful: boolean;
  /** The one that the project's ports get where none is named; made when the project first needs it. */
  readonly isDefault: boolean;
  /** Every project may use it. */
  readonly shared: boolean;
}

/** A group with what it lets pass. A change of its rules is one of the group. */
export interface RuledSecurityGroup extends SecurityGroup {
  readonly rules: readonly GroupRule[];
}

export interface SecurityGroupView extends RuledSecurityGroup {
  readonly rules: readonly SecurityGroupRuleView[];
  /** Projects that have a grant of their own to use it. */
  readonly grantees: readonly string[];
}

export interface SecurityGroupTypes {
  readonly id: SecurityGroupId;
  readonly view: SecurityGroupView;
  readonly create: CreateSecurityGroup;
  readonly update: UpdateSecurityGroup;
  readonly filter: SecurityGroupFilter;
  readonly sortKey: TenantSortKey | 'stateful';
}

export interface CreateSecurityGroup extends TenantInput {
  /** Default: true. */
  readonly stateful?: boolean | undefined;
}

export interface UpdateSecurityGroup extends TenantPatch {
  /** SecurityGroupInUse while ports are in the group. */
  readonly stateful?: boolean | undefined;
}

export interface SecurityGroupFilter extends TenantFilter<SecurityGroupId> {
  readonly stateful?: OneOf<boolean>;
  readonly shared?: OneOf<boolean>;
}

// ------------------------------------------------------------------------------------------------------------------- rules

/** What a rule says beside the packets it speaks of; at most one of the two (and of the prefix) is given. */
interface Remote<Group> {
  /** The other end is a port of this group. */
  readonly remoteGroupId: Group | null;
  /** The other end has one of these addresses. */
  readonly remoteAddressGroupId: AddressGroupId | null;
}

/** What a rule lets pass from or to the ports of its group. It never changes. */
export interface GroupRule extends Traffic, Remote<SecurityGroupId> {
  readonly id: SecurityGroupRuleId;
}

export interface SecurityGroupRule extends GroupRule, Omit<Resource<SecurityGroupRuleId>, 'name'> {
  readonly securityGroupId: SecurityGroupId;
}

export interface SecurityGroupRuleView extends SecurityGroupRule {
  /** The block of `remoteIpPrefix`. */
  readonly normalizedCidr: string | null;
  /** Its group is a project's default one. */
  readonly belongsToDefaultSg: boolean;
}

export interface SecurityGroupRuleTypes {
  readonly id: SecurityGroupRuleId;
  readonly view: SecurityGroupRuleView;
  readonly create: CreateSecurityGroupRule;
  /** A rule never changes but for its description. */
  readonly update: { readonly description?: string | undefined };
  readonly filter: SecurityGroupRuleFilter;
  readonly sortKey: Exclude<TenantSortKey, 'name'> | TrafficSortKey | 'securityGroupId' | 'remoteGroupId';
}

export type TrafficSortKey =
  | 'direction'
  | 'ethertype'
  | 'protocol'
  | 'portRangeMin'
  | 'portRangeMax'
  | 'remoteIpPrefix'
  | 'remoteAddressGroupId';

/** Of traffic, what a client gives: absent is any. */
export interface TrafficInput {
  readonly direction: Direction;
  /** Default: IPv4. */
  readonly ethertype?: Ethertype | undefined;
  readonly protocol?: string | null | undefined;
  readonly portRangeMin?: number | null | undefined;
  readonly portRangeMax?: number | null | undefined;
  readonly remoteIpPrefix?: string | null | undefined;
}

interface RemoteInput {
  /** Whatever the client wrote: what is no id of a group is SecurityGroupNotFound. */
  readonly remoteGroupId?: string | null | undefined;
  readonly remoteAddressGroupId?: AddressGroupId | null | undefined;
}

export interface CreateSecurityGroupRule extends Omit<TenantInput, 'name'>, TrafficInput, RemoteInput {
  /** Whatever the client wrote: what is no id of a group is SecurityGroupNotFound. */
  readonly securityGroupId: string;
}

export interface TrafficFilter {
  readonly direction?: OneOf<Direction>;
  readonly ethertype?: OneOf<Ethertype>;
  readonly protocol?: OneOf<string>;
  readonly portRangeMin?: OneOf<number>;
  readonly portRangeMax?: OneOf<number>;
  readonly remoteIpPrefix?: OneOf<string>;
  readonly remoteAddressGroupId?: OneOf<AddressGroupId>;
}

export interface SecurityGroupRuleFilter extends Omit<TenantFilter<SecurityGroupRuleId>, 'name'>, TrafficFilter {
  readonly securityGroupId?: OneOf<string>;
  readonly remoteGroupId?: OneOf<string>;
  readonly normalizedCidr?: OneOf<string>;
  readonly belongsToDefaultSg?: OneOf<boolean>;
}

// -------------------------------------------------------------------------------------------------- what new groups begin with

/** A rule that new groups begin with: the projects' default ones, the others, or both. */
export interface DefaultSecurityGroupRule extends Traffic, Remote<string> {
  readonly id: DefaultSecurityGroupRuleId;
  readonly description: string;
  /** `PARENT`: the new group itself. */
  readonly remoteGroupId: string | null;
  readonly usedInDefaultSg: boolean;
  readonly usedInNonDefaultSg: boolean;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface DefaultSecurityGroupRuleTypes {
  readonly id: DefaultSecurityGroupRuleId;
  readonly view: DefaultSecurityGroupRule;
  readonly create: CreateDefaultSecurityGroupRule;
  readonly update: { readonly description?: string | undefined };
  readonly filter: DefaultSecurityGroupRuleFilter;
  readonly sortKey: TrafficSortKey | 'id' | 'description' | 'remoteGroupId' | 'usedInDefaultSg' | 'usedInNonDefaultSg';
}

export interface CreateDefaultSecurityGroupRule extends TrafficInput, RemoteInput {
  readonly description?: string | undefined;
  /** Default: false. */
  readonly usedInDefaultSg?: boolean | undefined;
  /** Default: true. */
  readonly usedInNonDefaultSg?: boolean | undefined;
}

export interface DefaultSecurityGroupRuleFilter extends TrafficFilter {
  readonly id?: OneOf<DefaultSecurityGroupRuleId>;
  readonly description?: OneOf<string>;
  readonly remoteGroupId?: OneOf<string>;
  readonly usedInDefaultSg?: OneOf<boolean>;
  readonly usedInNonDefaultSg?: OneOf<boolean>;
}
