import type { Caller } from '@alcor/identity';
import { type Countable, type QuotaLimits, countables, refusal } from '@alcor/network';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { badRequest, invalid } from './body.ts';
import { Refusal, flag, integer, isRecord } from './kinds.ts';
import { refuse } from './policy.ts';
import type { RouteContext } from './resource-routes.ts';

const limitKind = integer(-1, 2 ** 31 - 1);
const path = '/v2.0/quotas';

/** Quotas are no resources with ids: they are a project's, and each project has them. */
export function addQuotaRoutes(app: FastifyInstance, { store: { quotas }, callerOf }: RouteContext): void {
  app.get(path, async (request) => {
    onlyAdmin(callerOf(request), 'get_quota');
    const all = await quotas.list();
    return { quotas: all.map(({ projectId, limits }) => ({ ...limits, project_id: projectId, tenant_id: projectId })) };
  });

  for (const name of ['project', 'tenant'] as const) {
    app.get(`${path}/${name}`, (request) => {
      const { projectId } = callerOf(request);
      return { [name]: { project_id: projectId, tenant_id: projectId } };
    });
  }

  app.get(`${path}/:projectId`, async (request) => ({ quota: await quotas.limits(readable(request, callerOf)) }));

  app.get(`${path}/:projectId/default`, async (request) => {
    readable(request, callerOf);
    return { quota: await quotas.defaults() };
  });

  for (const name of ['details', 'details.json'] as const) {
    app.get(`${path}/:projectId/${name}`, async (request) => {
      const projectId = readable(request, callerOf);
      return { quota: detailed(await quotas.limits(projectId), await quotas.usage(projectId)) };
    });
  }

  app.put(`${path}/:projectId`, async (request) => {
    onlyAdmin(callerOf(request), 'update_quota');
    const { limits, how } = readLimits(request.body);
    return { quota: await quotas.set(projectOf(request), limits, how) };
  });

  app.delete(`${path}/:projectId`, async (request, reply) => {
    onlyAdmin(callerOf(request), 'delete_quota');
    const projectId = projectOf(request);
    if (!(await quotas.clear(projectId))) throw refusal('TenantQuotaNotFound', { projectId });
    return reply.code(204).send();
  });
}

function detailed(limits: QuotaLimits, usage: QuotaLimits): Readonly<Record<string, object>> {
  return Object.fromEntries(countables.map((name) => [name, { limit: limits[name], used: usage[name], reserved: 0 }]));
}

interface Wanted {
  readonly limits: Partial<Record<Countable, number>>;
  readonly how: 'above usage' | undefined;
}

/** With `check_limit` limits are not set below what there is already; `force` says that they may be. */
function readLimits(body: unknown): Wanted {
  const quota = isRecord(body) ? body['quota'] : undefined;
  if (!isRecord(quota)) throw badRequest("Unable to find 'quota' in request body");
  const limits: Partial<Record<Countable, number>> = {};
  let how: Wanted['how'];
  for (const [name, value] of Object.entries(quota)) {
    if (name === 'tenant_id' || name === 'project_id') continue;
    if (name === 'check_limit' || name === 'force') {
      const wanted = flag.parse(value);
      if (wanted instanceof Refusal) throw invalid(name, wanted.reason);
      if (name === 'check_limit' && wanted) how = 'above usage';
      continue;
    }
    const countable = countables.find((one) => one === name);
    if (countable === undefined) throw badRequest(`Unrecognized attribute(s) '${name.slice(0, 60)}'`);
    const parsed = limitKind.parse(value);
    if (parsed instanceof Refusal) throw invalid(name, parsed.reason);
    limits[countable] = parsed;
  }
  return { limits, how };
}

function readable(request: FastifyRequest, callerOf: (request: FastifyRequest) => Caller): string {
  const projectId = projectOf(request);
  const caller = callerOf(request);
  if (caller.projectId !== projectId) onlyAdmin(caller, 'get_quota');
  return projectId;
}

function onlyAdmin({ isAdmin }: Caller, rule: string): void {
  if (!isAdmin) refuse([rule]);
}

function projectOf(request: FastifyRequest): string {
  return (request.params as { readonly projectId: string }).projectId;
}
