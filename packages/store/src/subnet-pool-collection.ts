import { addressSet, changePool, intersects, prefixesWithout, refusal, resolvePool } from '@alcor/network';
import type {
  NetworkId,
  SubnetId,
  SubnetPool,
  SubnetPoolCollection,
  SubnetPoolId,
  SubnetPoolTypes,
} from '@alcor/network';
import { createCollection } from './collection.ts';
import type { CollectionRules, Row } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { lockRow } from './reader.ts';
import { addressScopeResource, subnetPoolResource } from './resources/addressing.ts';
import { networkResource } from './resources/network.ts';
import { subnetResource } from './resources/subnet.ts';
import { changedFields, updateRow } from './writer.ts';

type Pool = Row<SubnetPoolTypes>;

export function createSubnetPoolCollection(context: StoreContext): SubnetPoolCollection {
  return {
    ...createCollection(context, subnetPoolResource, rules),
    addPrefixes: (id, prefixes) =>
      changePrefixes(context, id, async (tx, pool) => {
        const next = changePool(pool, { prefixes: [...pool.prefixes, ...prefixes] }).prefixes;
        await checkScope(tx, { ...pool, prefixes: next });
        return next;
      }),
    removePrefixes: (id, prefixes) =>
      changePrefixes(context, id, async (tx, pool) => prefixesWithout(pool, prefixes, await allocatedOf(tx, id))),
    onboard: (id, networkId) => onboard(context, id, networkId),
  };
}

const rules: CollectionRules<SubnetPoolTypes> = {
  defaults: { name: '', description: '', defaultQuota: null, isDefault: false, shared: false, addressScopeId: null },
  complete: (row, input) => ({ ...row, ...resolvePool(input) }),
  beforeInsert: async (tx, rows) => {
    for (const [index, row] of rows.entries()) await checkScope(tx, row, rows.slice(0, index));
    return rows;
  },
  change: async (tx, row, patch) => {
    const { name = row.name, description = row.description, isDefault = row.isDefault } = patch;
    const { defaultQuota = row.defaultQuota, addressScopeId = row.addressScopeId } = patch;
    const next = { ...row, ...changePool(row, patch), name, description, isDefault, defaultQuota, addressScopeId };
    if (addressScopeId !== row.addressScopeId) await checkAffinity(tx, next);
    await checkScope(tx, next);
    return next;
  },
  conflicts: {
    subnet_pools_default_key: () =>
      refusal('InvalidInput', {
        reason:
          'A default subnetpool for this IP family has already been set. Only one default may exist per IP family',
      }),
  },
  inUse: () => refusal('SubnetPoolDeleteError', { reason: 'Subnet pool has existing allocations' }),
};

/** Blocks of the subnets that were taken out of the pool. */
export async function allocatedOf(tx: Queryable, id: SubnetPoolId): Promise<readonly string[]> {
  const rows = await tx.query<{ cidr: string }>('select cidr from subnets where subnet_pool_id = $1', [id]);
  return rows.map(({ cidr }) => cidr);
}

/** Under a lock of the scope, so that of two pools of a scope that overlap one is refused. */
async function checkScope(tx: Queryable, pool: Pool, alongside: readonly SubnetPool[] = []): Promise<void> {
  const { id: subnetPoolId, addressScopeId, ipVersion } = pool;
  if (addressScopeId === null) return;
  const scope = await lockRow(tx, addressScopeResource, addressScopeId, { strength: 'for no key update' });
  if (scope.ipVersion !== ipVersion) {
    throw refusal('IllegalSubnetPoolIpVersion', { subnetPoolId, addressScopeId, ipVersion: scope.ipVersion });
  }
  const others = await tx.query<{ prefixes: readonly string[] }>(
    'select prefixes from subnet_pools where address_scope_id = $1 and id <> $2',
    [addressScopeId, subnetPoolId],
  );
  const taken = [...others, ...alongside.filter((other) => other.addressScopeId === addressScopeId)];
  const prefixes = taken.flatMap((other) => other.prefixes);
  if (intersects(addressSet(ipVersion, pool.prefixes), addressSet(ipVersion, prefixes))) {
    throw refusal('AddressScopePrefixConflict', {});
  }
}

/** Subnets of one IP version on one network are all in one scope: those of the pool must not leave others behind. */
async function checkAffinity(tx: Queryable, { id, ipVersion }: Pool): Promise<void> {
  const left = await tx.query(
    `select 1 from subnets s where s.ip_version = $2 and s.subnet_pool_id is distinct from $1::uuid
       and s.network_id in (select network_id from subnets where subnet_pool_id = $1::uuid) limit 1`,
    [id, ipVersion],
  );
  if (left.length > 0) throw refusal('NetworkAddressScopeAffinityError', {});
}

async function changePrefixes(
  context: StoreContext,
  id: SubnetPoolId,
  work: (tx: Queryable, pool: Pool) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  return context.database.transaction(async (tx) => {
    const pool = await lockRow(tx, subnetPoolResource, id, { strength: 'for no key update' });
    const prefixes = await work(tx, pool);
    const fields = changedFields(pool, { prefixes });
    if (Object.keys(fields).length > 0) {
      await updateRow(tx, subnetPoolResource, pool, { fields, now: nowOf(context) });
    }
    return prefixes;
  });
}

async function onboard(
  context: StoreContext,
  id: SubnetPoolId,
  networkId: NetworkId,
): Promise<readonly { readonly id: SubnetId; readonly cidr: string }[]> {
  let onboarded: readonly { readonly id: SubnetId; readonly cidr: string }[] = [];
  await changePrefixes(context, id, async (tx, pool) => {
    await lockRow(tx, networkResource, networkId, { strength: 'for no key update' });
    const rows = await tx.query<{ id: SubnetId }>(
      'select id from subnets where network_id = $1 and ip_version = $2 order by id',
      [networkId, pool.ipVersion],
    );
    const subnets = [];
    for (const row of rows) {
      subnets.push(await lockRow(tx, subnetResource, row.id, { strength: 'for no key update' }));
    }
    const allocated = addressSet(pool.ipVersion, await allocatedOf(tx, id));
    const clash = subnets.find(({ cidr }) => intersects(addressSet(pool.ipVersion, [cidr]), allocated));
    if (clash !== undefined) {
      throw refusal('IllegalSubnetPoolUpdate', {
        reason: `Onboarding subnet ${clash.id}: ${clash.cidr} conflicts with allocated prefixes in subnet pool ${id}`,
      });
    }
    const now = nowOf(context);
    for (const subnet of subnets) {
      await updateRow(tx, subnetResource, subnet, { fields: { subnetPoolId: id }, now });
    }
    onboarded = subnets.map((subnet) => ({ id: subnet.id, cidr: subnet.cidr }));
    const prefixes = changePool(pool, {
      prefixes: [...pool.prefixes, ...onboarded.map(({ cidr }) => cidr)],
    }).prefixes;
    await checkScope(tx, { ...pool, prefixes });
    return prefixes;
  });
  context.committed();
  return onboarded;
}
