import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NodeId } from '@alcor/network';
import { type TestServer, type TestStore, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';

let server: TestServer;
let store: TestStore;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  store = await server.openFresh();
  client = clientOf(store);
});

afterAll(() => server.close());

const unknownId = '00000000-0000-4000-8000-00000000dead';
let count = 0;
const nodeOf = (attributes: object = {}): Promise<Row> => {
  count += 1;
  return client.make('node', { id: `h${count}`, ip: `198.51.100.${count}`, agent_address: 'h:1', ...attributes });
};
const agentsOf = async (query: string, headers = {}): Promise<readonly Row[]> =>
  (
    (await client.call('GET', `/v2.0/agents?${query}`, undefined, headers)).body as unknown as {
      agents: readonly Row[];
    }
  ).agents;
const agentOf = async (node: Row): Promise<Row> => (await agentsOf(`host=${node.id}`))[0] as Row;
const upload = (body: string, type = 'text/csv'): Promise<Answer> =>
  client.call('POST', '/alcor/v1/nodes', body, { 'content-type': type });
const refused = (status: number, type: string) => ({ status, body: { NeutronError: { type } } });

describe('agents', () => {
  it('are those of registered nodes, and are not alive before they are heard of', async () => {
    const node = await nodeOf();
    const agent = await agentOf(node);
    expect(agent).toMatchObject({
      agent_type: 'Open vSwitch agent',
      binary: 'alcor-agent',
      host: node.id,
      admin_state_up: true,
      alive: false,
      started_at: null,
      heartbeat_timestamp: null,
      description: null,
      configurations: { tunneling_ip: node['ip'], tunnel_types: ['vxlan'], devices: 0 },
    });
    expect(await client.call('GET', `/v2.0/agents/${agent.id}`)).toEqual({ status: 200, body: { agent } });
    expect((await client.call('DELETE', `/alcor/v1/nodes/${node.id}`)).status).toBe(204);
    expect(await client.call('GET', `/v2.0/agents/${agent.id}`)).toMatchObject(refused(404, 'AgentNotFound'));
  });

  it('are alive while they are heard of', async () => {
    const [node, silent] = [await nodeOf(), await nodeOf()];
    await store.agents.heard([node.id, node.id, 'nobody'] as unknown as NodeId[]);
    const agent = await agentOf(node);
    expect(agent).toMatchObject({
      alive: true,
      heartbeat_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    });
    const alive = (await agentsOf('alive=True')).map(({ host }: Row & { host?: unknown }) => host);
    expect(alive).toContain(node.id);
    expect(alive).not.toContain(silent.id);
    await store.sql`update agents set heartbeat_at = now() - interval '80 seconds', started_at = now() - interval '1 day'`;
    expect(await agentOf(node)).toMatchObject({ alive: false });
    const before = (await agentOf(node))['started_at'];
    await store.agents.heard([node.id as NodeId]);
    expect((await agentOf(node))['started_at']).not.toBe(before);
  });

  it('count the ports of their host', async () => {
    const node = await nodeOf();
    const network = await client.make('network', {});
    await client.make('port', { network_id: network.id, 'binding:host_id': node.id });
    expect(await agentOf(node)).toMatchObject({ configurations: { devices: 1 } });
  });

  it('have their description and state changed; deleted ones come again when they are heard of', async () => {
    const node = await nodeOf();
    const { id } = await agentOf(node);
    const put = (agent: object) => client.call('PUT', `/v2.0/agents/${id}`, { agent });
    expect((await put({ description: 'rack 7', admin_state_up: false })).body).toMatchObject({
      agent: { description: 'rack 7', admin_state_up: false },
    });
    expect((await put({ description: null })).body).toMatchObject({ agent: { description: null } });
    expect(await put({ host: 'other' })).toMatchObject(refused(400, 'HTTPBadRequest'));
    expect((await client.call('DELETE', `/v2.0/agents/${id}`)).status).toBe(204);
    expect(await agentsOf(`host=${node.id}`)).toEqual([]);
    await store.agents.heard([node.id as NodeId]);
    expect(await agentOf(node)).toMatchObject({ alive: true, description: null });
  });

  it('are the administrator’s: others see none', async () => {
    const { id } = await agentOf(await nodeOf());
    const member = { 'x-project-id': 'p', 'x-roles': 'member,reader' };
    expect(await agentsOf('', member)).toEqual([]);
    expect(await client.call('GET', `/v2.0/agents/${id}`, undefined, member)).toMatchObject(
      refused(404, 'AgentNotFound'),
    );
    expect(await client.call('DELETE', `/v2.0/agents/${id}`, undefined, member)).toMatchObject(
      refused(404, 'AgentNotFound'),
    );
  });

  it('are not made by hand, and unknown ones are not found', async () => {
    expect((await client.call('POST', '/v2.0/agents', { agent: {} })).status).toBe(405);
    expect(await client.call('DELETE', `/v2.0/agents/${unknownId}`)).toMatchObject(refused(404, 'AgentNotFound'));
  });
});

describe('availability zones', () => {
  it('are the default one and those that nodes name, for everyone to see', async () => {
    await nodeOf({ availability_zone: 'east' });
    const member = { 'x-project-id': 'p', 'x-roles': 'reader' };
    const { body } = await client.call('GET', '/v2.0/availability_zones?sort_key=name', undefined, member);
    expect(body).toEqual({
      availability_zones: ['east', 'nova'].flatMap((name) =>
        ['network', 'router'].map((resource) => ({ name, resource, state: 'available' })),
      ),
    });
    for (const singular of ['network', 'router']) {
      const path = `/v2.0/${singular}s`;
      const hinted = await client.make(singular, { availability_zone_hints: ['east'] });
      const seen = { availability_zone_hints: ['east'], availability_zones: ['east', 'nova'] };
      expect(hinted).toMatchObject(seen);
      expect((await client.call('GET', `${path}/${hinted.id}`)).body).toMatchObject({ [singular]: seen });
      expect(await client.make(singular, {})).toMatchObject({ ...seen, availability_zone_hints: [] });
      const lost = { [singular]: { availability_zone_hints: ['east', 'moon'] } };
      expect(await client.call('POST', path, lost)).toMatchObject(refused(404, 'AvailabilityZoneNotFound'));
      const change = { [singular]: { availability_zone_hints: ['nova'] } };
      expect((await client.call('PUT', `${path}/${hinted.id}`, change)).status).toBe(400);
    }
    const routers = await client.call('GET', '/v2.0/availability_zones?resource=router&name=nova');
    expect(routers.body).toMatchObject({ availability_zones: [{ name: 'nova', resource: 'router' }] });
  });
});

const bind = (host: string, network: string): Promise<Answer> =>
  client.call('POST', '/v2.0/ports', { port: { network_id: network, 'binding:host_id': host } });
const change = (node: Row, patch: object): Promise<Answer> =>
  client.call('PUT', `/alcor/v1/nodes/${node.id}`, { node: patch });

describe('room on a node', () => {
  it('a draining node keeps its ports and gets none', async () => {
    const [node, other] = [await nodeOf(), await nodeOf()];
    const network = await client.make('network', {});
    const port = await client.make('port', { network_id: network.id, 'binding:host_id': node.id });
    expect((await change(node, { draining: true })).body).toMatchObject({ node: { draining: true, max_ports: null } });
    const refusedBinding = await bind(node.id, network.id);
    expect(refusedBinding).toMatchObject(refused(409, 'NodeDraining'));
    expect(refusedBinding.body.NeutronError.message).toContain(node.id);
    const put = (id: string, patch: object) => client.call('PUT', `/v2.0/ports/${id}`, { port: patch });
    const elsewhere = await client.make('port', { network_id: network.id, 'binding:host_id': other.id });
    expect(await put(elsewhere.id, { 'binding:host_id': node.id })).toMatchObject(refused(409, 'NodeDraining'));
    expect((await put(port.id, { name: 'stays', 'binding:host_id': node.id })).status).toBe(200);
    expect((await put(port.id, { 'binding:host_id': other.id })).status).toBe(200);
    expect((await client.call('GET', '/alcor/v1/nodes?draining=true&fields=id')).body.nodes).toEqual([{ id: node.id }]);
    await change(node, { draining: false });
    expect((await put(port.id, { 'binding:host_id': node.id })).status).toBe(200);
  });

  it('a node is made a gateway and found as one', async () => {
    const node = await nodeOf({ gateway: true });
    const found = await client.call('GET', '/alcor/v1/nodes?gateway=true&fields=id&fields=gateway');
    expect(found.body.nodes).toEqual([{ id: node.id, gateway: true }]);
    expect((await change(node, { gateway: 'perhaps' })).status).toBe(400);
    expect((await change(node, { gateway: false })).body).toMatchObject({ node: { gateway: false } });
  });

  it('a bulk request that names a draining node makes nothing and says which port', async () => {
    const [node, other] = [await nodeOf(), await nodeOf({ draining: true })];
    const network = await client.make('network', {});
    const ports = [node, other].map(({ id }) => ({ network_id: network.id, 'binding:host_id': id }));
    const answer = await client.call('POST', '/v2.0/ports', { ports });
    expect(answer).toMatchObject(refused(409, 'NodeDraining'));
    expect(answer.body.NeutronError.detail).toContain('Item 1');
    expect((await client.call('GET', `/v2.0/ports?network_id=${network.id}`)).body.ports).toEqual([]);
  });

  it('once a drain is answered no port comes any more, of those under way either', async () => {
    const node = await nodeOf();
    const network = await client.make('network', {});
    const bindings = Array.from({ length: 30 }, () => bind(node.id, network.id));
    expect((await change(node, { draining: true })).status).toBe(200);
    const ports = async (): Promise<number> =>
      (await client.call('GET', `/v2.0/ports?binding:host_id=${node.id}&fields=id`)).body.ports.length;
    const whenAnswered = await ports();
    const made = (await Promise.all(bindings)).filter(({ status }) => status === 201).length;
    expect(await ports()).toBe(whenAnswered);
    expect(made).toBe(whenAnswered);
  });

  it('no more ports are bound than there is room for, however many ask at once', async () => {
    const node = await nodeOf({ max_ports: 3 });
    const network = await client.make('network', {});
    const answers = await Promise.all(Array.from({ length: 8 }, () => bind(node.id, network.id)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    for (const answer of answers) if (answer.status !== 201) expect(answer).toMatchObject(refused(409, 'NodeFull'));
    const unbound = await client.make('port', { network_id: network.id });
    const put = () => client.call('PUT', `/v2.0/ports/${unbound.id}`, { port: { 'binding:host_id': node.id } });
    expect(await put()).toMatchObject(refused(409, 'NodeFull'));
    await change(node, { max_ports: 4 });
    expect((await put()).status).toBe(200);
    await change(node, { max_ports: 1 });
    expect(await bind(node.id, network.id)).toMatchObject(refused(409, 'NodeFull'));
  });

  it('is for those that run the region', async () => {
    const member = { 'x-project-id': 'p', 'x-roles': 'member' };
    const node = await nodeOf();
    const put = await client.call('PUT', `/alcor/v1/nodes/${node.id}`, { node: { draining: true } }, member);
    expect(put.status).toBe(403);
    expect((await client.call('PUT', `/alcor/v1/nodes/${node.id}/heartbeat`, undefined, member)).status).toBe(403);
  });
});

describe('a heartbeat', () => {
  it('shows at the node and at its agent', async () => {
    const node = await nodeOf({ availability_zone: 'west' });
    expect(node).toMatchObject({ alive: false, heartbeat_at: null });
    const beat = await client.call('PUT', `/alcor/v1/nodes/${node.id}/heartbeat`);
    expect(beat).toMatchObject({ status: 200, body: { node: { id: node.id, alive: true, revision_number: 1 } } });
    expect(await agentOf(node)).toMatchObject({ alive: true, availability_zone: 'west' });
    const west = await agentsOf('availability_zone=west');
    expect(west.map((agent) => agent['host'])).toContain(node.id);
    expect(await client.call('PUT', '/alcor/v1/nodes/nobody/heartbeat')).toMatchObject(refused(404, 'NodeNotFound'));
  });
});

describe('config managers and gateways', () => {
  it.each([
    ['config_manager', '/alcor/v1/config-managers', 'ConfigManager', { address: 'ncm:1' }, { address: 'nowhere' }],
    ['gateway', '/alcor/v1/gateways', 'Gateway', { ip: 'FD00::0:1' }, { ip: 'nowhere' }],
  ])('%s: nodes name it, and keep it from being deleted', async (singular, path, type, given, wrong) => {
    const made = await client.make(singular, { name: 'east', ...given });
    expect(made).toMatchObject({ name: 'east', nodes: 0, revision_number: 1 });
    expect((await client.call('POST', path, { [singular]: wrong })).body.NeutronError.message).toContain('nowhere');
    const node = await nodeOf({ [`${singular}_id`]: made.id });
    const listed = await client.call('GET', `/alcor/v1/nodes?${singular}_id=${made.id}&fields=id`);
    expect(listed.body.nodes).toEqual([{ id: node.id }]);
    expect((await client.call('GET', `${path}/${made.id}`)).body).toMatchObject({ [singular]: { nodes: 1 } });
    expect(await client.call('DELETE', `${path}/${made.id}`)).toMatchObject(refused(409, `${type}InUse`));
    const put = (id: string | null) =>
      client.call('PUT', `/alcor/v1/nodes/${node.id}`, { node: { [`${singular}_id`]: id } });
    expect(await put(unknownId)).toMatchObject(refused(404, `${type}NotFound`));
    expect((await put(null)).status).toBe(200);
    expect((await client.call('DELETE', `${path}/${made.id}`)).status).toBe(204);
  });
});

describe('files of nodes', () => {
  it('are CSV tables or bare JSON lists', async () => {
    const table = await upload(
      'name,ip,agent_address,availability_zone\r\n"c,1",192.0.2.1,h:1,\r\nc2,192.0.2.2,"unix:/run/a",west\n\n'.replace(
        '"c,1"',
        '"c1"',
      ),
    );
    expect(table.status).toBe(201);
    expect(table.body.nodes).toMatchObject([
      { id: 'c1', name: 'c1', ip: '192.0.2.1', availability_zone: 'nova' },
      { id: 'c2', agent_address: 'unix:/run/a', availability_zone: 'west' },
    ]);
    const list = JSON.stringify([{ name: 'c3', ip: '192.0.2.3', agent_address: 'h:1' }]);
    expect((await upload(list, 'application/json')).body.nodes).toMatchObject([{ id: 'c3' }]);
  });

  it('hold thousands, and make all of them or none', async () => {
    const lines = Array.from({ length: 5_000 }, (_, n) => `n${n},10.9.${n >> 8}.${n & 255},h:1`);
    const header = 'id,ip,agent_address';
    const broken = [...lines, 'again,10.9.0.7,h:1'];
    expect(await upload([header, ...broken].join('\n'))).toMatchObject(refused(409, 'NodeExists'));
    expect((await client.call('GET', '/alcor/v1/nodes?id=n1')).body.nodes).toEqual([]);
    expect((await upload([header, ...lines].join('\n'))).status).toBe(201);
    expect(await agentsOf('host=n4999')).toHaveLength(1);
  });

  it.each([
    ['an empty file', '', /empty/],
    ['a header alone', 'id,ip,agent_address', /Resources required/],
    ['a line too short', 'id,ip,agent_address\na,192.0.2.9', /Line 2 .* 2 cells/],
    ['a quote out of place', 'id,ip,agent_address\na"b,192.0.2.9,h:1', /quote/],
    ['a name twice in the header', 'id,id\na,b', /'id' twice/],
    ['an unknown column', 'id,ip,agent_address,colour\na,192.0.2.9,h:1,red', /Unrecognized attribute.*colour/],
    ['a wrong address', 'id,ip,agent_address\na,here,h:1', /Invalid input for ip/],
  ])('refuse %s', async (_, text, message) => {
    const answer = await upload(text);
    expect(answer).toMatchObject(refused(400, 'HTTPBadRequest'));
    expect(answer.body.NeutronError.message).toMatch(message);
  });

  it('are for nodes only', async () => {
    expect((await client.call('POST', '/v2.0/networks', 'name\nx', { 'content-type': 'text/csv' })).status).toBe(415);
    expect((await client.call('POST', '/v2.0/networks', '[{}]')).status).toBe(400);
  });
});
