import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, type Row, clientOf } from './testing/client.ts';
import { type Routed, refusedAs, routedOf } from './testing/routed.ts';

let server: TestServer;
let client: Client;
let routed: Routed;
let outside: { readonly network: Row; readonly subnet: Row };

const unknownId = '00000000-0000-4000-8000-00000000dead';

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  routed = routedOf(client);
  outside = await routed.net('203.0.113.0/24', { name: 'public', 'router:external': true }, { enable_dhcp: false });
});

afterAll(() => server.close());

const gatewayTo = (network: Row, more: object = {}) => ({
  external_gateway_info: { network_id: network.id, ...more },
});
const portsOf = async (deviceId: string): Promise<readonly Row[]> =>
  (await client.call('GET', `/v2.0/ports?device_id=${deviceId}`)).body.ports;

describe('external networks', () => {
  it('are found by router:external, and are private again once nothing needs them', async () => {
    const network = await routed.make('network', { 'router:external': true });
    expect(network).toMatchObject({ 'router:external': true, is_default: false });
    const list = await client.call('GET', '/v2.0/networks?router:external=True');
    expect(list.body.networks.map(({ id }) => id)).toEqual([outside.network.id, network.id]);
    expect((await routed.update('network', network.id, { 'router:external': false })).status).toBe(200);
  });

  it('stay external while a gateway is on them', async () => {
    const { network } = await routed.net('198.51.100.0/24', { 'router:external': true });
    const router = await routed.make('router', gatewayTo(network));
    expect(refusedAs(await routed.update('network', network.id, { 'router:external': false }))).toEqual([
      409,
      'ExternalNetworkInUse',
    ]);
    await client.call('DELETE', `/v2.0/routers/${router.id}`);
    expect((await routed.update('network', network.id, { 'router:external': false })).status).toBe(200);
  });

  it('have one default among them', async () => {
    const network = { 'router:external': true, is_default: true };
    const made = await Promise.all(Array.from({ length: 4 }, () => client.call('POST', '/v2.0/networks', { network })));
    expect(made.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
    expect(refusedAs(await routed.update('network', outside.network.id, { is_default: true }))).toEqual([
      409,
      'DefaultExternalNetworkExists',
    ]);
    const id = made.find(({ status }) => status === 201)?.body.network.id ?? '';
    expect((await routed.update('network', id, { 'router:external': false })).body.network['is_default']).toBe(false);
    const wrong = await client.call('POST', '/v2.0/networks', { network: { is_default: true } });
    expect(refusedAs(wrong)).toEqual([400, 'InvalidInput']);
  });
});

describe('routers', () => {
  it('are made with Neutron’s defaults, changed and deleted', async () => {
    const router = await routed.make('router', { name: 'r' });
    expect(router).toMatchObject({
      name: 'r',
      admin_state_up: true,
      status: 'ACTIVE',
      external_gateway_info: null,
      routes: [],
      distributed: false,
      ha: false,
      availability_zone_hints: [],
      availability_zones: ['nova'],
      revision_number: 1,
    });
    const changed = await routed.update('router', router.id, { name: 's', admin_state_up: false });
    expect(changed.body).toMatchObject({ router: { name: 's', admin_state_up: false, revision_number: 2 } });
    expect((await client.call('DELETE', `/v2.0/routers/${router.id}`)).status).toBe(204);
    expect(refusedAs(await client.call('GET', `/v2.0/routers/${router.id}`))).toEqual([404, 'RouterNotFound']);
  });

  it('are made in bulk, all or none', async () => {
    const bulk = (second: object) =>
      client.call('POST', '/v2.0/routers', { routers: [{ name: 'bulk' }, second, gatewayTo(outside.network)] });
    const refused = await bulk(gatewayTo({ id: unknownId }));
    expect(refusedAs(refused)).toEqual([404, 'NetworkNotFound']);
    expect(refused.body.NeutronError.detail).toContain('Item 1');
    expect((await client.call('GET', '/v2.0/routers?name=bulk')).body).toMatchObject({ routers: [] });
    expect((await bulk({})).status).toBe(201);
  });

  it('change how they are realised only while they are down', async () => {
    const router = await routed.make('router', {});
    for (const mode of ['distributed', 'ha']) {
      expect(refusedAs(await routed.update('router', router.id, { [mode]: true }))).toEqual([400, 'BadRequest']);
    }
    const { subnet } = await routed.net('10.9.0.0/24');
    await routed.add(router.id, { subnet_id: subnet.id });
    await routed.update('router', router.id, { admin_state_up: false });
    const { body } = await routed.update('router', router.id, { distributed: true });
    expect(body).toMatchObject({ router: { distributed: true } });
    expect(await portsOf(router.id)).toMatchObject([{ device_owner: 'network:router_interface_distributed' }]);
  });
});

describe('gateways', () => {
  it('have a port on the external network, which goes with them', async () => {
    const router = await routed.make('router', gatewayTo(outside.network));
    const [port] = await portsOf(router.id);
    expect(port).toMatchObject({
      device_owner: 'network:router_gateway',
      network_id: outside.network.id,
      project_id: '',
    });
    expect(router['external_gateway_info']).toEqual({
      qos_policy_id: null,
      network_id: outside.network.id,
      enable_snat: true,
      external_fixed_ips: port?.['fixed_ips'],
    });
    expect(refusedAs(await client.call('DELETE', `/v2.0/ports/${port?.id}`))).toEqual([409, 'ServicePortInUse']);
    expect((await routed.update('router', router.id, { external_gateway_info: {} })).body).toMatchObject({
      router: { external_gateway_info: null },
    });
    expect(await portsOf(router.id)).toEqual([]);
  });

  it('have the addresses asked for, and SNAT or not', async () => {
    const at = (address: string) => [{ subnet_id: outside.subnet.id, ip_address: address }];
    const wish = { enable_snat: false, external_fixed_ips: at('203.0.113.200') };
    const router = await routed.make('router', gatewayTo(outside.network, wish));
    expect(router['external_gateway_info']).toEqual({ network_id: outside.network.id, qos_policy_id: null, ...wish });
    const twin = await client.call('POST', '/v2.0/routers', { router: gatewayTo(outside.network, wish) });
    expect(refusedAs(twin)).toEqual([409, 'IpAddressAlreadyAllocated']);
    const moved = await routed.update(
      'router',
      router.id,
      gatewayTo(outside.network, { external_fixed_ips: at('203.0.113.201') }),
    );
    expect(moved.body).toMatchObject({
      router: { external_gateway_info: { enable_snat: true, external_fixed_ips: at('203.0.113.201') } },
    });
    const own = { external_fixed_ips: at('203.0.113.1') };
    expect(refusedAs(await routed.update('router', router.id, gatewayTo(outside.network, own)))).toEqual([
      400,
      'BadRequest',
    ]);
  });

  it('are on external networks only', async () => {
    const { network } = await routed.net('10.8.0.0/24');
    const router = await routed.make('router', {});
    expect(refusedAs(await routed.update('router', router.id, gatewayTo(network)))).toEqual([400, 'BadRequest']);
    expect(refusedAs(await routed.update('router', router.id, gatewayTo({ id: unknownId })))).toEqual([
      404,
      'NetworkNotFound',
    ]);
    const wrong = await routed.update('router', router.id, { external_gateway_info: { enable_snat: true } });
    expect(wrong.body.NeutronError.message).toContain('external_gateway_info');
  });

  it('are one for each router, whoever sets them at once', async () => {
    const router = await routed.make('router', {});
    const other = await routed.net('192.0.2.0/24', { 'router:external': true });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        routed.update('router', router.id, gatewayTo(index % 2 === 0 ? outside.network : other.network)),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await portsOf(router.id)).toHaveLength(1);
  });
});

describe('interfaces', () => {
  it('take the subnet’s gateway address, and give it back', async () => {
    const { network, subnet } = await routed.net('10.1.0.0/24');
    const router = await routed.make('router', {});
    const added = await routed.add(router.id, { subnet_id: subnet.id });
    const [port] = await portsOf(router.id);
    expect(added).toMatchObject({
      status: 200,
      body: { id: router.id, network_id: network.id, port_id: port?.id, subnet_id: subnet.id, subnet_ids: [subnet.id] },
    });
    expect(port).toMatchObject({
      device_owner: 'network:router_interface',
      status: 'ACTIVE',
      fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.1.0.1' }],
    });
    const mine = { port: { network_id: network.id, fixed_ips: [{ ip_address: '10.1.0.1' }] } };
    expect((await client.call('POST', '/v2.0/ports', mine)).status).toBe(409);
    expect(await routed.remove(router.id, { subnet_id: subnet.id })).toMatchObject({ body: { port_id: port?.id } });
    expect((await client.call('GET', `/v2.0/ports/${port?.id}`)).status).toBe(404);
    expect((await routed.add(router.id, { subnet_id: subnet.id })).status).toBe(200);
  });

  it('hold the router, the subnet, its gateway and their own port', async () => {
    const { subnet } = await routed.net('10.1.0.0/24');
    const router = await routed.make('router', {});
    await routed.add(router.id, { subnet_id: subnet.id });
    const [port] = await portsOf(router.id);
    const path = `/v2.0/ports/${port?.id}`;
    expect(refusedAs(await client.call('DELETE', `/v2.0/routers/${router.id}`))).toEqual([409, 'RouterInUse']);
    expect(refusedAs(await client.call('DELETE', `/v2.0/subnets/${subnet.id}`))).toEqual([409, 'SubnetInUse']);
    expect(refusedAs(await routed.update('subnet', subnet.id, { gateway_ip: '10.1.0.2' }))[0]).toBe(409);
    expect(refusedAs(await routed.update('subnet', subnet.id, { gateway_ip: null }))).toEqual([409, 'GatewayIpInUse']);
    expect(refusedAs(await client.call('DELETE', path))).toEqual([409, 'ServicePortInUse']);
    expect((await client.call('PUT', path, { port: { fixed_ips: [{ subnet_id: subnet.id }] } })).status).toBe(200);
    for (const change of [{ fixed_ips: [] }, { device_id: '' }, { device_owner: 'compute:nova' }]) {
      expect(refusedAs(await client.call('PUT', path, { port: change }))).toEqual([400, 'BadRequest']);
    }
    expect((await client.call('PUT', path, { port: { name: 'mine' } })).status).toBe(200);
  });

  it('are refused where subnets overlap, or the router is there already', async () => {
    const one = await routed.net('10.1.0.0/16');
    const other = await routed.net('10.1.2.0/24');
    const router = await routed.make('router', {});
    await routed.add(router.id, { subnet_id: one.subnet.id });
    for (const { subnet } of [one, other]) {
      expect(refusedAs(await routed.add(router.id, { subnet_id: subnet.id }))).toEqual([400, 'BadRequest']);
    }
    const second = await routed.make('router', {});
    expect(refusedAs(await routed.add(second.id, { subnet_id: one.subnet.id }))).toEqual([
      409,
      'IpAddressAlreadyAllocated',
    ]);
  });

  it('of overlapping subnets added at once, are one', async () => {
    const router = await routed.make('router', {});
    const nets = await Promise.all(Array.from({ length: 5 }, () => routed.net('10.4.0.0/24')));
    const answers = await Promise.all(nets.map(({ subnet }) => routed.add(router.id, { subnet_id: subnet.id })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400, 400]);
    expect(await portsOf(router.id)).toHaveLength(1);
  });

  it('to one subnet, of many routers at once, are one', async () => {
    const { subnet } = await routed.net('10.4.0.0/24');
    const routers = await Promise.all(Array.from({ length: 5 }, () => routed.make('router', {})));
    const answers = await Promise.all(routers.map(({ id }) => routed.add(id, { subnet_id: subnet.id })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409]);
  });

  it('may be a port that is made already, and has no device', async () => {
    const { network, subnet } = await routed.net('10.1.0.0/24');
    const router = await routed.make('router', {});
    const port = await routed.make('port', { network_id: network.id });
    expect(await routed.add(router.id, { port_id: port.id })).toMatchObject({ body: { subnet_id: subnet.id } });
    expect(await routed.show('port', port.id)).toMatchObject({
      device_id: router.id,
      device_owner: 'network:router_interface',
    });
    expect(refusedAs(await routed.add(router.id, { port_id: port.id }))).toEqual([409, 'PortInUse']);
    expect(refusedAs(await routed.remove(router.id, { port_id: unknownId }))).toEqual([404, 'RouterInterfaceNotFound']);
    const elsewhere = await routed.net('10.2.0.0/24');
    expect(refusedAs(await routed.remove(router.id, { port_id: port.id, subnet_id: elsewhere.subnet.id }))).toEqual([
      400,
      'SubnetMismatchForPort',
    ]);
    expect((await routed.remove(router.id, { port_id: port.id, subnet_id: subnet.id })).status).toBe(200);
    expect((await client.call('GET', `/v2.0/ports/${port.id}`)).status).toBe(404);
  });

  it('say what is wrong with the request', async () => {
    const router = await routed.make('router', {});
    const { network, subnet } = await routed.net('10.1.0.0/24', {}, { gateway_ip: null });
    const bare = await routed.make('port', { network_id: network.id, fixed_ips: [] });
    expect(refusedAs(await routed.add(router.id, {}))).toEqual([400, 'BadRequest']);
    expect(refusedAs(await routed.add(router.id, { port_id: 'port' }))[0]).toBe(400);
    expect(refusedAs(await routed.add(router.id, { port_id: bare.id, subnet_id: subnet.id }))[0]).toBe(400);
    expect(refusedAs(await routed.add(router.id, { port_id: bare.id }))).toEqual([400, 'BadRequest']);
    expect(refusedAs(await routed.add(router.id, { subnet_id: subnet.id }))).toEqual([400, 'BadRequest']);
    expect(refusedAs(await routed.add(router.id, { port_id: unknownId }))).toEqual([404, 'PortNotFound']);
    expect(refusedAs(await routed.add(router.id, { subnet_id: unknownId }))).toEqual([404, 'SubnetNotFound']);
    expect(refusedAs(await routed.remove(router.id, { subnet_id: subnet.id }))).toEqual([
      404,
      'RouterInterfaceNotFoundForSubnet',
    ]);
    expect(refusedAs(await routed.add(unknownId, { subnet_id: subnet.id }))).toEqual([404, 'RouterNotFound']);
  });

  it('share one port where a network has several IPv6 subnets', async () => {
    const { network, subnet } = await routed.net('fd00:1::/64');
    const more = { network_id: network.id, ip_version: 6, cidr: 'fd00:2::/64' };
    const second = await routed.make('subnet', more);
    const router = await routed.make('router', {});
    const first = await routed.add(router.id, { subnet_id: subnet.id });
    expect((await routed.add(router.id, { subnet_id: second.id })).body['port_id']).toBe(first.body['port_id']);
    const addresses = ['fd00:1::1', 'fd00:2::1'].map((address) => expect.objectContaining({ ip_address: address }));
    expect(await portsOf(router.id)).toMatchObject([{ fixed_ips: addresses }]);
    await routed.remove(router.id, { subnet_id: subnet.id });
    expect(await portsOf(router.id)).toMatchObject([{ fixed_ips: [{ ip_address: 'fd00:2::1' }] }]);
    expect((await client.call('DELETE', `/v2.0/subnets/${subnet.id}`)).status).toBe(204);
    await routed.remove(router.id, { subnet_id: second.id });
    expect(await portsOf(router.id)).toEqual([]);
  });

  it('cannot be feigned by another project’s port', async () => {
    const { network } = await routed.net('10.1.0.0/24');
    const router = await routed.make('router', { project_id: 'theirs' });
    const port = {
      network_id: network.id,
      project_id: 'mine',
      device_id: router.id,
      device_owner: 'network:router_interface',
    };
    expect(refusedAs(await client.call('POST', '/v2.0/ports', { port }))).toEqual([409, 'DeviceIDNotOwnedByTenant']);
  });
});

const route = (n: number) => ({ destination: `10.5.${n}.0/24`, nexthop: '10.1.0.7' });

describe('extra routes', () => {
  it('lead to what the router reaches, and nowhere else', async () => {
    const { subnet } = await routed.net('10.1.0.0/24');
    const router = await routed.make('router', {});
    await routed.add(router.id, { subnet_id: subnet.id });
    const routes = [{ destination: '10.5.0.0/16', nexthop: '10.1.0.7' }];
    expect((await routed.update('router', router.id, { routes })).body).toMatchObject({ router: { routes } });
    for (const nexthop of ['10.2.0.7', '10.1.0.1', 'fd00::1']) {
      const wrong = await routed.update('router', router.id, { routes: [{ destination: '10.5.0.0/16', nexthop }] });
      expect(refusedAs(wrong)).toEqual([400, 'InvalidRoutes']);
    }
    const many = Array.from({ length: 31 }, (_, n) => ({ destination: `10.6.${n}.0/24`, nexthop: '10.1.0.7' }));
    expect(refusedAs(await routed.update('router', router.id, { routes: many }))).toEqual([400, 'RoutesExhausted']);
    const twice = await routed.update('router', router.id, { routes: [...routes, ...routes] });
    expect(twice.body.NeutronError.message).toContain('Invalid input for routes');
    expect(refusedAs(await routed.remove(router.id, { subnet_id: subnet.id }))).toEqual([
      409,
      'RouterInterfaceInUseByRoute',
    ]);
    expect((await routed.update('router', router.id, { routes: null })).body).toMatchObject({ router: { routes: [] } });
    expect((await routed.remove(router.id, { subnet_id: subnet.id })).status).toBe(200);
  });

  it('are added and removed one by one, also by many at once', async () => {
    const { subnet } = await routed.net('10.1.0.0/24');
    const router = await routed.make('router', {});
    await routed.add(router.id, { subnet_id: subnet.id });
    const change = (verb: string, routes: readonly object[]) =>
      client.call('PUT', `/v2.0/routers/${router.id}/${verb}_extraroutes`, { router: { routes } });
    await Promise.all(Array.from({ length: 10 }, (_, n) => change('add', [route(n), route(0)])));
    expect((await routed.show('router', router.id))['routes']).toHaveLength(10);
    const { body } = await change('remove', [route(0), route(1), route(77)]);
    expect(body).toMatchObject({ router: { id: router.id } });
    expect((await routed.show('router', router.id))['routes']).toHaveLength(8);
  });
});

describe('a project', () => {
  type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
  const by = (project: string) => (method: Method, path: string, body?: unknown) =>
    client.call(method, `/v2.0${path}`, body, { 'x-project-id': project, 'x-roles': 'member,reader' });
  const [alice, bob] = [by('alice'), by('bob')];

  it('has routers and floating IPs of its own, and reaches nobody else’s', async () => {
    const gateway = gatewayTo(outside.network);
    const router = (await alice('POST', '/routers', { router: gateway })).body['router'] as unknown as Row;
    expect(router).toMatchObject({ project_id: 'alice' });
    expect(router).not.toHaveProperty('distributed');
    expect((await bob('GET', `/routers/${router.id}`)).status).toBe(404);
    const hers = await routed.net('10.1.0.0/24', { project_id: 'alice' }, { project_id: 'alice' });
    const his = await routed.net('10.2.0.0/24', { project_id: 'bob' }, { project_id: 'bob' });
    const interfaces = `/routers/${router.id}/add_router_interface`;
    expect(refusedAs(await alice('PUT', interfaces, { subnet_id: his.subnet.id }))).toEqual([404, 'SubnetNotFound']);
    expect((await alice('PUT', interfaces, { subnet_id: hers.subnet.id })).status).toBe(200);
    const [mine, theirs] = [
      await routed.make('port', { network_id: hers.network.id, project_id: 'alice' }),
      await routed.make('port', { network_id: his.network.id, project_id: 'bob' }),
    ];
    const ask = (more: object) =>
      alice('POST', '/floatingips', { floatingip: { floating_network_id: outside.network.id, ...more } });
    expect(refusedAs(await ask({ port_id: theirs.id }))).toEqual([404, 'PortNotFound']);
    expect((await ask({ floating_ip_address: '203.0.113.99' })).status).toBe(403);
    const made = (await ask({})).body['floatingip'] as unknown as Row;
    const forwarding = { internal_port_id: mine.id, internal_port: 22, external_port: 2222, protocol: 'tcp' };
    const path = `/floatingips/${made.id}/port_forwardings`;
    expect((await alice('POST', path, { port_forwarding: forwarding })).status).toBe(201);
    expect((await alice('GET', path)).body['port_forwardings']).toHaveLength(1);
    expect((await bob('GET', path)).status).toBe(404);
  });

  it('is refused what only the administrator sets', async () => {
    for (const more of [{ distributed: true }, { ha: true }, gatewayTo(outside.network, { enable_snat: false })]) {
      expect((await alice('POST', '/routers', { router: more })).status).toBe(403);
    }
    expect((await alice('POST', '/networks', { network: { 'router:external': true } })).status).toBe(403);
  });
});
