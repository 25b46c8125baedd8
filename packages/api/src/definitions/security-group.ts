import { type SecurityGroupTypes, refusal } from '@alcor/network';
import { attributesOf, initially, listed } from '../attribute.ts';
import { type AnyDefinition, define } from '../definition.ts';
import { dictionary, flag, isUuid, listOf } from '../kinds.ts';
import { wireRow } from '../writer.ts';
import { bySharing, identity, records, sharedWith } from './common.ts';
import { securityGroupRule } from './security-group-rule.ts';

const { field, computed } = attributesOf<SecurityGroupTypes>();

export const securityGroup: AnyDefinition = define<SecurityGroupTypes>({
  singular: 'security_group',
  plural: 'security_groups',
  prefix: '/v2.0',
  path: 'security-groups',
  about: 'Ports that are protected alike: only what one of its rules speaks of passes',
  tenancy: 'project',
  collection: (store) => store.securityGroups,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as SecurityGroupTypes['id']) : null),
  notFound: (securityGroupId) => refusal('SecurityGroupNotFound', { securityGroupId }),
  judgeAlteration: async ({ caller, operation, view }) => {
    if (operation === 'delete' && view.isDefault && !caller.isAdmin) {
      throw refusal('SecurityGroupCannotRemoveDefault', {});
    }
  },
  attributes: {
    ...identity<SecurityGroupTypes>(),
    stateful: field('stateful', flag, 'Answers to what was let through pass as well', {
      post: initially(true),
      put: true,
      ...listed,
    }),
    shared: field('shared', flag, 'The caller’s project may use it by a grant', {
      filter: bySharing,
      wire: sharedWith,
    }),
    security_group_rules: computed(listOf(dictionary, 1_000_000), 'Its rules, oldest first', ({ rules }, caller) =>
      rules.map((rule) => wireRow(securityGroupRule, rule, caller)),
    ),
    ...records<SecurityGroupTypes>(),
  },
});
