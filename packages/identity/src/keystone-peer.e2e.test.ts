import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildIdentityApi } from './http/app.ts';
import { passwordLogin } from './testing/client.ts';
import { type RealKeystone, startRealKeystone, whyNoKeystone } from './testing/real-keystone.ts';
import { type TestIdentity, adminPassword, startTestIdentity } from './testing/service.ts';

const reason = whyNoKeystone();
if (reason !== undefined) console.warn(reason);

/** One request; `$name` stands for an id that an earlier answer had, and `keep` names the one that this answer has. */
interface Step {
  readonly as?: string;
  readonly call: string;
  readonly body?: object;
  readonly keep?: string;
}

const member = (name: string, password: string, project?: string): object => passwordLogin(name, password, project);
const inDefault = { domain: { id: 'default' } };
const scoped = (scope: object) => ({
  auth: {
    identity: { methods: ['password'], password: { user: { name: 'admin', password: adminPassword, ...inDefault } } },
    scope,
  },
});

/** Told to Keystone and to ours; both have to answer alike. */
const walk: readonly Step[] = [
  { call: 'GET /' },
  { call: 'GET /v3' },
  { call: 'GET /v3/users', as: 'nobody' },
  { call: 'GET /v3/nothing' },
  { call: 'POST /v3/auth/tokens', body: {} },
  { call: 'POST /v3/auth/tokens', body: { auth: { identity: { methods: [] } } } },
  { call: 'POST /v3/auth/tokens', body: { auth: { identity: { methods: ['password'] } } } },
  { call: 'POST /v3/auth/tokens', body: member('admin', 'wrong') },
  { call: 'POST /v3/auth/tokens', body: member('nobody', 'wrong') },
  { call: 'POST /v3/auth/tokens', body: member('admin', adminPassword), keep: 'unscoped' },
  { call: 'POST /v3/auth/tokens', body: member('admin', adminPassword, 'nothing') },
  { call: 'POST /v3/auth/tokens', body: scoped({ system: { all: true } }), keep: 'system' },
  { call: 'POST /v3/auth/tokens', body: scoped({ domain: { id: 'default' } }) },
  {
    call: 'POST /v3/auth/tokens?nocatalog',
    body: scoped({ project: { name: 'admin', domain: { name: 'Default' } } }),
    keep: 'brief',
  },
  { call: 'GET /v3/auth/tokens ? $brief' },
  { call: 'HEAD /v3/auth/tokens ? $brief' },
  { call: 'GET /v3/auth/catalog' },
  { call: 'GET /v3/auth/projects' },
  { call: 'GET /v3/auth/domains' },
  { call: 'GET /v3/auth/system' },
  { call: 'GET /v3/projects?name=admin' },
  { call: 'GET /v3/domains?name=Default' },
  { call: 'GET /v3/domains/default' },
  { call: 'GET /v3/role_inferences' },
  { call: 'GET /v3/roles?name=reader', keep: 'reader' },
  { call: 'GET /v3/roles?name=member', keep: 'member' },
  { call: 'POST /v3/projects', body: { project: { name: 'p1', description: 'd', domain_id: 'default' } }, keep: 'p1' },
  { call: 'POST /v3/projects', body: { project: { name: 'p1', domain_id: 'default' } } },
  { call: 'POST /v3/projects', body: { project: { name: '', domain_id: 'default' } } },
  { call: 'POST /v3/projects', body: { project: { name: 7 } } },
  { call: 'POST /v3/projects', body: { project: {} } },
  { call: 'POST /v3/projects', body: { project: { name: 'p2', parent_id: '$p1' } }, keep: 'p2' },
  { call: 'DELETE /v3/projects/$p1' },
  { call: 'PATCH /v3/projects/$p2', body: { project: { enabled: 'maybe' } } },
  { call: 'PATCH /v3/projects/$p2', body: { project: { description: 'x', color: 'blue' } } },
  { call: 'GET /v3/projects/$p2' },
  {
    call: 'POST /v3/users',
    body: { user: { name: 'u1', password: 'one', email: 'e@x', project_id: '$p1' } },
    keep: 'u1',
  },
  { call: 'POST /v3/users', body: { user: { name: 'u1', password: 'one' } } },
  { call: 'POST /v3/users', body: { user: { name: 'u2', domain_id: 'nothing' } } },
  { call: 'POST /v3/users', body: { user: { name: 'u2', password: 7 } } },
  { call: 'GET /v3/users/$u1' },
  { call: 'GET /v3/users?name=u1' },
  { call: 'POST /v3/auth/tokens', body: member('u1', 'one', 'p1') },
  { call: 'PUT /v3/projects/$p1/users/$u1/roles/$member' },
  { call: 'PUT /v3/projects/$p1/users/$u1/roles/$member' },
  { call: 'PUT /v3/projects/$p1/users/$u1/roles/nothing' },
  { call: 'PUT /v3/projects/nothing/users/$u1/roles/$member' },
  { call: 'HEAD /v3/projects/$p1/users/$u1/roles/$member' },
  { call: 'HEAD /v3/projects/$p1/users/$u1/roles/$reader' },
  { call: 'GET /v3/projects/$p1/users/$u1/roles' },
  { call: 'GET /v3/role_assignments?user.id=$u1' },
  { call: 'GET /v3/role_assignments?user.id=$u1&effective&include_names' },
  { call: 'POST /v3/auth/tokens', body: member('u1', 'one', 'p1'), keep: 'token' },
  { call: 'GET /v3/auth/projects', as: '$token' },
  { call: 'GET /v3/users/$u1', as: '$token' },
  { call: 'GET /v3/users', as: '$token' },
  { call: 'POST /v3/projects', as: '$token', body: { project: { name: 'mine' } } },
  { call: 'DELETE /v3/users/$u1', as: '$token' },
  { call: 'GET /v3/auth/tokens ? $brief', as: '$token' },
  { call: 'GET /v3/auth/tokens ? $token', as: '$token' },
  { call: 'GET /v3/auth/tokens ? nothing' },
  { call: 'GET /v3/auth/tokens ? nothing', as: '$token' },
  { call: 'POST /v3/users/$u1/password', as: '$token', body: { user: { password: 'two', original_password: 'x' } } },
  { call: 'POST /v3/users/$u1/password', as: '$token', body: { user: { password: 'two', original_password: 'one' } } },
  { call: 'GET /v3/auth/projects', as: '$token' },
  { call: 'POST /v3/auth/tokens', body: member('u1', 'one', 'p1') },
  { call: 'POST /v3/auth/tokens', body: member('u1', 'two', 'p1'), keep: 'second' },
  { call: 'DELETE /v3/projects/$p1/users/$u1/roles/$member' },
  { call: 'DELETE /v3/projects/$p1/users/$u1/roles/$member' },
  { call: 'GET /v3/auth/projects', as: '$second' },
  { call: 'POST /v3/groups', body: { group: { name: 'g1' } }, keep: 'g1' },
  { call: 'PUT /v3/groups/$g1/users/$u1' },
  { call: 'HEAD /v3/groups/$g1/users/$u1' },
  { call: 'GET /v3/groups/$g1/users' },
  { call: 'GET /v3/users/$u1/groups' },
  { call: 'PUT /v3/projects/$p1/groups/$g1/roles/$member' },
  { call: 'GET /v3/users/$u1/projects' },
  { call: 'POST /v3/auth/tokens', body: member('u1', 'two', 'p1'), keep: 'grouped' },
  { call: 'DELETE /v3/groups/$g1/users/$u1' },
  { call: 'DELETE /v3/groups/$g1/users/$u1' },
  { call: 'GET /v3/auth/projects', as: '$grouped' },
  { call: 'PUT /v3/OS-INHERIT/domains/default/users/$u1/roles/$member/inherited_to_projects' },
  { call: 'HEAD /v3/OS-INHERIT/domains/default/users/$u1/roles/$member/inherited_to_projects' },
  { call: 'GET /v3/OS-INHERIT/domains/default/users/$u1/roles/inherited_to_projects' },
  { call: 'POST /v3/auth/tokens', body: member('u1', 'two', 'p1') },
  { call: 'PUT /v3/system/users/$u1/roles/$reader' },
  { call: 'GET /v3/system/users/$u1/roles' },
  { call: 'DELETE /v3/system/users/$u1/roles/$reader' },
  { call: 'POST /v3/roles', body: { role: { name: 'r1' } }, keep: 'r1' },
  { call: 'POST /v3/roles', body: { role: { name: 'r1' } } },
  { call: 'PUT /v3/roles/$reader/implies/$r1' },
  { call: 'GET /v3/roles/$reader/implies/$r1' },
  { call: 'HEAD /v3/roles/$reader/implies/$r1' },
  { call: 'GET /v3/roles/$reader/implies' },
  { call: 'DELETE /v3/roles/$reader/implies/$r1' },
  { call: 'DELETE /v3/roles/$r1' },
  { call: 'POST /v3/domains', body: { domain: { name: 'd1' } }, keep: 'd1' },
  { call: 'DELETE /v3/domains/$d1' },
  { call: 'PATCH /v3/domains/$d1', body: { domain: { enabled: false } } },
  { call: 'DELETE /v3/domains/$d1' },
  { call: 'POST /v3/regions', body: { region: { id: 'R2', description: 'd' } } },
  { call: 'POST /v3/regions', body: { region: { id: 'R2' } } },
  { call: 'GET /v3/regions/R2' },
  { call: 'POST /v3/services', body: { service: { name: 's', type: 'compute' } }, keep: 's1' },
  { call: 'POST /v3/services', body: { service: { name: 's' } } },
  {
    call: 'POST /v3/endpoints',
    body: { endpoint: { service_id: '$s1', interface: 'public', url: 'http://x', region_id: 'R2' } },
    keep: 'e1',
  },
  {
    call: 'POST /v3/endpoints',
    body: { endpoint: { service_id: '$s1', interface: 'admin', url: 'http://x', region: 'R3' } },
  },
  { call: 'GET /v3/regions/R3' },
  { call: 'PATCH /v3/endpoints/$e1', body: { endpoint: { region: 'R4' } } },
  { call: 'POST /v3/endpoints', body: { endpoint: { service_id: 'nothing', interface: 'public', url: 'http://x' } } },
  { call: 'POST /v3/endpoints', body: { endpoint: { service_id: '$s1', interface: 'sideways', url: 'http://x' } } },
  { call: 'GET /v3/endpoints?service_id=$s1' },
  { call: 'GET /v3/services/$s1' },
  { call: 'DELETE /v3/services/$s1' },
  { call: 'GET /v3/endpoints/$e1' },
  { call: 'PATCH /v3/users/$u1', body: { user: { enabled: false } } },
  { call: 'POST /v3/auth/tokens', body: member('u1', 'two') },
  { call: 'GET /v3/auth/projects', as: '$second' },
  { call: 'DELETE /v3/users/$u1' },
  { call: 'DELETE /v3/users/$u1' },
  { call: 'DELETE /v3/auth/tokens ? $brief' },
  { call: 'GET /v3/auth/projects', as: '$brief' },
  { call: 'GET /v3/users', as: '$system' },
];

describe.skipIf(reason !== undefined)('beside a real Keystone', () => {
  let keystone: RealKeystone;
  let identity: TestIdentity;
  let app: FastifyInstance;
  let url: string;

  beforeAll(async () => {
    identity = await startTestIdentity();
    app = buildIdentityApi({ store: await identity.open() });
    url = await app.listen({ port: 0, host: '127.0.0.1' });
    keystone = await startRealKeystone();
  });
  afterAll(async () => {
    await keystone.close();
    await app.close();
    await identity.close();
  });

  it('answers alike: the same statuses and the same shapes', async () => {
    const theirs = await tell(keystone.url.replace(/\/v3$/, ''));
    const ours = await tell(url);
    expect(theirs).toHaveLength(walk.length);
    expect(ours).toEqual(theirs);
  });
});

/** What a server answers to the walk: status and shape of each, beside the request. */
async function tell(server: string): Promise<readonly string[]> {
  const names = new Map<string, string>();
  const fill = (text: string): string =>
    text.replaceAll(/\$(\w+)/g, (_, name: string) => names.get(name) ?? `no ${name}`);
  const send = async ({
    as = '$admin',
    call,
    body,
  }: Step): Promise<{ status: number; json: unknown; token: string }> => {
    const [method = '', path = '', , subject = ''] = call.split(' ');
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (as !== 'nobody') headers['x-auth-token'] = fill(as);
    if (subject !== '') headers['x-subject-token'] = fill(subject);
    const payload = body === undefined ? {} : { body: fill(JSON.stringify(body)) };
    const response = await fetch(`${server}${fill(path)}`, { method, headers, ...payload });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const token = response.headers.get('x-subject-token') ?? '';
    return { status: response.status, json: isJson && text !== '' ? JSON.parse(text) : null, token };
  };
  const login = await send({
    as: 'nobody',
    call: 'POST /v3/auth/tokens',
    body: member('admin', adminPassword, 'admin'),
  });
  names.set('admin', login.token);
  const told: string[] = [];
  for (const step of walk) {
    const { status, json, token } = await send(step);
    if (step.keep !== undefined && status < 400) names.set(step.keep, token === '' ? idIn(json) : token);
    const shape = status >= 400 ? '' : ` ${shapeOf(json)}`;
    told.push(`${step.as ?? '$admin'}: ${step.call} ${JSON.stringify(step.body ?? null)} → ${status}${shape}`);
  }
  return told;
}

/** Of the resource in the answer, or of the first in its list. */
function idIn(json: unknown): string {
  const [root] = Object.values(json as object) as (Readonly<{ id: string }> | readonly { id: string }[])[];
  return (Array.isArray(root) ? (root[0] as { id: string }) : (root as { id: string })).id;
}

/** Not compared. Keystone shows what it was told about changes a second time, under `extra`; and which roles are immutable. */
const passedOver = ['extra', 'immutable'];

/** The names in an answer, sorted, down to the leaves; a list by its first item. */
function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${shapeOf(value[0])}]`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const names = Object.keys(value)
    .filter((name) => !passedOver.includes(name))
    .sort();
  return `{${names.map((name) => `${name}:${shapeOf((value as Record<string, unknown>)[name])}`).join(',')}}`;
}
