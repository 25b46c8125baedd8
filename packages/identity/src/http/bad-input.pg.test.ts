import { Writable } from 'node:stream';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, type Method, clientOf, passwordLogin, tokenIn } from '../testing/client.ts';
import { type TestIdentity, adminPassword, startTestIdentity } from '../testing/service.ts';

let identity: TestIdentity;
let client: Client;
let log = '';

beforeAll(async () => {
  identity = await startTestIdentity();
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  client = await clientOf(await identity.open(), pino({ level: 'trace' }, sink));
});
afterAll(() => identity.close());

/** Nothing that a client sends may be our fault, and no answer tells of our insides. */
function check({ status, body }: { readonly status: number; readonly body: unknown }, about: string): void {
  expect(status, about).toBeLessThan(500);
  const text = JSON.stringify(body);
  expect(text, about).not.toMatch(/\.ts:|node_modules|SELECT|select |pg_|argon2|syntax error/);
  // Answers to HEAD have no body.
  if (status < 400 || about.startsWith('HEAD')) return;
  expect(body, about).toMatchObject({
    error: { code: status, message: expect.any(String), title: expect.any(String) },
  });
}

/** As part of an address; what is no text at all cannot be in one. */
const clean = (text: string): string => encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '?'));

const plurals = ['projects', 'users', 'domains', 'groups', 'roles', 'regions', 'services', 'endpoints'] as const;
const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '\0',
    '\u{d800}',
    '__proto__',
    'default',
    "'; drop table identity.users; --",
    'x'.repeat(300),
    '%',
    '../..',
    '/',
    '?',
  ),
);
const words =
  'id name domain_id parent_id description enabled tags password options url extra interface service_id region_id type ' +
  'default_project_id is_domain links __proto__ constructor';
const names = fc.constantFrom(...words.split(' '));
const value = fc.oneof(
  nasty,
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 3 }),
);
const attributes = fc.dictionary(fc.oneof({ weight: 4, arbitrary: names }, { weight: 1, arbitrary: nasty }), value, {
  maxKeys: 8,
});

describe('bad input', () => {
  it('in the bodies of resources is refused, or stored and shown', async () => {
    let stored = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...plurals), attributes, async (plural, sent) => {
        const singular = plural.slice(0, -1);
        const made = await client.admin('POST', `/v3/${plural}`, { [singular]: sent });
        check(made, JSON.stringify(sent));
        if (made.status !== 201) return;
        stored += 1;
        const url = `/v3/${plural}/${encodeURIComponent(made.body[singular]?.['id'] ?? '')}`;
        check(await client.admin('PATCH', url, { [singular]: sent }), `${url} ${JSON.stringify(sent)}`);
        expect((await client.admin('GET', url)).status, url).toBe(200);
      }),
      { numRuns: 400 },
    );
    expect(stored).toBeGreaterThan(0);
  });

  it('in logins is refused', async () => {
    const user = fc.record(
      { id: value, name: value, password: value, domain: fc.oneof(value, attributes) },
      { requiredKeys: [] },
    );
    const methods = fc.oneof(value, fc.constantFrom(['password'], ['token'], ['password', 'token'], ['totp'], []));
    const scope = fc.oneof(
      value,
      fc.record({ project: fc.oneof(attributes, value), domain: value, system: value }, { requiredKeys: [] }),
    );
    const auth = fc.record({
      identity: fc.record({
        methods,
        password: fc.record({ user: fc.oneof(user, value) }),
        token: fc.oneof(attributes, value),
      }),
      scope,
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(auth, value), async (sent) => {
        const answer = await client.call('POST', '/v3/auth/tokens', { auth: sent });
        check(answer, JSON.stringify(sent));
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }),
      { numRuns: 300 },
    );
  });

  it('in paths, queries, methods and headers is refused', async () => {
    const part = fc.oneof(
      fc.constantFrom(...plurals, 'v3', 'auth', 'tokens', 'OS-INHERIT', 'system', 'roles', 'implies', 'default'),
      nasty,
    );
    const method = fc.constantFrom<Method>('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD');
    const query = fc.dictionary(
      fc.constantFrom('name', 'enabled', 'user.id', 'effective', 'name__contains', 'x'),
      nasty,
    );
    await fc.assert(
      fc.asyncProperty(method, fc.array(part, { maxLength: 7 }), query, nasty, async (verb, parts, search, subject) => {
        const pairs = Object.entries(search).map(([name, given]) => `${name}=${clean(given)}`);
        const url = `/v3/${parts.map(clean).join('/')}?${pairs.join('&')}`;
        const headers = { 'x-subject-token': subject.replaceAll(/[^\u0020-\u007e]/g, '') };
        check(await client.call(verb, url, verb === 'GET' ? undefined : {}, headers), `${verb} ${url}`);
        if (verb !== 'DELETE') check(await client.admin(verb, url, verb === 'GET' ? undefined : {}), `${verb} ${url}`);
      }),
      { numRuns: 500 },
    );
  });

  it('of other kinds is refused by name', async () => {
    const deep = '['.repeat(50_000);
    const answers = [
      [400, await client.call('POST', '/v3/auth/tokens', '{"auth":')],
      [400, await client.call('POST', '/v3/auth/tokens', deep + ']'.repeat(50_000))],
      [
        400,
        await client.admin('POST', '/v3/projects', `{"project":{"name":"x","a":${'['.repeat(40)}1${']'.repeat(40)}}}`),
      ],
      [413, await client.call('POST', '/v3/auth/tokens', `"${'x'.repeat(120_000)}"`)],
      [415, await client.call('POST', '/v3/auth/tokens', 'auth', { 'content-type': 'text/plain' })],
      [404, await client.call('GET', '/v3/users/x/y/z')],
      [400, await client.call('GET', '/v3/users/%00')],
      [401, await client.call('GET', '/v3/users', undefined, { 'x-auth-token': 'x'.repeat(9000) })],
    ] as const;
    for (const [status, answer] of answers) {
      check(answer, String(status));
      expect(answer.status).toBe(status);
    }
  });
});

it('neither tokens nor passwords nor their hashes reach the log', async () => {
  const login = passwordLogin('admin', adminPassword, 'admin');
  const token = tokenIn(await client.call('POST', '/v3/auth/tokens', login));
  await client.call('POST', '/v3/auth/tokens', passwordLogin('admin', 'wr0ng-one'));
  const own = { 'x-auth-token': token, 'x-subject-token': token };
  await client.call('GET', '/v3/auth/tokens', undefined, own);
  const id = await client.make('user', { name: 'logged', password: 's3cret-one' });
  await client.call('POST', `/v3/users/${id}/password`, {
    user: { original_password: 's3cret-one', password: 's3cret-two' },
  });
  await identity.server.close();
  await expect(client.call('POST', '/v3/auth/tokens', login)).resolves.toMatchObject({ status: 503 });
  await client.call('GET', '/v3/users', undefined, own);
  expect(log).toContain('/v3/auth/tokens');
  for (const secret of [token, adminPassword, 'wr0ng-one', 's3cret-one', 's3cret-two', '$argon2id$']) {
    expect(log).not.toContain(secret);
  }
});
