import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Grant, checkGranted, grant, grantedRoles, revoke } from '../assignments.ts';
import { fetchOne } from '../collection.ts';
import { role } from '../definitions.ts';
import type { Actor, Target } from '../scope.ts';
import { type Context, administrator, paramOf, reader } from './context.ts';
import { baseOf, list, render, selfOf } from './render.ts';

const targets = ['projects', 'domains', 'system'] as const;
const actors = ['users', 'groups'] as const;

/** Roles given to users and groups on projects, domains and the system; and, under OS-INHERIT, on what lies below. */
export function addGrantRoutes(app: FastifyInstance, context: Context): void {
  for (const target of targets) {
    for (const actor of actors) {
      const place = target === 'system' ? 'system' : `${target}/:target`;
      const read = (request: FastifyRequest): Omit<Grant, 'spread'> => ({
        target: targetOf(target, paramOf(request, 'target')),
        actor: actorOf(actor, paramOf(request, 'actor')),
      });
      const path = `${place}/${actor}/:actor/roles`;
      addRoutes(app, context, { path: `/v3/${path}`, suffix: '', read: (r) => ({ ...read(r), spread: 'here' }) });
      if (target === 'system') continue;
      addRoutes(app, context, {
        path: `/v3/OS-INHERIT/${path}`,
        suffix: '/inherited_to_projects',
        read: (r) => ({ ...read(r), spread: 'inherited' }),
      });
    }
  }
}

interface GrantRoutes {
  readonly path: string;
  readonly suffix: string;
  readonly read: (request: FastifyRequest) => Grant;
}

function addRoutes(app: FastifyInstance, context: Context, { path, suffix, read }: GrantRoutes): void {
  const { store } = context;
  app.get(`${path}${suffix}`, async (request) => {
    await reader(context, request, 'list_grants');
    const ids = await grantedRoles(store.db, read(request));
    const rows = await Promise.all(ids.map((id) => fetchOne(store.db, role, id)));
    return list(
      'roles',
      rows.map((row) => render(role, row, baseOf(request))),
      selfOf(request),
    );
  });
  app.get(`${path}/:role${suffix}`, async (request, reply) => {
    await reader(context, request, 'check_grant');
    await checkGranted(store.db, read(request), paramOf(request, 'role'));
    return reply.code(204).send();
  });
  app.put(`${path}/:role${suffix}`, async (request, reply) => {
    await administrator(context, request, 'create_grant');
    await store.write((tx) => grant(tx, read(request), paramOf(request, 'role')));
    return reply.code(204).send();
  });
  app.delete(`${path}/:role${suffix}`, async (request, reply) => {
    await administrator(context, request, 'revoke_grant');
    await store.write((tx) => revoke(tx, read(request), paramOf(request, 'role')));
    return reply.code(204).send();
  });
}

function targetOf(kind: (typeof targets)[number], id: string): Target {
  switch (kind) {
    case 'system':
      return { kind: 'system' };
    case 'projects':
      return { kind: 'project', id };
    case 'domains':
      return { kind: 'domain', id };
  }
}

function actorOf(kind: (typeof actors)[number], id: string): Actor {
  return { kind: kind === 'users' ? 'user' : 'group', id };
}
