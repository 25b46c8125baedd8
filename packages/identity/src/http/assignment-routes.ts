import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Assignment, type AssignmentFilter, listAssignments } from '../assignments.ts';
import type { Json } from '../json-shape.ts';
import { forbidden } from '../problem.ts';
import { type Context, callerOf, flagOf, mayReadAll, queryOf } from './context.ts';
import { baseOf, list, selfOf } from './render.ts';

const inheritedTo = 'scope.OS-INHERIT:inherited_to';

/** `/v3/role_assignments`: who has which role where. One may ask about oneself; about others who may read everything. */
export function addAssignmentRoutes(app: FastifyInstance, context: Context): void {
  app.get('/v3/role_assignments', async (request) => {
    const caller = await callerOf(context, request);
    const filter = filterOf(request);
    if (!mayReadAll(caller) && filter.user !== caller.user.id) throw forbidden('list_role_assignments');
    const view = flagOf(request, 'effective') ? 'effective' : 'granted';
    const shown = flagOf(request, 'include_names') ? named : bare;
    const found = await listAssignments(context.store.db, filter, view);
    return list(
      'role_assignments',
      found.map((one) => shownOf(one, shown, baseOf(request))),
      selfOf(request),
    );
  });
}

function filterOf(request: FastifyRequest): AssignmentFilter {
  return {
    user: queryOf(request, 'user.id'),
    group: queryOf(request, 'group.id'),
    role: queryOf(request, 'role.id'),
    project: queryOf(request, 'scope.project.id'),
    domain: queryOf(request, 'scope.domain.id'),
    system: queryOf(request, 'scope.system') === undefined ? 'too' : 'only',
    inherited: queryOf(request, inheritedTo) === undefined ? 'too' : 'only',
  };
}

type Shown = (part: { readonly id: string }) => Json;
const bare: Shown = ({ id }) => ({ id });
const named: Shown = (part) => ({ ...part });

function shownOf(one: Assignment, shown: Shown, base: string): Json {
  const { role, user, group, project, domain, inherited } = one;
  const place =
    project !== null
      ? { project: shown(project) }
      : domain !== null
        ? { domain: shown(domain) }
        : { system: { all: true } };
  const actor = user !== null ? { user: shown(user) } : group !== null ? { group: shown(group) } : {};
  return {
    role: shown(role),
    ...actor,
    scope: { ...place, ...(inherited ? { 'OS-INHERIT:inherited_to': 'projects' } : {}) },
    links: { assignment: linkOf(one, base) },
  };
}

/** Where the grant itself is read and taken back. */
function linkOf({ role, user, group, project, domain, inherited }: Assignment, base: string): string {
  const place = project !== null ? `projects/${project.id}` : domain !== null ? `domains/${domain.id}` : 'system';
  const actor = user !== null ? `users/${user.id}` : `groups/${group?.id ?? ''}`;
  const [prefix, suffix] = inherited ? ['/OS-INHERIT', '/inherited_to_projects'] : ['', ''];
  return `${base}/v3${prefix}/${place}/${actor}/roles/${role.id}${suffix}`;
}
