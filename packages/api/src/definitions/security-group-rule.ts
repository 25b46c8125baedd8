import {
  type AddressGroupId,
  type DefaultSecurityGroupRuleTypes,
  type SecurityGroupId,
  type SecurityGroupRuleTypes,
  refusal,
} from '@alcor/network';
import { cidr } from '../address-kinds.ts';
import { attributesOf, initially, listed, required } from '../attribute.ts';
import { type AnyDefinition, define } from '../definition.ts';
import { flag, isUuid, nullable, text, uuid } from '../kinds.ts';
import { addressGroup } from './address-group.ts';
import { nameless, records } from './common.ts';
import { securityGroup } from './security-group.ts';
import { traffic } from './traffic.ts';

const { field } = attributesOf<SecurityGroupRuleTypes>();
const template = attributesOf<DefaultSecurityGroupRuleTypes>();

/** Neutron answers 404, not 400, to an id of a group that is none. */
const groupId = text(36);

export const securityGroupRule: AnyDefinition = define<SecurityGroupRuleTypes>({
  singular: 'security_group_rule',
  plural: 'security_group_rules',
  prefix: '/v2.0',
  path: 'security-group-rules',
  about: 'Lets packets from or to the ports of a security group pass',
  tenancy: 'project',
  operations: ['create', 'list', 'show', 'delete'],
  collection: (store) => store.securityGroupRules,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as SecurityGroupRuleTypes['id']) : null),
  notFound: (ruleId) => refusal('SecurityGroupRuleNotFound', { ruleId }),
  judge: async (store, caller, inputs) => {
    if (caller.isAdmin) return;
    // To use a group of another project is one thing, to change what it lets pass another.
    const id = [...new Set(inputs.map(({ securityGroupId }) => securityGroupId as SecurityGroupId))].filter(isUuid);
    const { rows } = await store.securityGroups.list({
      filter: { id: id as SecurityGroupId[], projectId: [caller.projectId] },
    });
    const missing = id.find((wanted) => !rows.some((row) => row.id === wanted.toLowerCase()));
    if (missing !== undefined) throw refusal('SecurityGroupNotFound', { securityGroupId: missing });
  },
  attributes: {
    ...nameless<SecurityGroupRuleTypes>(),
    security_group_id: field('securityGroupId', groupId, 'The group whose ports it is for', {
      post: required,
      ...listed,
      refers: [{ to: () => securityGroup }],
    }),
    ...traffic<SecurityGroupRuleTypes>(),
    normalized_cidr: field('normalizedCidr', nullable(cidr), 'The block of remote_ip_prefix', { filter: true }),
    remote_group_id: field('remoteGroupId', nullable(groupId), 'The other end is a port of this group', {
      post: initially(null),
      ...listed,
      refers: [{ to: () => securityGroup }],
    }),
    remote_address_group_id: field(
      'remoteAddressGroupId',
      nullable(uuid<AddressGroupId>()),
      'The other end has an address of this group',
      { post: initially(null), ...listed, refers: [{ to: () => addressGroup }] },
    ),
    belongs_to_default_sg: field('belongsToDefaultSg', flag, 'Its group is a project’s default one', { filter: true }),
    ...records<SecurityGroupRuleTypes>(),
  },
});

export const defaultSecurityGroupRule: AnyDefinition = define<DefaultSecurityGroupRuleTypes>({
  singular: 'default_security_group_rule',
  plural: 'default_security_group_rules',
  prefix: '/v2.0',
  path: 'default-security-group-rules',
  about: 'A rule that new security groups begin with',
  tenancy: 'region',
  operations: ['create', 'list', 'show', 'delete'],
  policy: { get: 'anyone' },
  collection: (store) => store.defaultSecurityGroupRules,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as DefaultSecurityGroupRuleTypes['id']) : null),
  notFound: (ruleId) => refusal('DefaultSecurityGroupRuleNotFound', { ruleId }),
  attributes: {
    id: template.field('id', uuid<DefaultSecurityGroupRuleTypes['id']>(), 'Given by the region', listed),
    description: template.field('description', text(255), 'For people', { post: initially(''), ...listed }),
    ...traffic<DefaultSecurityGroupRuleTypes>(),
    remote_group_id: template.field(
      'remoteGroupId',
      nullable(groupId),
      'The other end is a port of this group; PARENT: of the new group itself',
      { post: initially(null), ...listed },
    ),
    remote_address_group_id: template.field(
      'remoteAddressGroupId',
      nullable(uuid<AddressGroupId>()),
      'The other end has an address of this group',
      { post: initially(null), ...listed },
    ),
    used_in_default_sg: template.field('usedInDefaultSg', flag, 'The projects’ default groups begin with it', {
      post: initially(false),
      ...listed,
    }),
    used_in_non_default_sg: template.field('usedInNonDefaultSg', flag, 'The other groups begin with it', {
      post: initially(true),
      ...listed,
    }),
  },
});
