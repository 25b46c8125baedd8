import type { Caller } from '@alcor/identity';
import { type IntentStore, refusal } from '@alcor/network';
import { badRequest } from './body.ts';
import { oneOf } from './kinds.ts';
import { type Route, route } from './route.ts';

const maxProject = 255;

/** The rules of policy that these routes are under. */
export const autoTopologyRules = ['get_auto_allocated_topology', 'delete_auto_allocated_topology'] as const;
const [getRule, deleteRule] = autoTopologyRules;

const frame = {
  path: '/v2.0/auto-allocated-topology/:id',
  tag: 'auto_allocated_topologies',
  who: 'anyone',
} as const;

const text = { type: 'string' };

const schema = {
  type: 'object',
  required: ['auto_allocated_topology'],
  properties: {
    auto_allocated_topology: {
      type: 'object',
      required: ['id', 'tenant_id', 'project_id'],
      properties: {
        id: { ...text, description: 'The network; dry-run=pass where only that was asked' },
        tenant_id: { ...text, description: 'Older name of project_id' },
        project_id: { ...text, description: 'The project it belongs to' },
      },
    },
  },
};

/** A project's ready-made network: asking for it makes it. */
export function autoTopologyRoutes({ autoTopologies }: Pick<IntentStore, 'autoTopologies'>): readonly Route[] {
  return [
    route({
      ...frame,
      method: 'GET',
      about:
        'The network of the project, made with its router where it has none; fields=dry-run: whether it could be made',
      rule: getRule,
      query: { fields: oneOf('dry-run') },
      answers: { each: 'answer', schema },
      run: async ({ caller, id, query }) => {
        const projectId = projectOf(caller, id);
        if (query.fields === undefined) return answer(await autoTopologies.ensure(projectId), projectId);
        await autoTopologies.check();
        return answer('dry-run=pass', projectId);
      },
    }),
    route({
      ...frame,
      method: 'DELETE',
      about: 'Removes that network and its router',
      rule: deleteRule,
      status: 204,
      run: async ({ caller, id }) => {
        await autoTopologies.remove(projectOf(caller, id));
        return null;
      },
    }),
  ];
}

function projectOf(caller: Caller, project: string): string {
  // Clients that know no project send the word.
  const projectId = project === 'None' ? caller.projectId : project;
  if (projectId === '' || projectId.length > maxProject) throw badRequest('A project is wanted.');
  if (!caller.isAdmin && projectId !== caller.projectId) {
    throw refusal('Forbidden', { reason: 'The topology of another project is not yours to have.' });
  }
  return projectId;
}

function answer(id: string, projectId: string): { readonly json: object } {
  return { json: { auto_allocated_topology: { id, tenant_id: projectId, project_id: projectId } } };
}
