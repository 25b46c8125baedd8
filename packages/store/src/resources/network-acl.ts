import { refusal } from '@alcor/network';
import type { NetworkAclRuleTypes, NetworkAclTypes } from '@alcor/network';
import { sortKeysOf, viewFields } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity, tenantKeys } from './common.ts';
import { trafficColumns, trafficKeys, withDatedRules } from './security.ts';

const ruleColumns = {
  id: identity.id,
  projectId: identity.projectId,
  description: identity.description,
  networkAclId: { name: 'network_acl_id', type: 'uuid' },
  number: { name: 'number', type: 'integer' },
  action: { name: 'action', type: 'text' },
  ...trafficColumns,
  ...history,
} as const satisfies Record<string, Column>;

export const networkAclRuleResource: Resource<NetworkAclRuleTypes> = {
  kind: null,
  table: 'network_acl_rules',
  columns: ruleColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(ruleColumns, [
    'id',
    'projectId',
    'description',
    'revision',
    'createdAt',
    'updatedAt',
    ...trafficKeys,
    'networkAclId',
    'number',
    'action',
  ]),
  visibleTo: (project) => `t.network_acl_id in (select a.id from network_acls a where a.project_id = ${project})`,
  notFound: (ruleId) => refusal('NetworkAclRuleNotFound', { ruleId }),
  canonical: (row) => row,
};

const aclColumns = { ...identity, ...history } as const satisfies Record<string, Column>;

export const networkAclResource: Resource<NetworkAclTypes> = {
  kind: 'network-acl',
  table: 'network_acls',
  columns: aclColumns,
  composed: {
    subnetIds: `(select coalesce(json_agg(s.subnet_id order by s.subnet_id), '[]') from network_acl_subnets s
      where s.network_acl_id = t.id)`,
    subnets: `(select coalesce(json_agg(json_build_object('id', n.id, 'networkId', n.network_id, 'cidr', n.cidr) order by n.id), '[]')
      from network_acl_subnets s join subnets n on n.id = s.subnet_id where s.network_acl_id = t.id)`,
    rules: `(select coalesce(json_agg(r order by r.direction, r.number), '[]')
      from (select ${viewFields(networkAclRuleResource)} from network_acl_rules t) r where r."networkAclId" = t.id)`,
  },
  viewed: {},
  join: '',
  filters: {
    subnetId: (values) =>
      `t.id in (select s.network_acl_id from network_acl_subnets s where s.subnet_id = any(${values}::uuid[]))`,
  },
  sortKeys: sortKeysOf(aclColumns, tenantKeys),
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (aclId) => refusal('NetworkAclNotFound', { aclId }),
  canonical: withDatedRules,
};
