import { AlcorError, countables, refusal } from '@alcor/network';
import type { Countable, QuotaLimits, QuotaStore } from '@alcor/network';
import type { Database, Queryable } from './database.ts';
import { jsonRows } from './sql.ts';

/** Where the countable things lie. */
const tables: Readonly<Partial<Record<Countable, string>>> = {
  network: 'networks',
  subnet: 'subnets',
  port: 'ports',
  subnetpool: 'subnet_pools',
  security_group: 'security_groups',
  security_group_rule: 'security_group_rules',
  router: 'routers',
  floatingip: 'floating_ips',
  rbac_policy: 'rbac_policies',
  trunk: 'trunks',
};
const countableOf = new Map(Object.entries(tables).map(([name, table]) => [table, name as Countable]));

/** The project whose limits are the defaults. */
const everyone = '';

interface Owned {
  readonly projectId?: string;
}

/**
 * Refuses new rows where a project would then have more than it may. Of those who make the same thing for the same project one
 * goes at a time, but only where there is a limit; what is counted is no more than the limit.
 */
export async function checkQuota(tx: Queryable, table: string, rows: readonly object[]): Promise<void> {
  const resource = countableOf.get(table);
  if (resource === undefined) return;
  for (const projectId of projectsOf(rows).toSorted()) {
    const mine = (rows as readonly Owned[]).filter((row) => (row.projectId ?? everyone) === projectId);
    const limit = await limitOf(tx, resource, projectId);
    if (limit < 0) continue;
    await lockQuota(tx, resource, projectId);
    const [counted] = await tx.query<{ used: number }>(
      `select count(*)::int as used from (select 1 from ${table} where project_id = $1 limit $2) c`,
      [projectId, limit],
    );
    if ((counted?.used ?? 0) + mine.length <= limit) continue;
    throw refusal('OverQuota', { resources: resource }, { item: rows.indexOf(mine[0] as object) });
  }
}

/** Whether any of the projects is limited in this: then `checkQuota` has to be asked. */
export async function isLimited(on: Queryable, table: string, rows: readonly object[]): Promise<boolean> {
  const resource = countableOf.get(table);
  if (resource === undefined) return false;
  const limits = await Promise.all(projectsOf(rows).map((projectId) => limitOf(on, resource, projectId)));
  return limits.some((limit) => limit >= 0);
}

function projectsOf(rows: readonly object[]): readonly string[] {
  return [...new Set((rows as readonly Owned[]).map(({ projectId }) => projectId ?? everyone))];
}

async function limitOf(on: Queryable, resource: Countable, projectId: string): Promise<number> {
  const [own] = await on.query<{ limit: number }>(
    `select "limit" from quotas where resource = $1 and project_id in ($2, '') order by project_id desc limit 1`,
    [resource, projectId],
  );
  return own?.limit ?? -1;
}

/** Keeps the defaults for all processes that have the database open. */
export async function setDefaultQuotas(database: Database, limits: Readonly<Partial<QuotaLimits>>): Promise<void> {
  await database.transaction((tx) => write(tx, everyone, limits));
}

export function createQuotaStore(database: Database): QuotaStore {
  const ownOf = async (projectId: string): Promise<Partial<QuotaLimits>> => {
    const text = 'select resource, "limit" from quotas where project_id = $1';
    const rows = await database.query<{ resource: string; limit: number }>(text, [projectId]);
    return Object.fromEntries(rows.map(({ resource, limit }) => [resource, limit]));
  };
  const defaults = async (): Promise<QuotaLimits> => ({ ...unlimited, ...(await ownOf(everyone)) });
  const limits = async (projectId: string): Promise<QuotaLimits> => ({
    ...(await defaults()),
    ...(await ownOf(projectId)),
  });
  return {
    defaults,
    limits,
    usage: (projectId) => usageOf(database, projectId),
    async list() {
      const text = `select distinct project_id as "projectId" from quotas where project_id <> '' order by 1`;
      const projects = await database.query<{ projectId: string }>(text);
      return Promise.all(projects.map(async ({ projectId }) => ({ projectId, limits: await limits(projectId) })));
    },
    async set(projectId, patch, how) {
      if (projectId === everyone) throw new AlcorError('InvalidInput', 'A quota is of a project.');
      await database.transaction(async (tx) => {
        if (how === 'above usage') await checkAboveUsage(tx, projectId, patch);
        await write(tx, projectId, patch);
      });
      return limits(projectId);
    },
    async clear(projectId) {
      const text = `delete from quotas where project_id = $1 and project_id <> '' returning 1`;
      return (await database.write(text, [projectId])).length > 0;
    },
  };
}

const unlimited = Object.fromEntries(countables.map((name) => [name, -1])) as unknown as QuotaLimits;

async function usageOf(database: Database, projectId: string): Promise<QuotaLimits> {
  const counts = Object.entries(tables).map(
    ([name, table]) => `'${name}', (select count(*) from ${table} where project_id = $1)`,
  );
  const text = `select json_build_object(${counts.join(', ')}) as used`;
  const [row] = await database.query<{ used: Partial<QuotaLimits> }>(text, [projectId]);
  return { ...(Object.fromEntries(countables.map((name) => [name, 0])) as unknown as QuotaLimits), ...row?.used };
}

/** Makers of what is limited wait, so that what is counted stays true until the limits are. */
async function checkAboveUsage(
  tx: Queryable,
  projectId: string,
  limits: Readonly<Partial<QuotaLimits>>,
): Promise<void> {
  for (const [resource, limit] of Object.entries(limits).toSorted() as [Countable, number][]) {
    const table = tables[resource];
    if (limit < 0 || table === undefined) continue;
    await lockQuota(tx, resource, projectId);
    const [counted] = await tx.query<{ used: number }>(
      `select count(*)::int as used from ${table} where project_id = $1`,
      [projectId],
    );
    const used = counted?.used ?? 0;
    if (used > limit) throw refusal('QuotaBelowUsage', { resource, limit, used });
  }
}

/** Of those who make the same thing for the same project, one goes at a time. */
async function lockQuota(tx: Queryable, resource: Countable, projectId: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [`${resource} ${projectId}`]);
}

async function write(on: Queryable, projectId: string, limits: Readonly<Partial<QuotaLimits>>): Promise<void> {
  const rows = Object.entries(limits).map(([resource, limit]) => ({ resource, limit }));
  if (rows.length === 0) return;
  await on.query(
    `insert into quotas (project_id, resource, "limit")
     select $1, x.resource, x."limit" from jsonb_to_recordset($2::text::jsonb) as x(resource text, "limit" integer)
     order by 2 on conflict on constraint quotas_pkey do update set "limit" = excluded."limit"`,
    [projectId, jsonRows(rows)],
  );
}
