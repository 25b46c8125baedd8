import type { TenantFilter, TenantInput, TenantPatch, TenantSortKey } from './collection.ts';
import type { Branded, Resource } from './nouns.ts';

export type AddressGroupId = Branded<'AddressGroupId'>;

/** Addresses under one name, that rules of security groups may mean. */
export interface AddressGroup extends Resource<AddressGroupId> {
  /** CIDRs without host bits, each once, in the order of their adding. */
  readonly addresses: readonly string[];
  /** Every project may use it. */
  readonly shared: boolean;
}

export interface AddressGroupView extends AddressGroup {
  /** Projects that have a grant of their own to use it. */
  readonly grantees: readonly string[];
}

export interface AddressGroupTypes {
  readonly id: AddressGroupId;
  readonly view: AddressGroupView;
  readonly create: CreateAddressGroup;
  readonly update: UpdateAddressGroup;
  readonly filter: TenantFilter<AddressGroupId>;
  readonly sortKey: TenantSortKey;
}

export interface CreateAddressGroup extends TenantInput {
  /** CIDRs; those that are given twice count once. */
  readonly addresses?: readonly string[] | undefined;
}

export interface UpdateAddressGroup extends TenantPatch {
  /** AddressesAlreadyExist where the group has one of them. */
  readonly addAddresses?: readonly string[] | undefined;
  /** AddressesNotFound where the group lacks one of them. */
  readonly removeAddresses?: readonly string[] | undefined;
}
