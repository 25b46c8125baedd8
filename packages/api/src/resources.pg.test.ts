import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, clientOf, netted } from './testing/client.ts';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

const unknownId = '00000000-0000-4000-8000-00000000dead';

describe('networks', () => {
  it('are made with Neutron’s defaults, shown, changed and deleted', async () => {
    const made = await client.make('network', {});
    expect(made).toMatchObject({
      name: '',
      description: '',
      tenant_id: 'admin',
      project_id: 'admin',
      admin_state_up: true,
      status: 'ACTIVE',
      shared: false,
      subnets: [],
      mtu: 1450,
      'provider:network_type': 'vxlan',
      'router:external': false,
      revision_number: 1,
    });
    expect(made['created_at']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(await client.call('GET', `/v2.0/networks/${made.id}`)).toEqual({ status: 200, body: { network: made } });

    const changed = await client.call('PUT', `/v2.0/networks/${made.id}`, { network: { name: 'new', mtu: '1400' } });
    expect(changed).toMatchObject({
      status: 200,
      body: { network: { ...made, name: 'new', mtu: 1400, revision_number: 2, updated_at: expect.any(String) } },
    });

    expect(await client.call('DELETE', `/v2.0/networks/${made.id}`)).toEqual({ status: 204, body: undefined });
    expect(await client.call('GET', `/v2.0/networks/${made.id}`)).toMatchObject({
      status: 404,
      body: { NeutronError: { type: 'NetworkNotFound' } },
    });
  });

  it('list their subnets, and refuse to go while ports are on them', async () => {
    const { network, subnet } = await netted(client);
    await client.make('port', { network_id: network.id });
    expect((await client.call('GET', `/v2.0/networks/${network.id}`)).body.network['subnets']).toEqual([subnet.id]);
    expect(await client.call('DELETE', `/v2.0/networks/${network.id}`)).toMatchObject({
      status: 409,
      body: { NeutronError: { type: 'NetworkInUse' } },
    });
  });

  it('take tenant_id for project_id, and refuse the two in disagreement', async () => {
    expect(await client.make('network', { tenant_id: 'p' })).toMatchObject({ tenant_id: 'p', project_id: 'p' });
    const answer = await client.call('POST', '/v2.0/networks', { network: { tenant_id: 'p', project_id: 'q' } });
    expect(answer).toMatchObject({
      status: 400,
      body: { NeutronError: { message: "'tenant_id' and 'project_id' do not match" } },
    });
  });

  it('heed If-Match', async () => {
    const { id } = await client.make('network', {});
    const write = (condition: string) =>
      client.call('PUT', `/v2.0/networks/${id}`, { network: { name: 'x' } }, { 'if-match': condition });
    expect(await write('revision_number=7')).toMatchObject({
      status: 412,
      body: { NeutronError: { type: 'RevisionNumberConstraintFailed' } },
    });
    expect(await write('nonsense')).toMatchObject({ status: 400 });
    expect(await write('revision_number=1')).toMatchObject({ status: 200 });
  });
});

describe('subnets', () => {
  it('keep a gateway that a PUT does not name, and lose it to an explicit null', async () => {
    const { subnet } = await netted(client);
    const put = (change: object) => client.call('PUT', `/v2.0/subnets/${subnet.id}`, { subnet: change });
    expect((await put({ name: 'x' })).body.subnet).toMatchObject({ name: 'x', gateway_ip: '10.0.0.1' });
    expect((await put({ gateway_ip: null })).body.subnet['gateway_ip']).toBeNull();
    expect((await put({ name: 'y' })).body.subnet['gateway_ip']).toBeNull();
    expect((await put({ gateway_ip: '10.0.0.1' })).body.subnet['gateway_ip']).toBe('10.0.0.1');
  });

  it('write addresses in their canonical form', async () => {
    const network = await client.make('network', {});
    const six = await client.make('subnet', {
      network_id: network.id,
      ip_version: '6',
      cidr: 'FD00:0:0:0::1/64',
      dns_nameservers: ['FD00::0:53'],
    });
    expect(six).toMatchObject({ ip_version: 6, cidr: 'fd00::/64', dns_nameservers: ['fd00::53'] });
  });

  it.each([
    ['a CIDR that is none', { cidr: '10.0.0.0/33' }, 400, 'HTTPBadRequest', /cidr/],
    ['an overlapping CIDR', { cidr: '10.0.0.128/25' }, 400, 'InvalidInput', /overlaps/],
    ['another IP version', { ip_version: 6, cidr: '10.1.0.0/24' }, 400, 'InvalidInput', /ip_version|version/i],
    ['no network', { network_id: unknownId, cidr: '10.1.0.0/24' }, 404, 'NetworkNotFound', /dead/],
    ['no CIDR', { cidr: undefined }, 400, 'BadRequest', /a subnetpool must be specified in the absence of a cidr/],
    [
      'a pool outside',
      { cidr: '10.1.0.0/24', allocation_pools: [{ start: '10.2.0.1', end: '10.2.0.2' }] },
      400,
      'OutOfBoundsAllocationPool',
      /10\.2/,
    ],
    [
      'six nameservers',
      { cidr: '10.1.0.0/24', dns_nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4', '1.1.1.5', '1.1.1.6'] },
      400,
      'HTTPBadRequest',
      /dns_nameservers/,
    ],
    [
      'the same nameserver twice',
      { cidr: '10.1.0.0/24', dns_nameservers: ['1.1.1.1', '1.1.1.1'] },
      400,
      'HTTPBadRequest',
      /dns_nameservers.*Duplicate/,
    ],
  ])('refuse %s', async (_, attributes, status, type, message) => {
    const { network } = await netted(client);
    const answer = await client.call('POST', '/v2.0/subnets', {
      subnet: { network_id: network.id, ip_version: 4, ...attributes },
    });
    expect(answer).toMatchObject({ status, body: { NeutronError: { type, message: expect.stringMatching(message) } } });
    expect((await client.call('GET', `/v2.0/subnets?network_id=${network.id}`)).body.subnets).toHaveLength(1);
  });
});

describe('ports', () => {
  it('get an address and a MAC, and say how they are bound', async () => {
    const { network, subnet } = await netted(client);
    const port = await client.make('port', { network_id: network.id });
    expect(port).toMatchObject({
      fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.0.0.2' }],
      status: 'DOWN',
      'binding:host_id': '',
      'binding:vif_type': 'unbound',
    });
    const bound = await client.call('PUT', `/v2.0/ports/${port.id}`, { port: { 'binding:host_id': 'h1' } });
    expect(bound.body.port).toMatchObject({ 'binding:host_id': 'h1', 'binding:vif_type': 'ovs' });
    const freed = await client.call('PUT', `/v2.0/ports/${port.id}`, { port: { 'binding:host_id': null } });
    expect(freed.body.port).toMatchObject({ 'binding:host_id': '', 'binding:vif_type': 'unbound' });
  });

  it.each([
    ['an address of another subnet', { fixed_ips: [{ ip_address: '10.9.0.1' }] }, 400, 'InvalidIpForNetwork'],
    [
      'an address outside the subnet named',
      (subnet: string) => ({ fixed_ips: [{ subnet_id: subnet, ip_address: '10.9.0.1' }] }),
      400,
      'InvalidIpForSubnet',
    ],
    ['an address in use', { fixed_ips: [{ ip_address: '10.0.0.7' }] }, 409, 'IpAddressAlreadyAllocated'],
    ['a MAC in use', { mac_address: 'FA-16-3E-AA-BB-CC' }, 409, 'MacAddressInUse'],
    ['a group’s MAC', { mac_address: '01:00:5e:00:00:01' }, 400, 'HTTPBadRequest'],
    ['a fixed IP of nothing', { fixed_ips: [{}] }, 400, 'HTTPBadRequest'],
    [
      'an address twice',
      { fixed_ips: [{ ip_address: '10.0.0.9' }, { ip_address: '10.0.0.9' }] },
      400,
      'HTTPBadRequest',
    ],
    ['an unknown security group', { security_groups: [unknownId] }, 404, 'SecurityGroupNotFound'],
  ])('refuse %s', async (_, given, status, type) => {
    const { network, subnet } = await netted(client);
    await client.make('port', {
      network_id: network.id,
      mac_address: 'fa:16:3e:aa:bb:cc',
      fixed_ips: [{ ip_address: '10.0.0.7' }],
    });
    const attributes = typeof given === 'function' ? given(subnet.id) : given;
    const answer = await client.call('POST', '/v2.0/ports', { port: { network_id: network.id, ...attributes } });
    expect(answer).toMatchObject({ status, body: { NeutronError: { type } } });
    expect((await client.call('GET', `/v2.0/ports?network_id=${network.id}`)).body.ports).toHaveLength(1);
  });

  it('say which unenforced attribute was asked for, and why it cannot be had; its default is taken', async () => {
    const { network } = await netted(client);
    const answer = await client.call('POST', '/v2.0/ports', {
      port: { network_id: network.id, propagate_uplink_status: true },
    });
    expect(answer.body.NeutronError.message).toMatch(
      /^Invalid input for propagate_uplink_status\. Reason: .* is not supported: the uplink/,
    );
    await client.make('port', {
      network_id: network.id,
      qos_policy_id: null,
      security_groups: [],
      allowed_address_pairs: null,
      'binding:profile': {},
    });
  });

  it('come in bulk, all of them or none, and the one at fault is named', async () => {
    const { network } = await netted(client);
    const item = (name: string, address?: string) => ({
      network_id: network.id,
      name,
      ...(address === undefined ? {} : { fixed_ips: [{ ip_address: address }] }),
    });
    const good = await client.call('POST', '/v2.0/ports', { ports: [item('a'), item('b')] });
    expect(good.status).toBe(201);
    expect(good.body.ports.map(({ name }) => name)).toEqual(['a', 'b']);

    const clash = await client.call('POST', '/v2.0/ports', { ports: [item('c', '10.0.0.50'), item('d', '10.0.0.50')] });
    expect(clash).toMatchObject({
      status: 409,
      body: { NeutronError: { type: 'IpAddressAlreadyAllocated', detail: expect.stringContaining('Item 1') } },
    });
    const wrong = await client.call('POST', '/v2.0/ports', { ports: [item('e'), { ...item('f'), colour: 'red' }] });
    expect(wrong).toMatchObject({
      status: 400,
      body: {
        NeutronError: { message: "Unrecognized attribute(s) 'colour'", detail: expect.stringContaining('Item 1') },
      },
    });
    expect((await client.call('GET', `/v2.0/ports?network_id=${network.id}`)).body.ports).toHaveLength(2);
  });
});

describe('nodes', () => {
  it('are registered one by one and in bulk; the name may stand for the id', async () => {
    const one = await client.make('node', { name: 'h1', ip: '192.0.2.1', agent_address: 'unix:/run/agent.sock' });
    expect(one).toMatchObject({ id: 'h1', name: 'h1', ip: '192.0.2.1', revision_number: 1 });
    const more = {
      nodes: [2, 3].map((n) => ({ id: `h${n}`, ip: `192.0.2.${n}`, agent_address: `192.0.2.${n}:50051` })),
    };
    expect((await client.call('POST', '/alcor/v1/nodes', more)).body.nodes.map(({ name }) => name)).toEqual([
      'h2',
      'h3',
    ]);
    expect((await client.call('GET', '/alcor/v1/nodes?fields=id')).body.nodes).toEqual([
      { id: 'h1' },
      { id: 'h2' },
      { id: 'h3' },
    ]);
    expect((await client.call('DELETE', '/alcor/v1/nodes/h2')).status).toBe(204);
    expect(await client.call('GET', '/alcor/v1/nodes/h2')).toMatchObject({
      status: 404,
      body: { NeutronError: { type: 'NodeNotFound' } },
    });
  });

  it.each([
    [{ id: 'a b', ip: '192.0.2.1', agent_address: 'h:1' }, /id/],
    [{ id: 'a', ip: 'here', agent_address: 'h:1' }, /Invalid input for ip\./],
    [{ id: 'a', ip: '192.0.2.1', agent_address: 'nowhere' }, /agent_address/],
    [{ ip: '192.0.2.1', agent_address: 'h:1' }, /Required attribute 'id'/],
  ])('refuse %j', async (attributes, message) => {
    const answer = await client.call('POST', '/alcor/v1/nodes', { node: attributes });
    expect(answer).toMatchObject({ status: 400, body: { NeutronError: { message: expect.stringMatching(message) } } });
  });
});

it('answers 503 when the database is away', async () => {
  await server.server.stop();
  for (const [method, url, body] of [
    ['GET', '/v2.0/networks', undefined],
    ['GET', `/v2.0/networks/${unknownId}`, undefined],
    ['POST', '/v2.0/networks', { network: {} }],
    ['DELETE', `/v2.0/networks/${unknownId}`, undefined],
  ] as const) {
    expect(await client.call(method, url, body)).toMatchObject({
      status: 503,
      body: { NeutronError: { type: 'ServiceUnavailable' } },
    });
  }
});
