import type { Collection, OneOf, TenantFilter, TenantInput, TenantPatch, TenantSortKey } from './collection.ts';
import type { AddressScopeId, NetworkId, Resource, SubnetId, SubnetPoolId } from './nouns.ts';

/** Blocks that subnets are taken out of. No two subnets of a pool overlap. */
export interface SubnetPool extends Resource<SubnetPoolId> {
  readonly ipVersion: 4 | 6;
  /** The fewest blocks that make up the pool, in ascending order. */
  readonly prefixes: readonly string[];
  /** Of a subnet that names no size. */
  readonly defaultPrefixlen: number;
  readonly minPrefixlen: number;
  readonly maxPrefixlen: number;
  /** How much of it each project may take, in addresses (IPv4) or in blocks of /64 (IPv6); null: all. */
  readonly defaultQuota: number | null;
  /** Subnets come out of it that ask for the default; one of each IP version in the region. */
  readonly isDefault: boolean;
  readonly shared: boolean;
  readonly addressScopeId: AddressScopeId | null;
}

export interface SubnetPoolView extends SubnetPool {
  /** Projects that have a grant of their own to use it. */
  readonly grantees: readonly string[];
}

export interface SubnetPoolTypes {
  readonly id: SubnetPoolId;
  readonly view: SubnetPoolView;
  readonly create: CreateSubnetPool;
  readonly update: UpdateSubnetPool;
  readonly filter: SubnetPoolFilter;
  readonly sortKey:
    | TenantSortKey
    | 'ipVersion'
    | 'defaultPrefixlen'
    | 'minPrefixlen'
    | 'maxPrefixlen'
    | 'isDefault'
    | 'shared';
}

/** What says which subnets a pool gives. */
export interface PoolRequest {
  readonly prefixes: readonly string[];
  /** Default: the smallest allowed. */
  readonly defaultPrefixlen?: number | undefined;
  /** Default: 8 (IPv4), 64 (IPv6). */
  readonly minPrefixlen?: number | undefined;
  /** Default: 32 (IPv4), 128 (IPv6). */
  readonly maxPrefixlen?: number | undefined;
}

export interface CreateSubnetPool extends TenantInput, PoolRequest {
  /** Default: null. */
  readonly defaultQuota?: number | null | undefined;
  /** Default: false. */
  readonly isDefault?: boolean | undefined;
  /** Default: false. */
  readonly shared?: boolean | undefined;
  /** Default: null. */
  readonly addressScopeId?: AddressScopeId | null | undefined;
}

export interface UpdateSubnetPool extends TenantPatch, Partial<PoolRequest> {
  readonly defaultQuota?: number | null | undefined;
  readonly isDefault?: boolean | undefined;
  readonly addressScopeId?: AddressScopeId | null | undefined;
}

export interface SubnetPoolFilter extends TenantFilter<SubnetPoolId> {
  readonly ipVersion?: OneOf<number>;
  readonly defaultPrefixlen?: OneOf<number>;
  readonly minPrefixlen?: OneOf<number>;
  readonly maxPrefixlen?: OneOf<number>;
  readonly defaultQuota?: OneOf<number>;
  readonly isDefault?: OneOf<boolean>;
  readonly shared?: OneOf<boolean>;
  readonly addressScopeId?: OneOf<AddressScopeId>;
}

export interface SubnetPoolCollection extends Collection<SubnetPoolTypes> {
  /** The pool's prefixes with these added. */
  addPrefixes(id: SubnetPoolId, prefixes: readonly string[]): Promise<readonly string[]>;
  /** The pool's prefixes without these, of which no subnet may have been taken. */
  removePrefixes(id: SubnetPoolId, prefixes: readonly string[]): Promise<readonly string[]>;
  /** Makes the subnets of a network, of the pool's IP version, part of the pool as if they had been taken out of it. */
  onboard(id: SubnetPoolId, networkId: NetworkId): Promise<readonly { readonly id: SubnetId; readonly cidr: string }[]>;
}
