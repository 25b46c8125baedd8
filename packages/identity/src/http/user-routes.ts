import type { FastifyInstance } from 'fastify';
import { fetchOne } from '../collection.ts';
import { group, project, user } from '../definitions.ts';
import { optionalText, requiredRecord } from '../json-shape.ts';
import { Problem, notFound, unauthorized } from '../problem.ts';
import { findSecret, readPassword, setPassword } from '../users.ts';
import { placesFor } from './auth-routes.ts';
import { type Context, administrator, paramOf, reader, selfOrReader } from './context.ts';
import { baseOf, list, render, selfOf } from './render.ts';

/** What users have besides themselves: a password, projects, groups; and who is in a group. */
export function addUserRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;

  // Without a token: whose password has run out has none, and the old password says enough.
  app.post('/v3/users/:id/password', async (request, reply) => {
    const id = paramOf(request, 'id');
    const sent = requiredRecord(request.body, 'user');
    const original = readPassword(sent['original_password']);
    const next = readPassword(sent['password']);
    const secret = await findSecret(store.db, { id });
    const matches = await store.passwords.verify(original, secret?.passwordHash ?? null);
    if (secret === undefined || !matches || !secret.enabled || !secret.domainEnabled) throw unauthorized();
    if (next === original) throw new Problem(400, 'The new password must differ from the old one.');
    const hash = await store.passwords.hash(next);
    await store.write((tx) => setPassword(tx, id, hash));
    return reply.code(204).send();
  });

  app.get('/v3/users/:id/projects', async (request) => {
    const id = paramOf(request, 'id');
    await selfOrReader(context, request, id, 'list_user_projects');
    await fetchOne(store.db, user, id);
    const rows = await placesFor(context, id, project);
    return list(
      'projects',
      rows.map((row) => render(project, row, baseOf(request))),
      selfOf(request),
    );
  });

  app.get('/v3/users/:id/groups', async (request) => {
    const id = paramOf(request, 'id');
    await selfOrReader(context, request, id, 'list_groups_for_user');
    await fetchOne(store.db, user, id);
    const members = await store.db.query<{ readonly id: string }>(
      'select group_id as id from identity.group_members where user_id = $1 order by 1',
      [id],
    );
    const rows = await Promise.all(members.map((member) => fetchOne(store.db, group, member.id)));
    return list(
      'groups',
      rows.map((row) => ({ ...render(group, row, baseOf(request)), membership_expires_at: null })),
      selfOf(request),
    );
  });

  addMemberRoutes(app, context);
}

function addMemberRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;
  const path = '/v3/groups/:id/users';

  app.get(path, async (request) => {
    await reader(context, request, 'list_users_in_group');
    const id = paramOf(request, 'id');
    await fetchOne(store.db, group, id);
    const members = await store.db.query<{ readonly id: string }>(
      'select user_id as id from identity.group_members where group_id = $1 order by 1',
      [id],
    );
    const name = optionalText(request.query as Record<string, unknown>, 'name');
    const rows = await Promise.all(members.map((member) => fetchOne(store.db, user, member.id)));
    const wanted = rows.filter((row) => name === undefined || row['name'] === name);
    return list(
      'users',
      wanted.map((row) => render(user, row, baseOf(request))),
      selfOf(request),
    );
  });

  app.get(`${path}/:user`, async (request, reply) => {
    await selfOrReader(context, request, paramOf(request, 'user'), 'check_user_in_group');
    const [id, member] = [paramOf(request, 'id'), paramOf(request, 'user')];
    const found = await store.db.query('select 1 from identity.group_members where group_id = $1 and user_id = $2', [
      id,
      member,
    ]);
    if (found.length === 0) throw notFound('user in the group', member);
    return reply.code(204).send();
  });

  app.put(`${path}/:user`, async (request, reply) => {
    await administrator(context, request, 'add_user_to_group');
    const [id, member] = [paramOf(request, 'id'), paramOf(request, 'user')];
    await store.write(async (tx) => {
      await fetchOne(tx, group, id);
      await fetchOne(tx, user, member);
      await tx.query('insert into identity.group_members (group_id, user_id) values ($1, $2) on conflict do nothing', [
        id,
        member,
      ]);
    });
    return reply.code(204).send();
  });

  app.delete(`${path}/:user`, async (request, reply) => {
    await administrator(context, request, 'remove_user_from_group');
    const [id, member] = [paramOf(request, 'id'), paramOf(request, 'user')];
    const gone = await store.write((tx) =>
      tx.query('delete from identity.group_members where group_id = $1 and user_id = $2 returning 1', [id, member]),
    );
    if (gone.length === 0) throw notFound('user in the group', member);
    return reply.code(204).send();
  });
}
