import { refusal } from '@alcor/network';
import type { AddressScopeTypes, SubnetPoolTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity, tenantKeys } from './common.ts';

const addressScopeColumns = {
  ...identity,
  ipVersion: { name: 'ip_version', type: 'smallint' },
  shared: { name: 'shared', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

export const addressScopeResource: Resource<AddressScopeTypes> = {
  kind: null,
  table: 'address_scopes',
  columns: addressScopeColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(addressScopeColumns, [...tenantKeys, 'ipVersion', 'shared']),
  visibleTo: (project) => `(t.project_id = ${project} or t.shared)`,
  notFound: (addressScopeId) => refusal('AddressScopeNotFound', { addressScopeId }),
  canonical: (row) => row,
};

const subnetPoolColumns = {
  ...identity,
  ipVersion: { name: 'ip_version', type: 'smallint' },
  prefixes: { name: 'prefixes', type: 'jsonb' },
  defaultPrefixlen: { name: 'default_prefixlen', type: 'smallint' },
  minPrefixlen: { name: 'min_prefixlen', type: 'smallint' },
  maxPrefixlen: { name: 'max_prefixlen', type: 'smallint' },
  defaultQuota: { name: 'default_quota', type: 'integer' },
  isDefault: { name: 'is_default', type: 'boolean' },
  shared: { name: 'shared', type: 'boolean' },
  addressScopeId: { name: 'address_scope_id', type: 'uuid' },
  ...history,
} as const satisfies Record<string, Column>;

export const subnetPoolResource: Resource<SubnetPoolTypes> = {
  kind: null,
  table: 'subnet_pools',
  columns: subnetPoolColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(subnetPoolColumns, [
    ...tenantKeys,
    'ipVersion',
    'defaultPrefixlen',
    'minPrefixlen',
    'maxPrefixlen',
    'isDefault',
    'shared',
  ]),
  visibleTo: (project) => `(t.project_id = ${project} or t.shared)`,
  notFound: (subnetPoolId) => refusal('SubnetPoolNotFound', { subnetPoolId }),
  canonical: (row) => row,
};
