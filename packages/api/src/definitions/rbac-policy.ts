import {
  type RbacPolicy,
  type RbacPolicyTypes,
  everyProject,
  grantActions,
  refusal,
  sharedObjectTypes,
} from '@alcor/network';
import { attributesOf, chosen, listed, required } from '../attribute.ts';
import { type AnyDefinition, define } from '../definition.ts';
import { find } from '../finder.ts';
import { isUuid, oneOf, text, uuid } from '../kinds.ts';
import { addressGroup } from './address-group.ts';
import { addressScope } from './address-scope.ts';
import { network } from './network.ts';
import { qosPolicy } from './qos.ts';
import { securityGroup } from './security-group.ts';
import { subnetPool } from './subnet-pool.ts';

const { field } = attributesOf<RbacPolicyTypes>();

/** The definitions of what can be shared. */
const shareable: Readonly<Record<RbacPolicy['objectType'], AnyDefinition>> = {
  network,
  subnetpool: subnetPool,
  address_scope: addressScope,
  security_group: securityGroup,
  address_group: addressGroup,
  qos_policy: qosPolicy,
};

const project = field('projectId', text(255), 'The project that grants', { post: chosen, ...listed });
/** Everybody is the administrator's to speak of. */
const target = { members: { [everyProject]: 'admin' } } as const;

export const rbacPolicy = define<RbacPolicyTypes>({
  singular: 'rbac_policy',
  plural: 'rbac_policies',
  path: 'rbac-policies',
  prefix: '/v2.0',
  about: 'A grant to use an object of another project',
  tenancy: 'project',
  collection: (store) => store.rbacPolicies,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as RbacPolicyTypes['id']) : null),
  notFound: (policyId) => refusal('RbacPolicyNotFound', { policyId }),
  judge: async (store, caller, inputs) => {
    for (const [item, { objectType, objectId }] of inputs.entries()) {
      if (caller.isAdmin) continue;
      const { view } = await find(shareable[objectType], store, caller, { id: objectId });
      if (view.projectId === caller.projectId) continue;
      const reason = 'Only admins can manipulate policies on objects they do not own';
      throw refusal('InvalidInput', { reason }, { item });
    }
  },
  attributes: {
    id: field('id', uuid(), 'Given by the region', listed),
    object_type: field('objectType', oneOf(...sharedObjectTypes), 'What sort of object', { post: required, ...listed }),
    object_id: field('objectId', uuid(), 'The object', { post: required, ...listed }),
    target_tenant: field('targetProject', text(255), 'The project that may use it; `*` for all', {
      post: required,
      put: true,
      ...listed,
      access: target,
    }),
    action: field('action', oneOf(...grantActions), 'What the project may do with it', { post: required, ...listed }),
    tenant_id: { ...project, about: 'Older name of project_id' },
    project_id: project,
  },
});
