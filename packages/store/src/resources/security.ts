import { refusal } from '@alcor/network';
import type {
  AddressGroupTypes,
  DefaultSecurityGroupRuleTypes,
  SecurityGroupRuleTypes,
  SecurityGroupTypes,
} from '@alcor/network';
import { sortKeysOf, viewFields } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { granteesView, visibleByGrant } from '../sharing.ts';
import { history, identity, tenantKeys } from './common.ts';

/** The columns of whatever speaks of traffic. */
export const trafficColumns = {
  direction: { name: 'direction', type: 'text' },
  ethertype: { name: 'ethertype', type: 'text' },
  protocol: { name: 'protocol', type: 'text', nullsAs: `''` },
  portRangeMin: { name: 'port_range_min', type: 'integer', nullsAs: '-1' },
  portRangeMax: { name: 'port_range_max', type: 'integer', nullsAs: '-1' },
  remoteIpPrefix: { name: 'remote_ip_prefix', type: 'text', nullsAs: `''` },
} as const satisfies Record<string, Column>;

export const trafficKeys = [
  'direction',
  'ethertype',
  'protocol',
  'portRangeMin',
  'portRangeMax',
  'remoteIpPrefix',
] as const;

const noId = `'00000000-0000-0000-0000-000000000000'::uuid`;

const remoteAddressGroupId = {
  name: 'remote_address_group_id',
  type: 'uuid',
  nullsAs: noId,
} as const satisfies Column;

const ruleColumns = {
  id: identity.id,
  projectId: identity.projectId,
  description: identity.description,
  securityGroupId: { name: 'security_group_id', type: 'uuid' },
  ...trafficColumns,
  normalizedCidr: { name: 'normalized_cidr', type: 'cidr' },
  remoteGroupId: { name: 'remote_group_id', type: 'uuid', nullsAs: noId },
  remoteAddressGroupId,
  sameness: { name: 'sameness', type: 'text' },
  ...history,
} as const satisfies Record<string, Column>;

/** The groups of a project, that a rule's group may be one of. */
const groupsOf = (project: string): string => `(select g.id from security_groups g where g.project_id = ${project})`;

export const securityGroupRuleResource: Resource<SecurityGroupRuleTypes> = {
  kind: null,
  table: 'security_group_rules',
  columns: ruleColumns,
  composed: {},
  viewed: {
    belongsToDefaultSg: `(select g.is_default from security_groups g where g.id = t.security_group_id)`,
  },
  join: '',
  filters: {
    belongsToDefaultSg: (values) =>
      `(select g.is_default from security_groups g where g.id = t.security_group_id) = any(${values}::boolean[])`,
  },
  sortKeys: sortKeysOf(ruleColumns, [
    'id',
    'projectId',
    'description',
    'revision',
    'createdAt',
    'updatedAt',
    ...trafficKeys,
    'securityGroupId',
    'remoteGroupId',
    'remoteAddressGroupId',
  ]),
  visibleTo: (project) => `(t.project_id = ${project} or t.security_group_id in ${groupsOf(project)})`,
  notFound: (ruleId) => refusal('SecurityGroupRuleNotFound', { ruleId }),
  canonical: (row) => row,
};

const groupColumns = {
  ...identity,
  stateful: { name: 'stateful', type: 'boolean' },
  isDefault: { name: 'is_default', type: 'boolean' },
  shared: { name: 'shared', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

export const securityGroupResource: Resource<SecurityGroupTypes> = {
  kind: 'security-group',
  table: 'security_groups',
  columns: groupColumns,
  composed: {
    rules: `(select coalesce(json_agg(r order by r.id), '[]')
      from (select ${viewFields(securityGroupRuleResource)} from security_group_rules t) r where r."securityGroupId" = t.id)`,
  },
  viewed: { grantees: granteesView },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(groupColumns, [...tenantKeys, 'stateful']),
  visibleTo: visibleByGrant,
  sharing: {
    objectType: 'security_group',
    grants: {
      access_as_shared: {
        flag: 'shared',
        users: (group) => `select p.project_id from port_security_groups g join ports p on p.id = g.port_id
      where g.security_group_id = ${group}`,
      },
    },
  },
  notFound: (securityGroupId) => refusal('SecurityGroupNotFound', { securityGroupId }),
  canonical: withDatedRules,
};

interface Dated {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What comes out of JSON has its times as text. A row that was locked may have no rules: they are not part of it. */
export function withDatedRules<Rule extends Dated, Row extends { readonly rules?: readonly Rule[] }>(row: Row): Row {
  const dated = (rule: Rule): Rule => ({
    ...rule,
    createdAt: new Date(rule.createdAt),
    updatedAt: new Date(rule.updatedAt),
  });
  return row.rules === undefined ? row : { ...row, rules: row.rules.map(dated) };
}

const templateColumns = {
  id: identity.id,
  description: identity.description,
  ...trafficColumns,
  remoteGroupId: { name: 'remote_group_id', type: 'text', nullsAs: `''` },
  remoteAddressGroupId,
  usedInDefaultSg: { name: 'used_in_default_sg', type: 'boolean' },
  usedInNonDefaultSg: { name: 'used_in_non_default_sg', type: 'boolean' },
  sameness: { name: 'sameness', type: 'text' },
  ...history,
} as const satisfies Record<string, Column>;

export const defaultSecurityGroupRuleResource: Resource<DefaultSecurityGroupRuleTypes> = {
  kind: null,
  table: 'default_security_group_rules',
  columns: templateColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(templateColumns, [
    'id',
    'description',
    ...trafficKeys,
    'remoteGroupId',
    'remoteAddressGroupId',
    'usedInDefaultSg',
    'usedInNonDefaultSg',
  ]),
  visibleTo: null,
  notFound: (ruleId) => refusal('DefaultSecurityGroupRuleNotFound', { ruleId }),
  canonical: (row) => row,
};

const addressGroupColumns = {
  ...identity,
  addresses: { name: 'addresses', type: 'jsonb' },
  shared: { name: 'shared', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

export const addressGroupResource: Resource<AddressGroupTypes> = {
  kind: 'address-group',
  table: 'address_groups',
  columns: addressGroupColumns,
  composed: {},
  viewed: { grantees: granteesView },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(addressGroupColumns, tenantKeys),
  visibleTo: visibleByGrant,
  sharing: {
    objectType: 'address_group',
    grants: {
      access_as_shared: {
        flag: 'shared',
        users: (group) => `select s.project_id from security_group_rules s where s.remote_address_group_id = ${group}`,
      },
    },
  },
  notFound: (addressGroupId) => refusal('AddressGroupNotFound', { addressGroupId }),
  canonical: (row) => row,
};
