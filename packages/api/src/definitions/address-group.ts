import { type AddressGroupTypes, parseCidr, refusal } from '@alcor/network';
import { action } from '../action.ts';
import { cidr } from '../address-kinds.ts';
import { attributesOf, initially } from '../attribute.ts';
import { define } from '../definition.ts';
import { type Kind, isUuid, listOf, nullMeans } from '../kinds.ts';
import { identity, records } from './common.ts';

const { field } = attributesOf<AddressGroupTypes>();

/** A group with more is asking for a larger block. */
const maxAddresses = 10_000;
const addresses = listOf(cidr, maxAddresses);

/** What is taken out may be named as a bare address too: that names a block of one. */
const address: Kind<string> = {
  schema: cidr.schema,
  parse: (value) =>
    cidr.parse(
      typeof value === 'string' && !value.includes('/') && value.length > 0
        ? `${value}/${parseCidr(`${value}/128`) === null ? 32 : 128}`
        : value,
    ),
};

export const addressGroup = define<AddressGroupTypes>({
  singular: 'address_group',
  plural: 'address_groups',
  prefix: '/v2.0',
  path: 'address-groups',
  about: 'Addresses under one name, that rules of security groups may mean',
  tenancy: 'project',
  policy: { refusal: 'not found' },
  collection: (store) => store.addressGroups,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as AddressGroupTypes['id']) : null),
  notFound: (addressGroupId) => refusal('AddressGroupNotFound', { addressGroupId }),
  attributes: {
    ...identity<AddressGroupTypes>(),
    addresses: field('addresses', nullMeans(addresses, []), 'Blocks; each counts once', { post: initially([]) }),
    ...records<AddressGroupTypes>(),
  },
  actions: {
    add_addresses: action({
      about: 'Adds addresses; none of them may be in the group yet',
      required: { addresses },
      answers: 'view',
      run: ({ store, id, body, ifRevision }) =>
        store.addressGroups.update(id as AddressGroupTypes['id'], { addAddresses: body.addresses }, { ifRevision }),
    }),
    remove_addresses: action({
      about: 'Takes addresses out; all of them must be in the group',
      required: { addresses: listOf(address, maxAddresses) },
      answers: 'view',
      run: ({ store, id, body, ifRevision }) =>
        store.addressGroups.update(id as AddressGroupTypes['id'], { removeAddresses: body.addresses }, { ifRevision }),
    }),
  },
});
