import { type AddressScopeId, type NetworkId, type SubnetPoolId, type SubnetPoolTypes, refusal } from '@alcor/network';
import { action } from '../action.ts';
import { cidr } from '../address-kinds.ts';
import { attributesOf, chosen, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { find } from '../finder.ts';
import { flag, integer, isUuid, listOf, nullable, oneOf, uuid } from '../kinds.ts';
import { adminSets } from '../policy.ts';
import { addressScope } from './address-scope.ts';
import { bySharing, identity, records, sharedWith } from './common.ts';
import { network } from './network.ts';

const { field } = attributesOf<SubnetPoolTypes>();

/** Blocks of one pool; adjacent ones are written as one. */
const maxPrefixes = 1_000;
const prefixes = listOf(cidr, maxPrefixes);
const prefixlen = integer(0, 128);

export const subnetPool = define<SubnetPoolTypes>({
  singular: 'subnetpool',
  plural: 'subnetpools',
  prefix: '/v2.0',
  about: 'Blocks of addresses that subnets are taken out of, none of them twice',
  tenancy: 'project',
  collection: (store) => store.subnetPools,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as SubnetPoolId) : null),
  notFound: (subnetPoolId) => refusal('SubnetPoolNotFound', { subnetPoolId }),
  // In the scope of another project a pool stays as it is, unless the administrator changes it.
  judgeAlteration: async ({ store, caller, operation, view: { id, addressScopeId } }) => {
    if (operation === 'delete' || caller.isAdmin || addressScopeId === null) return;
    const scope = await store.addressScopes.get(addressScopeId);
    if (scope.projectId === caller.projectId) return;
    throw refusal('IllegalSubnetPoolUpdate', {
      reason: `subnetpool ${id} cannot be updated when associated with shared address scope ${addressScopeId}`,
    });
  },
  attributes: {
    ...identity<SubnetPoolTypes>(),
    prefixes: field('prefixes', prefixes, 'Its blocks, the fewest that say it', { post: required, put: true }),
    // Neutron writes these three as text.
    default_prefixlen: field('defaultPrefixlen', prefixlen, 'Of a subnet that names no size', {
      post: chosen,
      put: true,
      wire: String,
      ...listed,
    }),
    min_prefixlen: field('minPrefixlen', prefixlen, 'The largest subnet', {
      post: chosen,
      put: true,
      wire: String,
      ...listed,
    }),
    max_prefixlen: field('maxPrefixlen', prefixlen, 'The smallest subnet', {
      post: chosen,
      put: true,
      wire: String,
      ...listed,
    }),
    ip_version: field('ipVersion', oneOf(4, 6), 'Follows from its prefixes', listed),
    default_quota: field(
      'defaultQuota',
      nullable(integer(0, 2_147_483_647)),
      'How many addresses (IPv4), or blocks of /64 (IPv6), each project may take',
      { post: initially(null), put: true, filter: true },
    ),
    is_default: field('isDefault', flag, 'Serves subnets that ask for the default; one of each IP version', {
      post: initially(false),
      put: true,
      ...listed,
      access: adminSets,
    }),
    shared: field('shared', flag, 'The caller’s project may take subnets out of it', {
      post: initially(false),
      ...listed,
      filter: bySharing,
      wire: sharedWith,
      access: adminSets,
    }),
    address_scope_id: field('addressScopeId', nullable(uuid<AddressScopeId>()), 'Pools of one scope do not overlap', {
      post: initially(null),
      put: true,
      filter: true,
      refers: [{ to: () => addressScope }],
    }),
    ...records<SubnetPoolTypes>(),
  },
  actions: {
    add_prefixes: action({
      about: 'Adds blocks to it',
      required: { prefixes },
      run: async ({ store, id, body }) => ({
        prefixes: await store.subnetPools.addPrefixes(id as SubnetPoolId, body.prefixes),
      }),
    }),
    remove_prefixes: action({
      about: 'Takes blocks from it that no subnet came out of',
      required: { prefixes },
      run: async ({ store, id, body }) => ({
        prefixes: await store.subnetPools.removePrefixes(id as SubnetPoolId, body.prefixes),
      }),
    }),
    onboard_network_subnets: action({
      about: 'Makes a network’s subnets part of it, as if they had been taken out of it',
      required: { network_id: uuid<NetworkId>() },
      run: async ({ store, caller, id, body }) => {
        await find(network, store, caller, { id: body.network_id });
        return store.subnetPools.onboard(id as SubnetPoolId, body.network_id);
      },
    }),
  },
});
