import { samenessOf } from '@alcor/network';
import type { DefaultSecurityGroupRule, SecurityGroup, SecurityGroupId } from '@alcor/network';
import { nowOf, recordChanges } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { insertRows, viewFields } from './resource.ts';
import {
  defaultSecurityGroupRuleResource,
  securityGroupResource,
  securityGroupRuleResource,
} from './resources/security.ts';
import { arrayLiteral, jsonRows } from './sql.ts';

/** In a template's rule: the group that is made from it. */
export const parentGroup = 'PARENT';

/** The default groups of these projects; those that are missing are made. Any number of callers may ask at once. */
export async function ensureDefaultGroups(
  context: StoreContext,
  projects: readonly string[],
): Promise<ReadonlyMap<string, SecurityGroupId>> {
  const { database } = context;
  const wanted = [...new Set(projects)].filter((project) => project !== '').toSorted();
  const found = await readDefaultGroups(database, wanted);
  const missing = wanted.filter((project) => !found.has(project));
  if (missing.length === 0) return found;
  await database.transaction(async (tx) => {
    const groups = missing.map((projectId) => newDefaultGroup(context, projectId));
    // Where someone else makes one at the same time, this waits for them and then does nothing.
    const text = `${insertRows(securityGroupResource, '$1', ['projectId'])}
      on conflict (project_id) where is_default do nothing returning id`;
    const ids = new Set((await tx.query<{ id: string }>(text, [jsonRows(groups)])).map(({ id }) => id));
    const made = groups.filter(({ id }) => ids.has(id));
    await insertFirstRules(context, tx, made);
    await recordChanges(
      tx,
      nowOf(context),
      made.map(({ id, revision }) => ({ kind: securityGroupResource.kind, id, revision, deleted: false })),
    );
  });
  context.committed();
  return readDefaultGroups(database, wanted);
}

/** Gives new groups the rules of the template, which `check` may refuse. */
export async function insertFirstRules(
  context: StoreContext,
  tx: Queryable,
  groups: readonly SecurityGroup[],
  check?: (rules: readonly object[]) => Promise<void>,
): Promise<void> {
  if (groups.length === 0) return;
  const template = await readTemplate(tx);
  const rows = groups.flatMap((group) =>
    template
      .filter((rule) => (group.isDefault ? rule.usedInDefaultSg : rule.usedInNonDefaultSg))
      .map((rule) => firstRule(context, group, rule)),
  );
  await check?.(rows);
  await tx.query(insertRows(securityGroupRuleResource, '$1', ['id']), [jsonRows(rows)]);
}

async function readDefaultGroups(
  on: Queryable,
  projects: readonly string[],
): Promise<ReadonlyMap<string, SecurityGroupId>> {
  if (projects.length === 0) return new Map();
  const rows = await on.query<{ projectId: string; id: SecurityGroupId }>(
    'select project_id as "projectId", id from security_groups where is_default and project_id = any($1::text[])',
    [arrayLiteral(projects)],
  );
  return new Map(rows.map(({ projectId, id }) => [projectId, id]));
}

function newDefaultGroup(context: StoreContext, projectId: string): SecurityGroup {
  const now = nowOf(context);
  return {
    id: context.newId() as SecurityGroupId,
    projectId,
    name: 'default',
    description: 'Default security group',
    stateful: true,
    isDefault: true,
    shared: false,
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** Without rules whose remote group is gone; the others are kept from going. */
async function readTemplate(tx: Queryable): Promise<readonly DefaultSecurityGroupRule[]> {
  const rules = await tx.query<DefaultSecurityGroupRule>(
    `select ${viewFields(defaultSecurityGroupRuleResource)} from default_security_group_rules t order by t.id`,
  );
  const named = rules.flatMap(({ remoteGroupId: id }) => (id === null || id === parentGroup ? [] : [id]));
  if (named.length === 0) return rules;
  const text = 'select id from security_groups where id = any($1::uuid[]) order by id for key share';
  const present = await tx.query<{ id: string }>(text, [arrayLiteral(named)]);
  const usable = new Set<string | null>([null, parentGroup, ...present.map(({ id }) => id)]);
  return rules.filter(({ remoteGroupId }) => usable.has(remoteGroupId));
}

function firstRule(context: StoreContext, group: SecurityGroup, rule: DefaultSecurityGroupRule) {
  const remoteGroupId = rule.remoteGroupId === parentGroup ? group.id : rule.remoteGroupId;
  return {
    ...rule,
    id: context.newId(),
    projectId: group.projectId,
    description: '',
    securityGroupId: group.id,
    remoteGroupId,
    normalizedCidr: rule.remoteIpPrefix,
    sameness: samenessOf(rule, [remoteGroupId, rule.remoteAddressGroupId]),
    revision: 1,
    createdAt: group.createdAt,
    updatedAt: group.createdAt,
  };
}
