import type { Queryable } from './database.ts';
import { type Named, type Scope, idIn } from './scope.ts';

/**
 * `with recursive … effective(user_id, role_id, project_id, domain_id)`: what grants come to. Membership spreads a group's grant to
 * its users, inheritance spreads a grant to the projects below (and takes it away from the place itself), and a role brings the
 * roles that it implies. This defines what anybody may do; nothing else may.
 */
export function effectiveAssignments(users: 'all' | 'user $1'): string {
  const only = users === 'all' ? '' : 'where coalesce(m.user_id, a.user_id) = $1';
  return `with recursive base as (
      select coalesce(m.user_id, a.user_id) as user_id, a.role_id, a.project_id, a.domain_id, a.inherited
      from identity.assignments a left join identity.group_members m on m.group_id = a.group_id ${only}
    ),
    below(ancestor, id) as (
      select p.parent_id, p.id from identity.projects p
        where p.parent_id in (select project_id from base where inherited)
      union
      select b.ancestor, p.id from identity.projects p join below b on p.parent_id = b.id
    ),
    spread as (
      select user_id, role_id, project_id, domain_id from base where not inherited
      union
      select b.user_id, b.role_id, p.id, null from base b join identity.projects p on p.domain_id = b.domain_id
        where b.inherited
      union
      select b.user_id, b.role_id, t.id, null from base b join below t on t.ancestor = b.project_id where b.inherited
    ),
    effective as (
      select user_id, role_id, project_id, domain_id from spread where user_id is not null
      union
      select e.user_id, i.implied_id, e.project_id, e.domain_id
        from effective e join identity.implied_roles i on i.prior_id = e.role_id
    )`;
}

/** The roles that the user has in the scope, by name. */
export function effectiveRoles(db: Queryable, userId: string, scope: Scope): Promise<readonly Named[]> {
  if (scope.kind === 'unscoped') return Promise.resolve([]);
  return db.query<Named>(
    `${effectiveAssignments('user $1')}
     select distinct r.id, r.name from effective e join identity.roles r on r.id = e.role_id
     where e.project_id is not distinct from $2 and e.domain_id is not distinct from $3 order by r.name`,
    [userId, idIn(scope, 'project'), idIn(scope, 'domain')],
  );
}

/** Ids of the projects, or domains, in which the user has a role. */
export async function placesOf(db: Queryable, userId: string, kind: 'project' | 'domain'): Promise<readonly string[]> {
  const column = `${kind}_id`;
  const rows = await db.query<{ readonly id: string }>(
    `${effectiveAssignments('user $1')} select distinct ${column} as id from effective where ${column} is not null`,
    [userId],
  );
  return rows.map(({ id }) => id);
}
