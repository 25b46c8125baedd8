import type { Queryable } from './database.ts';
import { effectiveAssignments } from './effective-roles.ts';
import { Problem } from './problem.ts';
import { type Actor, type Named, type Target, idIn } from './scope.ts';

/** A role given to someone somewhere; `inherited`: it holds in the projects below, and not there. */
export interface Grant {
  readonly actor: Actor;
  readonly target: Target;
  readonly spread: 'here' | 'inherited';
}

/** Grants the role; granting again does no harm. Rejects with 404 where any of the three does not exist. */
export async function grant(db: Queryable, where: Grant, roleId: string): Promise<void> {
  await checkExist(db, where, roleId);
  await db.query(
    `insert into identity.assignments (user_id, group_id, project_id, domain_id, inherited, role_id)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [...parametersOf(where), roleId],
  );
}

/** Takes the role back. Rejects with 404 where it was not granted. */
export async function revoke(db: Queryable, where: Grant, roleId: string): Promise<void> {
  const gone = await db.query(`delete from identity.assignments where ${matches} and role_id = $6 returning id`, [
    ...parametersOf(where),
    roleId,
  ]);
  if (gone.length === 0) throw noAssignment(roleId);
}

/** Rejects with 404 where the role was not granted there. */
export async function checkGranted(db: Queryable, where: Grant, roleId: string): Promise<void> {
  const rows = await db.query(`select 1 from identity.assignments where ${matches} and role_id = $6`, [
    ...parametersOf(where),
    roleId,
  ]);
  if (rows.length === 0) throw noAssignment(roleId);
}

/** Ids of the roles granted there. Rejects with 404 where actor or target does not exist. */
export async function grantedRoles(db: Queryable, where: Grant): Promise<readonly string[]> {
  await checkExist(db, where);
  const rows = await db.query<{ readonly role_id: string }>(
    `select role_id from identity.assignments where ${matches}`,
    parametersOf(where),
  );
  return rows.map(({ role_id }) => role_id);
}

/** What a list of assignments is narrowed to. */
export interface AssignmentFilter {
  readonly user?: string | undefined;
  readonly group?: string | undefined;
  readonly role?: string | undefined;
  readonly project?: string | undefined;
  readonly domain?: string | undefined;
  readonly system: 'only' | 'too';
  readonly inherited: 'only' | 'too';
}

/** An assignment with the names of all that it speaks of. */
export interface Assignment {
  readonly role: Named;
  readonly user: (Named & { readonly domain: Named }) | null;
  readonly group: (Named & { readonly domain: Named }) | null;
  readonly project: (Named & { readonly domain: Named }) | null;
  readonly domain: Named | null;
  readonly inherited: boolean;
}

/** As they were granted, or (`effective`) what they come to for each user. */
export function listAssignments(
  db: Queryable,
  filter: AssignmentFilter,
  view: 'granted' | 'effective',
): Promise<readonly Assignment[]> {
  const parameters: string[] = [];
  const clauses = ['true'];
  const narrow = (column: string, value: string | undefined): void => {
    if (value !== undefined) clauses.push(`x.${column} = $${parameters.push(value)}`);
  };
  for (const kind of ['user', 'group', 'role', 'project', 'domain'] as const) narrow(`${kind}_id`, filter[kind]);
  if (filter.system === 'only') clauses.push('x.project_id is null and x.domain_id is null');
  if (filter.inherited === 'only') clauses.push('x.inherited');
  const [prefix, source] =
    view === 'granted'
      ? ['', 'identity.assignments']
      : [effectiveAssignments('all'), '(select *, null::text as group_id, false as inherited from effective)'];
  return db.query<Assignment>(
    `${prefix} select ${named('r')} as role, ${owned('u', 'ud')} as user, ${owned('g', 'gd')} as group,
       ${owned('p', 'pd')} as project, ${named('d')} as domain, x.inherited
     from ${source} x join identity.roles r on r.id = x.role_id
     left join identity.users u on u.id = x.user_id left join identity.domains ud on ud.id = u.domain_id
     left join identity.groups g on g.id = x.group_id left join identity.domains gd on gd.id = g.domain_id
     left join identity.projects p on p.id = x.project_id left join identity.domains pd on pd.id = p.domain_id
     left join identity.domains d on d.id = x.domain_id
     where ${clauses.join(' and ')} order by x.user_id, x.group_id, x.project_id, x.domain_id, r.name`,
    parameters,
  );
}

const matches = `user_id is not distinct from $1 and group_id is not distinct from $2
  and project_id is not distinct from $3 and domain_id is not distinct from $4 and inherited = $5`;

function parametersOf({ actor, target, spread }: Grant): (string | boolean | null)[] {
  return [
    actor.kind === 'user' ? actor.id : null,
    actor.kind === 'group' ? actor.id : null,
    idIn(target, 'project'),
    idIn(target, 'domain'),
    spread === 'inherited',
  ];
}

async function checkExist(db: Queryable, { actor, target }: Grant, roleId?: string): Promise<void> {
  const all = [[`${actor.kind}s`, actor.id]];
  if (target.kind !== 'system') all.push([`${target.kind}s`, target.id]);
  if (roleId !== undefined) all.push(['roles', roleId]);
  for (const [table, id = ''] of all) {
    const rows = await db.query(`select 1 from identity.${table} where id = $1`, [id]);
    if (rows.length === 0) throw new Problem(404, `Could not find ${table?.slice(0, -1)}: ${id.slice(0, 64)}.`);
  }
}

function noAssignment(roleId: string): Problem {
  return new Problem(404, `Could not find role assignment with role: ${roleId.slice(0, 64)}.`);
}

function named(alias: string): string {
  return `case when ${alias}.id is null then null else jsonb_build_object('id', ${alias}.id, 'name', ${alias}.name) end`;
}

function owned(alias: string, domain: string): string {
  return `case when ${alias}.id is null then null else
    jsonb_build_object('id', ${alias}.id, 'name', ${alias}.name, 'domain', ${named(domain)}) end`;
}
