import { refusal } from '@alcor/network';
import type { Collection, SecurityGroupTypes, UpdateSecurityGroup } from '@alcor/network';
import { createCollection, forItem } from './collection.ts';
import type { Row } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { ensureDefaultGroups, insertFirstRules } from './default-groups.ts';
import { checkQuota } from './quotas.ts';
import { securityGroupResource, securityGroupRuleResource } from './resources/security.ts';
import { growRevisions } from './writer.ts';

export function createSecurityGroupCollection(context: StoreContext): Collection<SecurityGroupTypes> {
  const plain = createCollection(context, securityGroupResource, {
    defaults: { name: '', description: '', stateful: true, isDefault: false, shared: false },
    complete: (row) => {
      checkName(row.name);
      return row;
    },
    afterInsert: async (tx, rows) => {
      for (const [item, row] of rows.entries()) {
        await forItem(item, () =>
          insertFirstRules(context, tx, [row], (rules) => checkQuota(tx, securityGroupRuleResource.table, rules)),
        );
      }
    },
    change,
    beforeDelete: (tx, { id }) => growReferring(tx, id, nowOf(context)),
    inUse: (securityGroupId) => refusal('SecurityGroupInUse', { securityGroupId }),
  });
  return {
    ...plain,
    async create(inputs) {
      await ensureDefaultGroups(
        context,
        inputs.map(({ projectId }) => projectId),
      );
      return plain.create(inputs);
    },
    async list(query) {
      await ensureDefaultGroups(context, projectsOf(query.filter ?? {}));
      return plain.list(query);
    },
  };
}

/** The projects that a list is asked for: who looks at its groups finds the default one. */
export function projectsOf({
  visibleTo,
  projectId,
}: {
  readonly visibleTo?: string | undefined;
  readonly projectId?: readonly string[] | undefined;
}): readonly string[] {
  return visibleTo === undefined ? (projectId ?? []) : [visibleTo];
}

function checkName(name: string): void {
  if (name.toLowerCase() === 'default') throw refusal('SecurityGroupDefaultAlreadyExists', {});
}

async function change(
  tx: Queryable,
  row: Row<SecurityGroupTypes>,
  patch: UpdateSecurityGroup,
): Promise<UpdateSecurityGroup & Partial<SecurityGroupTypes['view']>> {
  if (row.isDefault && patch.name !== undefined) throw refusal('SecurityGroupCannotUpdateDefault', {});
  if (patch.name !== undefined) checkName(patch.name);
  if (patch.stateful !== undefined && patch.stateful !== row.stateful) await checkUnused(tx, row.id);
  return patch as Partial<SecurityGroupTypes['view']>;
}

/** The rules of other groups that name the group go with it: nobody makes one while the group is locked. */
async function growReferring(tx: Queryable, id: string, now: Date): Promise<void> {
  const text = `select distinct security_group_id as id from security_group_rules
    where remote_group_id = $1 and security_group_id <> $1`;
  const referring = await tx.query<{ id: string }>(text, [id]);
  await growRevisions(
    tx,
    securityGroupResource,
    referring.map((group) => group.id),
    now,
  );
}

/** No port is in the group, and none comes in before the transaction ends. */
async function checkUnused(tx: Queryable, id: string): Promise<void> {
  await tx.query('select id from security_groups where id = $1 for update', [id]);
  const text = 'select port_id from port_security_groups where security_group_id = $1 limit 1';
  if ((await tx.query(text, [id])).length > 0) throw refusal('SecurityGroupInUse', { securityGroupId: id });
}
