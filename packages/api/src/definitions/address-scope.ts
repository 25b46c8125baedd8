import { type AddressScopeId, type AddressScopeTypes, refusal } from '@alcor/network';
import { attributesOf, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { flag, isUuid, oneOf } from '../kinds.ts';
import { adminSets } from '../policy.ts';
import { bySharing, identity, sharedWith } from './common.ts';

const { field } = attributesOf<AddressScopeTypes>();
const { description: _, ...named } = identity<AddressScopeTypes>();

export const addressScope = define<AddressScopeTypes>({
  singular: 'address_scope',
  plural: 'address_scopes',
  path: 'address-scopes',
  prefix: '/v2.0',
  about: 'Where addresses are unique: the subnet pools of one scope do not overlap',
  tenancy: 'project',
  collection: (store) => store.addressScopes,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as AddressScopeId) : null),
  notFound: (addressScopeId) => refusal('AddressScopeNotFound', { addressScopeId }),
  attributes: {
    ...named,
    ip_version: field('ipVersion', oneOf(4, 6), 'Of all its pools', { post: required, ...listed }),
    shared: field('shared', flag, 'The caller’s project may use it; what every project may use stays so', {
      post: initially(false),
      put: true,
      ...listed,
      filter: bySharing,
      wire: sharedWith,
      access: adminSets,
    }),
  },
});
