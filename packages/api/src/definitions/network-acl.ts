import {
  type NetworkAclId,
  type NetworkAclRuleTypes,
  type NetworkAclTypes,
  type SubnetId,
  refusal,
} from '@alcor/network';
import { attributesOf, initially, listed, required } from '../attribute.ts';
import { type AnyDefinition, define } from '../definition.ts';
import { dictionary, integer, isUuid, listOf, oneOf, uuid } from '../kinds.ts';
import { wireRow } from '../writer.ts';
import { identity, nameless, records } from './common.ts';
import { subnet } from './subnet.ts';
import { traffic } from './traffic.ts';

const acl = attributesOf<NetworkAclTypes>();
const { field } = attributesOf<NetworkAclRuleTypes>();

/** The last number a rule can have; room is left for what the region itself may add. */
const lastNumber = 32_766;
const maxSubnets = 1_000;

const rulesTraffic = Object.fromEntries(
  Object.entries(traffic<NetworkAclRuleTypes>()).map(([name, attribute]) => [
    name,
    Object.assign({}, attribute, { put: true }),
  ]),
);

export const networkAclRule: AnyDefinition = define<NetworkAclRuleTypes>({
  singular: 'network_acl_rule',
  plural: 'network_acl_rules',
  prefix: '/alcor/v1',
  path: 'network-acl-rules',
  about: 'A line of a network ACL. ACLs are stateless: answers need a line of their own',
  tenancy: 'project',
  collection: (store) => store.networkAclRules,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as NetworkAclRuleTypes['id']) : null),
  notFound: (ruleId) => refusal('NetworkAclRuleNotFound', { ruleId }),
  attributes: {
    ...nameless<NetworkAclRuleTypes>(),
    network_acl_id: field('networkAclId', uuid<NetworkAclId>(), 'The ACL it is a line of', {
      post: required,
      ...listed,
      refers: [{ to: () => networkAcl }],
    }),
    number: field('number', integer(1, lastNumber), 'The line of the lowest number that fits decides', {
      post: required,
      put: true,
      ...listed,
    }),
    action: field('action', oneOf('allow', 'deny'), 'What becomes of packets that fit', {
      post: required,
      put: true,
      ...listed,
    }),
    ...rulesTraffic,
    ...records<NetworkAclRuleTypes>(),
  },
});

export const networkAcl: AnyDefinition = define<NetworkAclTypes>({
  singular: 'network_acl',
  plural: 'network_acls',
  prefix: '/alcor/v1',
  path: 'network-acls',
  about: 'What may enter and leave subnets. Packets that no line fits are denied; a subnet without an ACL is open',
  tenancy: 'project',
  collection: (store) => store.networkAcls,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as NetworkAclId) : null),
  notFound: (aclId) => refusal('NetworkAclNotFound', { aclId }),
  attributes: {
    ...identity<NetworkAclTypes>(),
    subnet_ids: acl.field('subnetIds', listOf(uuid<SubnetId>(), maxSubnets, String), 'The subnets it is for', {
      post: initially([]),
      put: true,
      refers: [{ to: () => subnet }],
      filter: (values) => ({ subnetId: values.filter(isUuid) }),
    }),
    rules: acl.computed(listOf(dictionary, 1_000_000), 'By direction and number', ({ rules }, caller) =>
      rules.map((rule) => wireRow(networkAclRule, rule, caller)),
    ),
    ...records<NetworkAclTypes>(),
  },
});
