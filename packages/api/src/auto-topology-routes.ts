import type { FastifyInstance, FastifyRequest } from 'fastify';
import { refusal } from '@alcor/network';
import { badRequest } from './body.ts';
import type { RouteContext } from './resource-routes.ts';

const path = '/v2.0/auto-allocated-topology/:project';
const maxProject = 255;

/** A project's ready-made network: asking for it makes it. */
export function addAutoTopologyRoutes(app: FastifyInstance, { store, callerOf }: RouteContext): void {
  const projectOf = (request: FastifyRequest): string => {
    const caller = callerOf(request);
    const { project = '' } = request.params as { readonly project?: string };
    // Clients that know no project send the word.
    const projectId = project === 'None' ? caller.projectId : project;
    if (projectId === '' || projectId.length > maxProject) throw badRequest('A project is wanted.');
    if (!caller.isAdmin && projectId !== caller.projectId) {
      throw refusal('Forbidden', { reason: 'The topology of another project is not yours to have.' });
    }
    return projectId;
  };

  app.get(path, async (request) => {
    const projectId = projectOf(request);
    const { fields = [] } = request.query as { readonly fields?: string | readonly string[] };
    const asked = typeof fields === 'string' ? [fields] : fields;
    if (asked.some((field) => field !== 'dry-run')) throw badRequest('Only dry-run can be asked for by fields.');
    if (asked.length === 0) return answer(await store.autoTopologies.ensure(projectId), projectId);
    await store.autoTopologies.check();
    return answer('dry-run=pass', projectId);
  });

  app.delete(path, async (request, reply) => {
    await store.autoTopologies.remove(projectOf(request));
    return reply.code(204).send();
  });
}

function answer(id: string, projectId: string): object {
  return { auto_allocated_topology: { id, tenant_id: projectId, project_id: projectId } };
}
