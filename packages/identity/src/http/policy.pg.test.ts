import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, clientOf, passwordLogin, tokenIn } from '../testing/client.ts';
import { type TestIdentity, adminPassword, startTestIdentity } from '../testing/service.ts';

let identity: TestIdentity;
let client: Client;
let member: { readonly id: string; readonly project: string; readonly token: string };

beforeAll(async () => {
  identity = await startTestIdentity();
  client = await clientOf(await identity.open());
  const project = await client.make('project', { name: 'p' });
  const id = await client.make('user', { name: 'm', password: 'pw' });
  const { body } = await client.admin('GET', '/v3/roles?name=member');
  await client.admin('PUT', `/v3/projects/${project}/users/${id}/roles/${body['roles']?.[0]?.['id']}`);
  const token = tokenIn(await client.call('POST', '/v3/auth/tokens', passwordLogin('m', 'pw', 'p')));
  member = { id, project, token };
});
afterAll(() => identity.close());

/** What anyone may do; everything else is refused to whoever is not the administrator. */
const open = new Set([
  'GET /',
  'GET /v3',
  'POST /v3/auth/tokens',
  'POST /v3/users/:id/password',
  'GET /v3/auth/tokens',
  'DELETE /v3/auth/tokens',
  'GET /v3/auth/catalog',
  'GET /v3/auth/projects',
  'GET /v3/auth/domains',
  'GET /v3/auth/system',
  'GET /v3/regions',
  'GET /v3/regions/:id',
]);
const withoutToken = new Set(['GET /', 'GET /v3', 'POST /v3/auth/tokens', 'POST /v3/users/:id/password']);

describe('every route', () => {
  it('refuses who shows no good token, and who is not the administrator', async () => {
    const routes = routesOf(client);
    expect(routes.length).toBeGreaterThan(80);
    for (const route of routes) {
      const [method = '', path = ''] = route.split(' ');
      const url = path.replaceAll(/:\w+/g, 'x');
      const body = { user: {}, project: {}, domain: {}, group: {}, role: {}, region: {}, service: {}, endpoint: {} };
      const send = (token: string) =>
        client.call(method as 'GET', url, method === 'GET' || method === 'DELETE' ? undefined : body, {
          'x-auth-token': token,
        });
      if (!withoutToken.has(route)) expect((await send('nonsense')).status, route).toBe(401);
      if (!open.has(route)) expect((await send(member.token)).status, route).toBe(403);
    }
  });

  it('lets everyone see what is theirs', async () => {
    const own = ['/v3/users/ID', '/v3/users/ID/projects', '/v3/users/ID/groups', '/v3/role_assignments?user.id=ID'];
    const urls = [
      ...own.map((url) => url.replace('ID', member.id)),
      `/v3/projects/${member.project}`,
      '/v3/domains/default',
    ];
    for (const url of urls) {
      expect((await client.call('GET', url, undefined, { 'x-auth-token': member.token })).status, url).toBe(200);
    }
  });

  it('keeps the tokens of others from those who are not the administrator', async () => {
    const other = tokenIn(await client.call('POST', '/v3/auth/tokens', passwordLogin('admin', adminPassword, 'admin')));
    const headers = { 'x-auth-token': member.token, 'x-subject-token': other };
    for (const method of ['GET', 'DELETE'] as const) {
      expect((await client.call(method, '/v3/auth/tokens', undefined, headers)).status).toBe(403);
    }
    const reversed = { 'x-auth-token': other, 'x-subject-token': member.token };
    expect((await client.call('GET', '/v3/auth/tokens', undefined, reversed)).status).toBe(200);
  });

  it('tells a stranger nothing about who exists', async () => {
    const outcomes = await Promise.all(
      [
        passwordLogin('m', 'wrong', 'p'),
        passwordLogin('nobody', 'wrong', 'p'),
        passwordLogin('m', 'pw', 'nothing'),
      ].map((login) => client.call('POST', '/v3/auth/tokens', login)),
    );
    expect(new Set(outcomes.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(outcomes[0]).toMatchObject({ status: 401, body: { error: { code: 401, title: 'Unauthorized' } } });
    expect(outcomes[0]?.headers['www-authenticate']).toMatch(/^Keystone uri="http.*\/v3"$/);
  });
});

/** `GET /v3/users/:id` and so on, out of the server's own table; HEAD goes with GET. */
function routesOf({ app }: Client): readonly string[] {
  const routes: string[] = [];
  const stack: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const match = /^([│ ]*)[├└]── (.*?) \(([A-Z, ]+)\)$/.exec(line);
    if (match === null) continue;
    const [, indent = '', part = '', methods = ''] = match;
    const depth = indent.length / 4;
    stack.splice(depth);
    stack.push(part);
    const path = stack.join('');
    for (const method of methods.split(', ')) if (method !== 'HEAD') routes.push(`${method} ${path}`);
  }
  return routes;
}
