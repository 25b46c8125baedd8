import { checkTraffic, refusal } from '@alcor/network';
import type { Collection, NetworkAclRuleTypes, NetworkAclTypes, SubnetId } from '@alcor/network';
import { createCollection } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { networkAclResource, networkAclRuleResource } from './resources/network-acl.ts';
import { anyTraffic } from './security-rows.ts';
import { arrayLiteral, jsonRows } from './sql.ts';
import { growRevisions } from './writer.ts';

export function createNetworkAclCollection(context: StoreContext): Collection<NetworkAclTypes> {
  return createCollection(context, networkAclResource, {
    defaults: { name: '', description: '', subnetIds: [] },
    complete: (row) => ({ ...row, subnetIds: distinct(row.subnetIds) }),
    afterInsert: (tx, rows) => associate(tx, rows),
    change: (_tx, _row, { subnetIds, ...rest }) =>
      Promise.resolve({
        ...(rest as Partial<NetworkAclTypes['view']>),
        ...(subnetIds === undefined ? {} : { subnetIds: distinct(subnetIds) }),
      }),
    async afterUpdate(tx, { id }, { subnetIds }) {
      if (subnetIds === undefined) return;
      await tx.query('delete from network_acl_subnets where network_acl_id = $1', [id]);
      await associate(tx, [{ id, subnetIds }]);
    },
    conflicts: {
      network_acl_subnets_pkey: ([subnetId = '']) => refusal('NetworkAclSubnetTaken', { subnetId }),
      network_acl_subnets_subnet_fkey: ([subnetId = '']) => refusal('SubnetNotFound', { subnetId }),
    },
    inUse: (aclId) => refusal('NetworkAclInUse', { aclId }),
  });
}

export function createNetworkAclRuleCollection(context: StoreContext): Collection<NetworkAclRuleTypes> {
  const grow = (tx: Queryable, aclIds: readonly string[]): Promise<void> =>
    growRevisions(tx, networkAclResource, aclIds, nowOf(context));
  return createCollection(context, networkAclRuleResource, {
    defaults: { ...anyTraffic, description: '' },
    complete: (row) => ({ ...row, ...checkTraffic(row) }),
    afterInsert: (tx, rows) =>
      grow(
        tx,
        rows.map(({ networkAclId }) => networkAclId),
      ),
    change(_tx, row, patch) {
      const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
      const wanted = { ...row, ...given };
      return Promise.resolve({ ...given, ...checkTraffic(trafficOf(wanted)) });
    },
    afterUpdate: (tx, { networkAclId }) => grow(tx, [networkAclId]),
    afterDelete: (tx, { networkAclId }) => grow(tx, [networkAclId]),
    conflicts: {
      network_acl_rules_acl_fkey: ([aclId = '']) => refusal('NetworkAclNotFound', { aclId }),
      network_acl_rules_number_key: ([aclId = '', direction = '', number = '']) =>
        refusal('NetworkAclRuleNumberInUse', { aclId, direction, number }),
    },
  });
}

/** Before these subnets go, which takes them from their ACLs: that is a change of the ACLs. */
export async function growAclsOf(tx: Queryable, subnetIds: readonly SubnetId[], now: Date): Promise<void> {
  const acls = await tx.query<{ id: string }>(
    'select distinct network_acl_id as id from network_acl_subnets where subnet_id = any($1::uuid[])',
    [arrayLiteral(subnetIds)],
  );
  await growRevisions(
    tx,
    networkAclResource,
    acls.map(({ id }) => id),
    now,
  );
}

function trafficOf(row: NetworkAclRuleTypes['view']): Parameters<typeof checkTraffic>[0] {
  const { direction, ethertype, protocol, portRangeMin, portRangeMax, remoteIpPrefix } = row;
  return { direction, ethertype, protocol, portRangeMin, portRangeMax, remoteIpPrefix };
}

/** In the order in which they are read again. */
function distinct(ids: readonly SubnetId[]): readonly SubnetId[] {
  return [...new Set(ids)].toSorted();
}

async function associate(
  tx: Queryable,
  acls: readonly { readonly id: string; readonly subnetIds: readonly SubnetId[] }[],
): Promise<void> {
  const rows = acls.flatMap(({ id, subnetIds }) => subnetIds.map((subnetId) => ({ subnetId, aclId: id })));
  if (rows.length === 0) return;
  await tx.query(
    `insert into network_acl_subnets (subnet_id, network_acl_id) select x."subnetId", x."aclId"
     from jsonb_to_recordset($1::text::jsonb) as x("subnetId" uuid, "aclId" uuid) order by 1`,
    [jsonRows(rows)],
  );
}
