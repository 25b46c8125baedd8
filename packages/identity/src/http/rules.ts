import { fetchOne } from '../collection.ts';
import { defaultDomain, ownRoles } from '../bootstrap.ts';
import type { Queryable } from '../database.ts';
import type { Definition, Input } from '../definition.ts';
import { domain, project, role } from '../definitions.ts';
import type { Json } from '../json-shape.ts';
import { Problem, badRequest, forbidden } from '../problem.ts';
import type { TokenState } from '../tokens.ts';

/** Keystone's limit on how deep projects lie in each other. */
const deepestProject = 5;

/** What is special about a resource: changes the checked input before it is stored. */
export type Completion = (db: Queryable, input: Input, sent: Json, caller: TokenState) => Promise<Input> | Input;

/** By the singular name; who is not here is stored as sent. */
export const completions: Readonly<Record<string, Completion>> = {
  project: completeProject,
  user: (_db, input, _sent, caller) => inDomain(input, caller),
  group: (_db, input, _sent, caller) => inDomain(input, caller),
  role: (_db, input, sent) => {
    if (sent['domain_id'] !== undefined && sent['domain_id'] !== null) {
      throw badRequest("Invalid input for 'domain_id': roles of one domain are not supported.");
    }
    return input;
  },
  endpoint: inNamedRegion,
};

/** The same for changes. */
export const changeCompletions: Readonly<Record<string, Completion>> = { endpoint: inNamedRegion };

/** `region` is the older way to say `region_id`; such a region comes to be by being named. */
async function inNamedRegion(db: Queryable, input: Input, { region }: Json): Promise<Input> {
  if (typeof region !== 'string' || region === '' || region.length > 255) return input;
  if (input.values['region_id'] !== undefined) return input;
  await db.query('insert into identity.regions (id) values ($1) on conflict do nothing', [region]);
  return withValues(input, { region_id: region });
}

async function completeProject(db: Queryable, input: Input, sent: Json, caller: TokenState): Promise<Input> {
  if (sent['is_domain'] !== undefined && sent['is_domain'] !== false) {
    throw badRequest("Invalid input for 'is_domain': make a domain at /v3/domains.");
  }
  const { parent_id: parent, domain_id: named } = input.values;
  if (typeof parent !== 'string') return inDomain(input, caller);
  // The parent of a project at the top is its domain.
  if (parent === named) return withValues(input, { parent_id: null });
  const lineage = await db.query<{ readonly domain_id: string }>(
    `with recursive up(id, parent_id, domain_id, depth) as (
       select id, parent_id, domain_id, 1 from identity.projects where id = $1
       union all select p.id, p.parent_id, p.domain_id, depth + 1 from identity.projects p join up on p.id = up.parent_id)
     select domain_id from up order by depth`,
    [parent],
  );
  const [nearest] = lineage;
  if (nearest === undefined) return underDomain(db, input, parent, named);
  if (named !== undefined && named !== nearest.domain_id) throw badRequest('The parent project is in another domain.');
  if (lineage.length >= deepestProject) throw forbidden(`create_project, more than ${deepestProject} levels deep`);
  return withValues(input, { domain_id: nearest.domain_id });
}

async function underDomain(db: Queryable, input: Input, id: string, named: unknown): Promise<Input> {
  await fetchOne(db, domain, id);
  if (named !== undefined) throw badRequest('The parent is a domain other than that of the project.');
  return withValues(input, { domain_id: id, parent_id: null });
}

/** Where the request names no domain: that of the caller's scope. */
function inDomain(input: Input, { scope, project: own, domain: scoped }: TokenState): Input {
  if (input.values['domain_id'] !== undefined) return input;
  if (scope.kind === 'project') return withValues(input, { domain_id: own?.domain.id ?? defaultDomain });
  return withValues(input, { domain_id: scoped?.id ?? defaultDomain });
}

function withValues(input: Input, values: Input['values']): Input {
  return { ...input, values: { ...input.values, ...values } };
}

/** Rejects where the resource has to stay as it is. */
export async function checkMutable(db: Queryable, definition: Definition, id: string): Promise<void> {
  if (definition !== role) return;
  const { name } = await fetchOne(db, role, id);
  if (ownRoles.includes(String(name))) throw forbidden('change a role that is immutable');
}

/** Rejects where the resource must not go. */
export async function checkDelete(db: Queryable, definition: Definition, id: string): Promise<void> {
  await checkMutable(db, definition, id);
  if (definition === domain) {
    const { enabled } = await fetchOne(db, domain, id);
    if (enabled === true) throw forbidden('delete_domain, because the domain is enabled: disable it first');
  }
  if (definition === project) {
    const children = await db.query('select 1 from identity.projects where parent_id = $1 limit 1', [id]);
    if (children.length > 0) throw new Problem(403, 'The project has child projects: delete them first.');
  }
}
