import { everyProject, refusal } from '@alcor/network';
import type { Collection, CollectionTypes, RbacPolicy, RbacPolicyTypes, SharedObjectType } from '@alcor/network';
import { createCollection } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { lockRow } from './reader.ts';
import type { Resource } from './resource.ts';
import { addressScopeResource, subnetPoolResource } from './resources/addressing.ts';
import { networkResource } from './resources/network.ts';
import { qosPolicyResource } from './resources/qos.ts';
import { rbacPolicyResource } from './resources/rbac.ts';
import { addressGroupResource, securityGroupResource } from './resources/security.ts';
import { hasUsers, isUsed } from './sharing.ts';
import type { GrantKind } from './sharing.ts';
import { writeRow } from './writer.ts';

/** What can be shared, by what policies call it. */
const shareable: readonly Resource<CollectionTypes>[] = [
  networkResource as unknown as Resource<CollectionTypes>,
  qosPolicyResource as unknown as Resource<CollectionTypes>,
  securityGroupResource as unknown as Resource<CollectionTypes>,
  addressGroupResource as unknown as Resource<CollectionTypes>,
  subnetPoolResource as unknown as Resource<CollectionTypes>,
  addressScopeResource as unknown as Resource<CollectionTypes>,
];
const byType = new Map(shareable.map((resource) => [resource.sharing?.objectType, resource]));

/** Grants. The object is locked while one comes or goes, so that its flag says the same and it does not go meanwhile. */
export function createRbacCollection(context: StoreContext): Collection<RbacPolicyTypes> {
  return createCollection(context, rbacPolicyResource, {
    defaults: {},
    beforeInsert: async (tx, rows) => {
      const now = nowOf(context);
      for (const [item, row] of rows.entries()) await grant(tx, row, now, item);
      return rows;
    },
    change: async (tx, row, patch) => {
      const targetProject = patch.targetProject ?? row.targetProject;
      if (targetProject === row.targetProject) return {};
      await revoke(tx, row, { now: nowOf(context), instead: targetProject });
      await grant(tx, { ...row, targetProject }, nowOf(context));
      return { targetProject };
    },
    beforeDelete: (tx, row) => revoke(tx, row, { now: nowOf(context) }),
    conflicts: { rbac_policies_key: () => refusal('DuplicateRbacPolicy', {}) },
  });
}

type Owned = { readonly id: string; readonly projectId: string; readonly revision: number };

async function grant(tx: Queryable, policy: RbacPolicy, now: Date, item?: number): Promise<void> {
  const { resource, kind } = lookUp(policy, item);
  const object = await lockObject(tx, resource, policy.objectId);
  await checkNotBarred(tx, resource, policy, item);
  if (kind.anyTarget || policy.targetProject === everyProject) {
    await writeRow(tx, resource, object, { fields: { [kind.flag]: true }, now });
  }
}

async function checkNotBarred(
  tx: Queryable,
  { sharing }: Resource<CollectionTypes>,
  { objectId, targetProject }: RbacPolicy,
  item?: number,
): Promise<void> {
  if (sharing?.barred === undefined) return;
  const found = await tx.query(sharing.barred.when('$1::uuid', '$2::text'), [objectId, targetProject]);
  if (found.length > 0) throw refusal('InvalidInput', { reason: sharing.barred.reason }, { item });
}

async function revoke(
  tx: Queryable,
  policy: RbacPolicy,
  { now, instead }: { readonly now: Date; readonly instead?: string },
): Promise<void> {
  const { resource, kind } = lookUp(policy);
  const { objectId, action, targetProject } = policy;
  const object = await lockObject(tx, resource, objectId);
  const unflagged = kind.anyTarget
    ? instead === undefined && (await isLast(tx, policy))
    : targetProject === everyProject;
  // A new target that leaves users their access saves an external network's grant, and with Neutron no other.
  const otherwise = kind.anyTarget ? instead : undefined;
  const used =
    kind.anyTarget && unflagged
      ? await hasUsers(tx, kind, objectId)
      : await isUsed(tx, kind, { ...object, action, targetProject, instead: otherwise });
  if (used || (targetProject === everyProject && (await isKept(tx, kind, objectId)))) {
    throw refusal('RbacPolicyInUse', { objectId, details: `project_id=${targetProject}` });
  }
  if (unflagged) await writeRow(tx, resource, object, { fields: { [kind.flag]: false }, now });
}

async function isLast(tx: Queryable, { id, objectId, action }: RbacPolicy): Promise<boolean> {
  const text = 'select 1 from rbac_policies where object_id = $1 and action = $2 and id <> $3 limit 1';
  return (await tx.query(text, [objectId, action, id])).length === 0;
}

async function isKept(tx: Queryable, { kept }: GrantKind, objectId: string): Promise<boolean> {
  return kept !== undefined && (await tx.query(kept('$1::uuid'), [objectId])).length > 0;
}

async function lockObject(tx: Queryable, resource: Resource<CollectionTypes>, id: string): Promise<Owned> {
  return (await lockRow(tx, resource, id, { strength: 'for no key update' })) as object as Owned;
}

function lookUp(
  { objectType, action }: { readonly objectType: SharedObjectType; readonly action: RbacPolicy['action'] },
  item?: number,
): { readonly resource: Resource<CollectionTypes>; readonly kind: GrantKind } {
  const resource = byType.get(objectType);
  const kind = resource?.sharing?.grants[action];
  if (resource !== undefined && kind !== undefined) return { resource, kind };
  throw refusal(
    'InvalidInput',
    { reason: `action '${action}' is not valid for object type '${objectType}'` },
    { item },
  );
}
