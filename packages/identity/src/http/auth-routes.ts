import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { logIn } from '../authenticate.ts';
import { type Row, fetchOne } from '../collection.ts';
import { domain, project } from '../definitions.ts';
import type { Definition } from '../definition.ts';
import { effectiveRoles, placesOf } from '../effective-roles.ts';
import { type Json } from '../json-shape.ts';
import { readLogin } from '../login.ts';
import { forbidden, notFound, unauthorized } from '../problem.ts';
import type { TokenState } from '../tokens.ts';
import { type Context, callerOf, flagOf, headerOf, isAdministrator } from './context.ts';
import { baseOf, list, render, selfOf } from './render.ts';
import { catalogOf, tokenBody } from './token-body.ts';

/** `/v3/auth`: tokens, and what one can do with one's own. */
export function addAuthRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;
  const catalog = (request: FastifyRequest, state: TokenState): Promise<readonly Json[]> | undefined =>
    flagOf(request, 'nocatalog') ? undefined : catalogOf(store.db, state);
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    token: string,
    state: TokenState,
  ): Promise<Json> => {
    void reply.header('x-subject-token', token).header('vary', 'X-Auth-Token');
    return tokenBody(state, await catalog(request, state));
  };

  app.post('/v3/auth/tokens', async (request, reply) => {
    const token = await logIn(store, readLogin(request.body));
    const state = await store.tokens.read(token);
    // Its user, project or roles went away in this moment.
    if (state === undefined) throw unauthorized();
    return answer(request, reply.code(201), token, state);
  });

  app.get('/v3/auth/tokens', async (request, reply) => {
    const { token, state } = await subjectOf(context, request, 'validate_token');
    return answer(request, reply, token, state);
  });

  app.delete('/v3/auth/tokens', async (request, reply) => {
    const { token } = await subjectOf(context, request, 'revoke_token');
    await store.tokens.revoke(token);
    return reply.code(204).send();
  });

  app.get('/v3/auth/catalog', async (request) => {
    const caller = await callerOf(context, request);
    if (caller.scope.kind === 'unscoped') throw forbidden('get_catalog, without a scope');
    return { catalog: await catalogOf(store.db, caller), links: { self: selfOf(request) } };
  });
  app.get('/v3/auth/projects', (request) => ownPlaces(context, request, project));
  app.get('/v3/auth/domains', (request) => ownPlaces(context, request, domain));
  app.get('/v3/auth/system', async (request) => {
    const { user } = await callerOf(context, request);
    const roles = await effectiveRoles(store.db, user.id, { kind: 'system' });
    return { system: roles.length === 0 ? [] : [{ all: true }], links: { self: selfOf(request) } };
  });
}

/** The token that the request is about. One may always ask about one's own; others are the administrator's and services' business. */
async function subjectOf(
  context: Context,
  request: FastifyRequest,
  action: string,
): Promise<{ readonly token: string; readonly state: TokenState }> {
  const caller = await callerOf(context, request);
  const token = headerOf(request, 'x-subject-token');
  const state = await context.store.tokens.read(token);
  const mayAsk = isAdministrator(caller) || caller.roles.some(({ name }) => name === 'service');
  // Random text: that one of them is not a token tells nobody anything.
  if (state === undefined) throw notFound('token', 'as given');
  if (!mayAsk && state.user.id !== caller.user.id) throw forbidden(action);
  return { token, state };
}

/** Where the caller could have a token for. */
async function ownPlaces(context: Context, request: FastifyRequest, definition: Definition): Promise<Json> {
  const { user } = await callerOf(context, request);
  const rows = await placesFor(context, user.id, definition);
  const enabled = rows.filter((row) => row['enabled'] === true);
  return list(
    definition.plural,
    enabled.map((row) => render(definition, row, baseOf(request))),
    selfOf(request),
  );
}

/** The projects or domains in which the user has a role. */
export async function placesFor({ store }: Context, userId: string, definition: Definition): Promise<readonly Row[]> {
  const ids = await placesOf(store.db, userId, definition === project ? 'project' : 'domain');
  const rows = await Promise.all(ids.map((id) => fetchOne(store.db, definition, id)));
  return rows.toSorted((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1));
}
