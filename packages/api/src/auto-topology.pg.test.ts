import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, type Row, clientOf } from './testing/client.ts';
import { makeAt } from './testing/needs.ts';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

const path = '/v2.0/auto-allocated-topology';

async function ask(method: 'GET' | 'DELETE', project: string, query = '') {
  const { status, body } = await client.call(method, `${path}/${project}${query}`);
  const answered = (body ?? {}) as unknown as { readonly auto_allocated_topology?: Row };
  return { status, topology: answered.auto_allocated_topology, type: body?.NeutronError?.type };
}

it('needs an external network and a subnet pool that are the defaults, and says so', async () => {
  expect(await ask('GET', 'p', '?fields=dry-run')).toMatchObject({ status: 409, type: 'AutoAllocationFailure' });
  const external = await client.make('network', { 'router:external': true, is_default: true });
  await client.make('subnet', { network_id: external.id, ip_version: 4, cidr: '172.24.4.0/24', enable_dhcp: false });
  expect(await ask('GET', 'p')).toMatchObject({ status: 409, type: 'AutoAllocationFailure' });
  const pool = { prefixes: ['10.0.0.0/16'], default_prefixlen: 24, is_default: true };
  await makeAt(client, '/v2.0/subnetpools', 'subnetpool', pool);
  expect(await ask('GET', 'p', '?fields=dry-run')).toMatchObject({ status: 200, topology: { id: 'dry-run=pass' } });
  expect((await client.call('GET', '/v2.0/networks?project_id=p')).body.networks).toEqual([]);
});

it('makes a network with subnet and router once, also when asked for at once, and removes it all', async () => {
  const answers = await Promise.all(Array.from({ length: 4 }, () => ask('GET', 'p')));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const ids = new Set(answers.map(({ topology }) => topology?.id));
  expect(ids.size).toBe(1);
  const { networks } = (await client.call('GET', '/v2.0/networks?project_id=p')).body;
  expect(networks).toMatchObject([{ id: [...ids][0], name: 'auto_allocated_network', admin_state_up: true }]);
  const { subnets } = (await client.call('GET', '/v2.0/subnets?project_id=p')).body;
  expect(subnets).toMatchObject([{ name: 'auto_allocated_subnet_v4' }]);
  expect(await ask('DELETE', 'p')).toMatchObject({ status: 204 });
  expect((await client.call('GET', '/v2.0/networks?project_id=p')).body.networks).toEqual([]);
  expect(await ask('DELETE', 'p')).toMatchObject({ status: 204 });
});

it('is a project’s own', async () => {
  const asMember = { 'x-project-id': 'q', 'x-roles': 'member,reader' };
  const { status } = await client.call('GET', `${path}/p`, undefined, asMember);
  expect(status).toBe(403);
  expect((await client.call('GET', `${path}/None?fields=dry-run`, undefined, asMember)).status).toBe(200);
});
