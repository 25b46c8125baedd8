import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh({ quotas: { network: 3, subnet: 2, port: 5, router: 10 } }));
});

afterAll(() => server.close());

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

const as =
  (project: string, roles = 'member') =>
  (method: Method, url: string, body?: unknown): Promise<Answer> =>
    client.call(method, `/v2.0${url}`, body, { 'x-project-id': project, 'x-roles': roles });

const admin = as('admin', 'admin');
const quotaOf = async (project: string, part = ''): Promise<Readonly<Record<string, unknown>>> =>
  ((await admin('GET', `/quotas/${project}${part}`)).body as unknown as { quota: Record<string, unknown> }).quota;

async function network(by: ReturnType<typeof as>): Promise<Row> {
  return (await by('POST', '/networks', { network: {} })).body.network;
}

describe('a quota', () => {
  it('is the default until it is set, and again when it is taken back', async () => {
    expect(await quotaOf('p')).toMatchObject({ network: 3, port: 5, trunk: -1 });
    const set = await admin('PUT', '/quotas/p', { quota: { network: 7, port: '9' } });
    expect(set).toMatchObject({ status: 200, body: { quota: { network: 7, port: 9, subnet: 2 } } });
    expect(await quotaOf('p')).toMatchObject({ network: 7, port: 9 });
    expect(await quotaOf('p', '/default')).toMatchObject({ network: 3, port: 5 });
    const listed = (await admin('GET', '/quotas')).body as unknown as { quotas: object[] };
    expect(listed.quotas).toEqual([expect.objectContaining({ project_id: 'p', tenant_id: 'p', network: 7 })]);
    expect((await admin('DELETE', '/quotas/p')).status).toBe(204);
    expect(await quotaOf('p')).toMatchObject({ network: 3 });
    expect((await admin('DELETE', '/quotas/p')).status).toBe(404);
  });

  it('says what is used', async () => {
    await network(as('user'));
    expect(await quotaOf('user', '/details')).toMatchObject({
      network: { limit: 3, used: 1, reserved: 0 },
      port: { limit: 5, used: 0, reserved: 0 },
    });
  });

  it('is the project’s to read and the administrator’s to set', async () => {
    expect((await as('p')('GET', '/quotas/p')).status).toBe(200);
    expect((await as('p')('GET', '/quotas/q')).status).toBe(403);
    expect((await as('p')('GET', '/quotas')).status).toBe(403);
    expect((await as('p')('PUT', '/quotas/p', { quota: { network: 100 } })).status).toBe(403);
    expect((await as('p')('DELETE', '/quotas/p')).status).toBe(403);
  });

  it.each([
    [{}, 'quota'],
    [{ quota: { network: 'x' } }, 'network'],
    [{ quota: { network: -2 } }, 'network'],
    [{ quota: { port: 1.5 } }, 'port'],
    [{ quota: { ships: 1 } }, 'ships'],
  ])('%j is refused by name', async (body, name) => {
    const answer = await admin('PUT', '/quotas/p', body);
    expect([answer.status, answer.body.NeutronError.message]).toEqual([400, expect.stringContaining(name)]);
  });

  it('is never exceeded: not in bulk, and not by many at once', async () => {
    const by = as('busy');
    const bulk = await by('POST', '/networks', { networks: [{}, {}, {}, {}] });
    expect([bulk.status, bulk.body.NeutronError.type]).toEqual([409, 'OverQuota']);
    const made = await Promise.all(Array.from({ length: 12 }, () => by('POST', '/networks', { network: {} })));
    expect(made.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(made.filter(({ status }) => status === 409)).toHaveLength(9);
    const id = made.find(({ status }) => status === 201)?.body.network.id;
    const subnets = Array.from({ length: 4 }, (_, i) =>
      by('POST', '/subnets', { subnet: { network_id: id, ip_version: 4, cidr: `10.${i}.0.0/24` } }),
    );
    expect((await Promise.all(subnets)).map(({ status }) => status).toSorted()).toEqual([201, 201, 409, 409]);
    const ports = Array.from({ length: 8 }, () => by('POST', '/ports', { port: { network_id: id } }));
    expect((await Promise.all(ports)).filter(({ status }) => status === 201)).toHaveLength(5);
    const over = await by('POST', '/ports', { port: { network_id: id } });
    expect(over.body.NeutronError).toMatchObject({ type: 'OverQuota', message: expect.stringContaining('port') });
  });

  it('lets more be made when something went', async () => {
    const by = as('tidy');
    const [first] = [await network(by), await network(by), await network(by)];
    expect((await by('POST', '/networks', { network: {} })).status).toBe(409);
    await by('DELETE', `/networks/${first?.id}`);
    expect((await by('POST', '/networks', { network: {} })).status).toBe(201);
  });
});

const used = async (name: string): Promise<number> => {
  const details = (await quotaOf('hasty', '/details')) as Readonly<Record<string, { readonly used: number }>>;
  return details[name]?.used ?? 0;
};
const set = (quota: object): Promise<Answer> => admin('PUT', '/quotas/full', { quota });
const askGroup = (): Promise<Answer> => as('ruled')('POST', '/security-groups', { security_group: { name: 'g' } });

describe('routers and floating IPs', () => {
  it('are never more than the quota, however many ask at once', async () => {
    const outside = await network(admin);
    await admin('PUT', `/networks/${outside.id}`, { network: { 'router:external': true } });
    await admin('POST', '/subnets', { subnet: { network_id: outside.id, ip_version: 4, cidr: '203.0.113.0/24' } });
    await admin('PUT', '/quotas/hasty', { quota: { router: 2, floatingip: 3 } });
    const hasty = as('hasty');
    const gateway = { network_id: outside.id };
    for (const [path, body, most] of [
      ['/routers', { router: {} }, 1],
      ['/routers', { router: { external_gateway_info: gateway } }, 1],
      ['/floatingips', { floatingip: { floating_network_id: outside.id } }, 3],
    ] as const) {
      if (path === '/routers')
        await admin('PUT', '/quotas/hasty', { quota: { router: most + (await used('router')) } });
      const answers = await Promise.all(Array.from({ length: 6 }, () => hasty('POST', path, body)));
      const statuses = answers.map(({ status }) => status);
      expect([path, statuses.filter((status) => status === 201).length]).toEqual([path, most]);
      expect(new Set(statuses)).toEqual(new Set([201, 409]));
    }
    const several = { floatingips: [{ floating_network_id: outside.id }] };
    expect((await hasty('POST', '/floatingips', several)).body.NeutronError.type).toBe('OverQuota');
  });
});

describe('a limit', () => {
  it('is not set below what there is, if that is asked for', async () => {
    await network(as('full'));
    const refused = await set({ network: 0, port: 9, check_limit: true });
    expect([refused.status, refused.body.NeutronError.message]).toEqual([
      400,
      'Quota limit 0 for network must be greater than or equal to already used 1.',
    ]);
    expect(await quotaOf('full')).toMatchObject({ network: 3, port: 5 });
    expect((await set({ network: 1, port: -1, check_limit: 'true' })).status).toBe(200);
    expect((await set({ network: 0, force: true })).status).toBe(200);
    expect((await set({ network: 0, check_limit: 'perhaps' })).body.NeutronError.message).toContain('check_limit');
  });

  it('of rules counts those that a new security group begins with', async () => {
    await admin('PUT', '/quotas/ruled', { quota: { security_group_rule: 7 } });
    // The default group has four of them.
    expect((await askGroup()).status).toBe(201);
    expect((await askGroup()).body.NeutronError.message).toContain('security_group_rule');
  });
});
