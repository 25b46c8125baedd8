import type { Clock } from '@alcor/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtinIdentity } from '../builtin-identity.ts';
import type { Identity } from '../identity.ts';
import type { IdentityStore } from '../store.ts';
import { type Client, clientOf, passwordLogin, tokenIn } from '../testing/client.ts';
import { type TestIdentity, type TestIdentityStore, clock, startTestIdentity } from '../testing/service.ts';

let identity: TestIdentity;
let store: TestIdentityStore;
let client: Client;
let api: Identity;
let memberRole: string;
let count = 0;

beforeAll(async () => {
  identity = await startTestIdentity();
  // A cache that would never forget by itself.
  store = await identity.open({ cacheMs: 3_600_000 });
  client = await clientOf(store);
  api = builtinIdentity({ store, url: 'http://127.0.0.1:5000/v3' });
  memberRole = (await client.admin('GET', '/v3/roles?name=member')).body['roles']?.[0]?.['id'] ?? '';
});
afterAll(() => identity.close());

interface Someone {
  readonly domain: string;
  readonly project: string;
  readonly user: string;
  readonly name: string;
  readonly token: string;
}

/** A user with a token for a project, in a domain of their own. */
async function someone(): Promise<Someone> {
  const name = `n${++count}`;
  const domain = await client.make('domain', { name });
  const project = await client.make('project', { name, domain_id: domain });
  const user = await client.make('user', { name, domain_id: domain, password: 'pw' });
  await client.admin('PUT', `/v3/projects/${project}/users/${user}/roles/${memberRole}`);
  const token = tokenIn(await client.call('POST', '/v3/auth/tokens', loginOf(user, 'pw', project)));
  return { domain, project, user, name, token };
}

const loginOf = (id: string, password: string, project: string): object => ({
  auth: {
    identity: { methods: ['password'], password: { user: { id, password } } },
    scope: { project: { id: project } },
  },
});
const isGood = async (token: string, by: Identity = api): Promise<boolean> =>
  by.authenticate(token).then(
    () => true,
    (error: { status: number }) => {
      expect(error.status).toBe(401);
      return false;
    },
  );

/** One that a test sets forward, so that nothing is over before it is to be. */
function movedClock(): { readonly clock: Clock; pass(ms: number): void } {
  let ahead = 0;
  const moved = { ...clock, wall: () => clock.wall() + ahead, now: () => clock.now() + ahead };
  return { clock: moved, pass: (ms) => void (ahead += ms) };
}

describe('a token is void at once', () => {
  const causes: Record<string, (one: Someone) => Promise<unknown>> = {
    'when it is revoked': ({ token }) =>
      client.call('DELETE', '/v3/auth/tokens', undefined, { 'x-auth-token': token, 'x-subject-token': token }),
    'when its user is disabled': ({ user }) => client.admin('PATCH', `/v3/users/${user}`, { user: { enabled: false } }),
    'when its user is deleted': ({ user }) => client.admin('DELETE', `/v3/users/${user}`),
    'when the password is changed': ({ user }) =>
      client.call('POST', `/v3/users/${user}/password`, { user: { original_password: 'pw', password: 'new' } }),
    'when the password is set by an administrator': ({ user }) =>
      client.admin('PATCH', `/v3/users/${user}`, { user: { password: 'new' } }),
    'when its project is disabled': ({ project }) =>
      client.admin('PATCH', `/v3/projects/${project}`, { project: { enabled: false } }),
    'when its project is deleted': ({ project }) => client.admin('DELETE', `/v3/projects/${project}`),
    'when the domain is disabled': ({ domain }) =>
      client.admin('PATCH', `/v3/domains/${domain}`, { domain: { enabled: false } }),
    'when the last role is taken away': ({ project, user }) =>
      client.admin('DELETE', `/v3/projects/${project}/users/${user}/roles/${memberRole}`),
  };
  for (const [cause, act] of Object.entries(causes)) {
    it(cause, async () => {
      const one = await someone();
      expect(await isGood(one.token)).toBe(true);
      const { status } = (await act(one)) as { readonly status: number };
      expect(status).toBeLessThan(300);
      expect(await isGood(one.token)).toBe(false);
    });
  }

  it('when its time is over', async () => {
    const moved = movedClock();
    const brief = await store.another({ tokenLifetimeMs: 600_000, cacheMs: 3_600_000, clock: moved.clock });
    const token = tokenIn(
      await (await clientOf(brief)).call('POST', '/v3/auth/tokens', passwordLogin('admin', 'correct horse battery')),
    );
    const by = builtinIdentity({ store: brief, url: '' });
    expect(await isGood(token, by)).toBe(true);
    moved.pass(600_000);
    expect(await isGood(token, by)).toBe(false);
  });
});

describe('tokens', () => {
  it('say what the roles are now, not what they were', async () => {
    const { user, project, token } = await someone();
    expect(await api.authenticate(token)).toMatchObject({ roles: ['member', 'reader'], isAdmin: false });
    const { body } = await client.admin('GET', '/v3/roles?name=admin');
    await client.admin('PUT', `/v3/projects/${project}/users/${user}/roles/${body['roles']?.[0]?.['id']}`);
    expect(await api.authenticate(token)).toMatchObject({ isAdmin: true });
  });

  it('that another process revoked are void after the time that one may remember', async () => {
    const moved = movedClock();
    const other: IdentityStore = await store.another({ cacheMs: 600_000, clock: moved.clock });
    const there = builtinIdentity({ store: other, url: '' });
    const { token } = await someone();
    expect(await isGood(token, there)).toBe(true);
    await store.tokens.revoke(token);
    expect(await isGood(token)).toBe(false);
    moved.pass(600_000);
    expect(await isGood(token, there)).toBe(false);
  });

  it('of a token end when that one does, and not with it', async () => {
    const { token, project } = await someone();
    const renewed = await client.call('POST', '/v3/auth/tokens', {
      auth: { identity: { methods: ['token'], token: { id: token } }, scope: { project: { id: project } } },
    });
    const next = tokenIn(renewed);
    const first = await client.admin('GET', `/v3/auth/tokens`).catch(() => undefined);
    expect(first?.status).not.toBe(200);
    const shown = await client.call('GET', '/v3/auth/tokens', undefined, {
      'x-auth-token': next,
      'x-subject-token': token,
    });
    expect(renewed.body['token']?.['expires_at']).toBe(shown.body['token']?.['expires_at']);
    expect(renewed.body['token']?.['audit_ids']?.[1]).toBe(shown.body['token']?.['audit_ids']?.[0]);
    await store.tokens.revoke(token);
    expect(await isGood(next)).toBe(true);
  });

  it('are kept as hashes, and passwords as Argon2id', async () => {
    const { token, user } = await someone();
    const [kept] = await store.db.query<{ row: string }>(
      `select string_agg(t::text, ' ') as row from identity.tokens t`,
    );
    expect(kept?.row).toContain(user);
    expect(kept?.row).not.toContain(token);
    const [secret] = await store.db.query<{ row: string }>(
      `select u::text as row from identity.users u where id = $1`,
      [user],
    );
    expect(secret?.row).toMatch(/\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });
});
