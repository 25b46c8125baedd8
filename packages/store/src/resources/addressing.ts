import { refusal } from '@alcor/network';
import type { AddressScopeTypes, SubnetPoolTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { granteesView, visibleByGrant } from '../sharing.ts';
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
  viewed: { grantees: granteesView },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(addressScopeColumns, [...tenantKeys, 'ipVersion', 'shared']),
  visibleTo: visibleByGrant,
  sharing: {
    objectType: 'address_scope',
    grants: {
      access_as_shared: {
        flag: 'shared',
        users: (scope) => `select p.project_id from subnet_pools p where p.address_scope_id = ${scope}`,
      },
    },
  },
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
  viewed: { grantees: granteesView },
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
  visibleTo: visibleByGrant,
  sharing: {
    objectType: 'subnetpool',
    grants: {
      access_as_shared: {
        flag: 'shared',
        users: (pool) => `select s.project_id from subnets s where s.subnet_pool_id = ${pool}`,
      },
    },
    barred: {
      when: (pool, target) => `select 1 from subnet_pools p join address_scopes s on s.id = p.address_scope_id
        where p.id = ${pool} and s.project_id <> ${target} and not exists (
          select from rbac_policies r where r.object_id = s.id and r.action = 'access_as_shared'
            and r.target_project in ('*', ${target}))`,
      reason: 'the target project has no access to its address scope',
    },
  },
  notFound: (subnetPoolId) => refusal('SubnetPoolNotFound', { subnetPoolId }),
  canonical: (row) => row,
};
