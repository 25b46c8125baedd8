import type { OneOf, TenantFilter, TenantInput, TenantSortKey } from './collection.ts';
import type { AddressScopeId, Resource } from './nouns.ts';

/** Where addresses are unique: subnet pools of one scope do not overlap. */
export interface AddressScope extends Resource<AddressScopeId> {
  readonly ipVersion: 4 | 6;
  readonly shared: boolean;
}

export interface AddressScopeView extends AddressScope {
  /** Projects that have a grant of their own to use it. */
  readonly grantees: readonly string[];
}

export interface AddressScopeTypes {
  readonly id: AddressScopeId;
  readonly view: AddressScopeView;
  readonly create: CreateAddressScope;
  readonly update: UpdateAddressScope;
  readonly filter: AddressScopeFilter;
  readonly sortKey: TenantSortKey | 'ipVersion' | 'shared';
}

export interface CreateAddressScope extends TenantInput {
  readonly ipVersion: 4 | 6;
  /** Default: false. */
  readonly shared?: boolean | undefined;
}

export interface UpdateAddressScope {
  readonly name?: string | undefined;
  /** AddressScopeUpdateError: what is shared stays so. */
  readonly shared?: boolean | undefined;
}

export interface AddressScopeFilter extends TenantFilter<AddressScopeId> {
  readonly ipVersion?: OneOf<number>;
  readonly shared?: OneOf<boolean>;
}
