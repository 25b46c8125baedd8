import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';
import { type Routed, refusedAs, routedOf } from './testing/routed.ts';

let server: TestServer;
let client: Client;
let routed: Routed;
let outside: { readonly network: Row; readonly subnet: Row };
/** A network whose router leads outside. */
let inside: { readonly network: Row; readonly subnet: Row; readonly router: Row };

const unknownId = '00000000-0000-4000-8000-00000000dead';

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  routed = routedOf(client);
  outside = await routed.net('203.0.113.0/24', { 'router:external': true });
  inside = await insideOf('10.0.0.0/24');
});

afterAll(() => server.close());

async function insideOf(cidr: string): Promise<typeof inside> {
  const nets = await routed.net(cidr);
  const router = await routed.make('router', { external_gateway_info: { network_id: outside.network.id } });
  await routed.add(router.id, { subnet_id: nets.subnet.id });
  return { ...nets, router };
}

const portOn = (network: Row, more: object = {}): Promise<Row> =>
  routed.make('port', { network_id: network.id, ...more });
const addressesOf = (port: Row): readonly string[] =>
  (port['fixed_ips'] as readonly { ip_address: string }[]).map((held) => held.ip_address);
const make = (more: object = {}): Promise<Row> =>
  routed.make('floatingip', { floating_network_id: outside.network.id, ...more });
const ask = (more: object): Promise<Answer> =>
  client.call('POST', '/v2.0/floatingips', { floatingip: { floating_network_id: outside.network.id, ...more } });
const nowhere = { port_id: null, fixed_ip_address: null, router_id: null, status: 'DOWN', port_details: null };

describe('floating IPs', () => {
  it('lead nowhere again by a change that says nothing', async () => {
    const made = await make({ port_id: (await portOn(inside.network)).id });
    expect((await routed.update('floatingip', made.id, {})).body).toMatchObject({ floatingip: nowhere });
  });

  it('do not lead to another project’s port on one’s own network', async () => {
    const by = { 'x-project-id': 'alice', 'x-roles': 'member' };
    const hers = await routed.make('network', { project_id: 'alice' });
    const port = await portOn(hers, { project_id: 'bob' });
    const floatingIp = await make({ project_id: 'alice' });
    const wanted = { floatingip: { port_id: port.id } };
    const moved = await client.call('PUT', `/v2.0/floatingips/${floatingIp.id}`, wanted, by);
    expect(refusedAs(moved)).toEqual([400, 'BadRequest']);
    const fresh = { floatingip: { floating_network_id: outside.network.id, port_id: port.id } };
    expect(refusedAs(await client.call('POST', '/v2.0/floatingips', fresh, by))).toEqual([400, 'BadRequest']);
  });

  it('are made, tied to a port, moved, let go and deleted', async () => {
    const [one, other] = [await portOn(inside.network, { name: 'one' }), await portOn(inside.network)];
    const made = await make();
    expect(made).toMatchObject({ ...nowhere, floating_network_id: outside.network.id, port_forwardings: [] });
    expect(made).not.toHaveProperty('name');
    const external = (await client.call('GET', `/v2.0/ports?device_id=${made.id}`)).body.ports[0];
    expect(external).toMatchObject({ device_owner: 'network:floatingip', project_id: '' });
    expect(refusedAs(await client.call('DELETE', `/v2.0/ports/${external?.id}`))).toEqual([409, 'ServicePortInUse']);

    const tied = await routed.update('floatingip', made.id, { port_id: one.id });
    expect(tied.body).toMatchObject({
      floatingip: {
        port_id: one.id,
        fixed_ip_address: addressesOf(one)[0],
        router_id: inside.router.id,
        status: 'DOWN',
        port_details: { name: 'one', network_id: inside.network.id, mac_address: one['mac_address'], device_id: '' },
      },
    });
    const moved = await routed.update('floatingip', made.id, { port_id: other.id, description: 'd' });
    expect(moved.body).toMatchObject({ floatingip: { port_id: other.id, description: 'd' } });
    const described = await routed.update('floatingip', made.id, { description: 'e' });
    expect(described.body).toMatchObject({ floatingip: { port_id: other.id, description: 'e' } });
    expect((await routed.update('floatingip', made.id, { port_id: null })).body).toMatchObject({ floatingip: nowhere });
    expect((await client.call('DELETE', `/v2.0/floatingips/${made.id}`)).status).toBe(204);
    expect((await client.call('GET', `/v2.0/ports/${external?.id}`)).status).toBe(404);
    expect(refusedAs(await client.call('GET', `/v2.0/floatingips/${made.id}`))).toEqual([404, 'FloatingIPNotFound']);
  });

  it('have the address, or an address of the subnet, asked for', async () => {
    expect(await make({ floating_ip_address: '203.0.113.77' })).toMatchObject({ floating_ip_address: '203.0.113.77' });
    expect(refusedAs(await ask({ floating_ip_address: '203.0.113.77' }))).toEqual([409, 'IpAddressAlreadyAllocated']);
    expect(refusedAs(await ask({ floating_ip_address: '10.0.0.9' }))).toEqual([400, 'InvalidIpForNetwork']);
    expect((await ask({ subnet_id: outside.subnet.id })).status).toBe(201);
    expect((await ask({ subnet_id: inside.subnet.id })).status).toBe(400);
    const port = { network_id: outside.network.id, fixed_ips: [{ ip_address: '203.0.113.77' }] };
    expect((await client.call('POST', '/v2.0/ports', { port })).status).toBe(409);
  });

  it('are had of external networks with IPv4 only', async () => {
    const six = await routed.net('fd00::/64', { 'router:external': true });
    for (const { network } of [inside, six]) {
      expect(refusedAs(await ask({ floating_network_id: network.id }))).toEqual([400, 'BadRequest']);
    }
    expect(refusedAs(await ask({ floating_network_id: unknownId }))).toEqual([404, 'NetworkNotFound']);
  });

  it('are tied only to ports that a router joins to their network', async () => {
    const lone = await routed.net('10.3.0.0/24');
    const port = await portOn(lone.network);
    const { id } = await make();
    const missing = [404, 'ExternalGatewayForFloatingIPNotFound'];
    expect(refusedAs(await ask({ port_id: port.id }))).toEqual(missing);
    expect(refusedAs(await routed.update('floatingip', id, { port_id: port.id }))).toEqual(missing);
    expect(refusedAs(await ask({ port_id: unknownId }))).toEqual([404, 'PortNotFound']);
    expect(refusedAs(await ask({ fixed_ip_address: '10.0.0.9' }))).toEqual([400, 'BadRequest']);
    const bare = await portOn(inside.network, { fixed_ips: [] });
    expect(refusedAs(await ask({ port_id: bare.id }))).toEqual([400, 'BadRequest']);
  });

  it('follow the port to another router', async () => {
    const there = await insideOf('10.5.0.0/24');
    const made = await make({ port_id: (await portOn(inside.network)).id });
    const { body } = await routed.update('floatingip', made.id, { port_id: (await portOn(there.network)).id });
    expect(body).toMatchObject({ floatingip: { router_id: there.router.id } });
  });

  it('name the address where a port has several', async () => {
    const subnet = { subnet_id: inside.subnet.id };
    const port = await portOn(inside.network, { fixed_ips: [subnet, subnet] });
    const [first, second] = addressesOf(port);
    expect(refusedAs(await ask({ port_id: port.id }))).toEqual([400, 'BadRequest']);
    const made = await make({ port_id: port.id, fixed_ip_address: first });
    const moved = { port_id: port.id, fixed_ip_address: second };
    expect((await routed.update('floatingip', made.id, moved)).body).toMatchObject({ floatingip: moved });
    const wrong = { port_id: port.id, fixed_ip_address: '10.0.0.250' };
    expect(refusedAs(await routed.update('floatingip', made.id, wrong))).toEqual([400, 'BadRequest']);
  });

  it('are one for an address, of those tied to it at once', async () => {
    const port = await portOn(inside.network);
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask({ port_id: port.id })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
    expect(refusedAs(await ask({ port_id: port.id }))).toEqual([409, 'FloatingIPPortAlreadyAssociated']);
  });

  it('never have the same address, and end when there is none left', async () => {
    const small = await routed.net('192.0.2.0/28', { 'router:external': true });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ floating_network_id: small.network.id })));
    const made = answers.filter(({ status }) => status === 201).map(({ body }) => body['floatingip'] as unknown as Row);
    expect(new Set(made.map((one) => one['floating_ip_address'])).size).toBe(13);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
  });

  it('lead nowhere again when their port goes, and hold router and addresses until then', async () => {
    const there = await insideOf('10.6.0.0/24');
    const port = await portOn(there.network);
    const made = await make({ port_id: port.id });
    expect(refusedAs(await routed.remove(there.router.id, { subnet_id: there.subnet.id }))).toEqual([
      409,
      'RouterInterfaceInUseByFloatingIP',
    ]);
    expect(refusedAs(await routed.update('router', there.router.id, { external_gateway_info: null }))).toEqual([
      409,
      'RouterExternalGatewayInUseByFloatingIp',
    ]);
    const other = { fixed_ips: [{ subnet_id: there.subnet.id, ip_address: '10.6.0.200' }] };
    expect(refusedAs(await routed.update('port', port.id, other))).toEqual([400, 'BadRequest']);
    expect((await client.call('DELETE', `/v2.0/ports/${port.id}`)).status).toBe(204);
    expect(await routed.show('floatingip', made.id)).toMatchObject(nowhere);
    expect((await routed.remove(there.router.id, { subnet_id: there.subnet.id })).status).toBe(200);
  });

  it('survive a port that goes while it is tied', async () => {
    for (let round = 0; round < 5; round++) {
      const [port, made] = [await portOn(inside.network), await make()];
      await Promise.all([
        client.call('DELETE', `/v2.0/ports/${port.id}`),
        routed.update('floatingip', made.id, { port_id: port.id }),
      ]);
      expect((await client.call('GET', `/v2.0/ports/${port.id}`)).status).toBe(404);
      expect(await routed.show('floatingip', made.id)).toMatchObject(nowhere);
    }
  });

  it('go with their network while nothing is tied to them', async () => {
    const { network } = await routed.net('198.51.100.0/24', { 'router:external': true });
    const { id } = await make({ floating_network_id: network.id });
    expect((await client.call('DELETE', `/v2.0/networks/${network.id}`)).status).toBe(204);
    expect((await client.call('GET', `/v2.0/floatingips/${id}`)).status).toBe(404);
  });

  it('are found by what they are tied to', async () => {
    const port = await portOn(inside.network);
    const { id } = await make({ port_id: port.id });
    for (const filter of [`port_id=${port.id}`, `fixed_ip_address=${addressesOf(port)[0]}`]) {
      const { body } = await client.call(
        'GET',
        `/v2.0/floatingips?${filter}&router_id=${inside.router.id}&status=DOWN`,
      );
      expect(body['floatingips']).toMatchObject([{ id }]);
    }
  });
});

describe('floating IP pools', () => {
  it('are the IPv4 subnets of external networks', async () => {
    const { body } = await client.call('GET', `/v2.0/floatingip-pools?network_id=${outside.network.id}`);
    expect(body['floatingip_pools']).toEqual([
      {
        network_id: outside.network.id,
        subnet_id: outside.subnet.id,
        subnet_name: '',
        cidr: '203.0.113.0/24',
        tenant_id: 'admin',
        project_id: 'admin',
      },
    ]);
    const { body: none } = await client.call('GET', `/v2.0/floatingip-pools?network_id=${inside.network.id}`);
    expect(none['floatingip_pools']).toEqual([]);
    expect((await client.call('GET', `/v2.0/floatingip-pools/${outside.subnet.id}`)).status).toBeGreaterThan(400);
  });
});

const at = (floatingIp: Row, id = ''): string => `/v2.0/floatingips/${floatingIp.id}/port_forwardings${id && `/${id}`}`;
const forward = (floatingIp: Row, attributes: object): Promise<Answer> =>
  client.call('POST', at(floatingIp), { port_forwarding: { protocol: 'tcp', ...attributes } });
const to = (port: Row, more: object = {}) => ({
  internal_port_id: port.id,
  internal_port: 80,
  external_port: 8080,
  ...more,
});

describe('port forwarding', () => {
  it('is made, shown with its floating IP, changed and deleted', async () => {
    const [port, floatingIp] = [await portOn(inside.network), await make()];
    const { status, body } = await forward(floatingIp, to(port, { description: 'web' }));
    const made = body['port_forwarding'] as unknown as Row;
    expect(status).toBe(201);
    expect(made).toEqual({
      id: expect.any(String),
      internal_port_id: port.id,
      internal_ip_address: addressesOf(port)[0],
      internal_port: 80,
      internal_port_range: '80:80',
      external_port: 8080,
      external_port_range: '8080:8080',
      protocol: 'tcp',
      description: 'web',
    });
    expect(await routed.show('floatingip', floatingIp.id)).toMatchObject({
      port_id: null,
      router_id: inside.router.id,
      status: 'DOWN',
      port_forwardings: [{ id: made.id, internal_port: 80, external_port: 8080, protocol: 'tcp' }],
    });
    expect((await client.call('GET', at(floatingIp))).body).toEqual({ port_forwardings: [made] });
    const changed = await client.call('PUT', at(floatingIp, made.id), { port_forwarding: { internal_port: 81 } });
    expect(changed.body).toMatchObject({ port_forwarding: { internal_port: 81, external_port: 8080 } });
    expect(refusedAs(await client.call('DELETE', `/v2.0/floatingips/${floatingIp.id}`))).toEqual([
      409,
      'FipInUseByPortForwarding',
    ]);
    expect(refusedAs(await routed.update('floatingip', floatingIp.id, { port_id: port.id }))).toEqual([
      409,
      'FipInUseByPortForwarding',
    ]);
    expect((await client.call('DELETE', at(floatingIp, made.id))).status).toBe(204);
    expect(refusedAs(await client.call('GET', at(floatingIp, made.id)))).toEqual([404, 'PortForwardingNotFound']);
    expect(await routed.show('floatingip', floatingIp.id)).toMatchObject({ ...nowhere, port_forwardings: [] });
  });

  it('does not forward one port to two, nor two to one', async () => {
    const [one, other, floatingIp] = [await portOn(inside.network), await portOn(inside.network), await make()];
    expect((await forward(floatingIp, to(one))).status).toBe(201);
    expect(refusedAs(await forward(floatingIp, to(other)))).toEqual([400, 'BadRequest']);
    expect(refusedAs(await forward(floatingIp, to(one, { external_port: 9090 })))).toEqual([400, 'BadRequest']);
    expect((await forward(floatingIp, to(other, { protocol: 'UDP' }))).status).toBe(201);
    expect((await forward(await make(), to(other))).status).toBe(201);
  });

  it('of one port asked for at once, is one', async () => {
    const [floatingIp, ...ports] = [
      await make(),
      ...(await Promise.all(Array.from({ length: 5 }, () => portOn(inside.network)))),
    ];
    const range = { internal_port_range: '80:89' };
    const answers = await Promise.all(
      ports.map((port, index) =>
        forward(floatingIp, {
          internal_port_id: port.id,
          ...range,
          external_port_range: `${8000 + index}:${8009 + index}`,
        }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 400, 400, 400, 400]);
    expect(answers.find(({ status }) => status === 201)?.body['port_forwarding']).toMatchObject({
      internal_port: null,
      ...range,
    });
  });

  it('refuses ranges that do not fit, and what is not there', async () => {
    const [port, floatingIp] = [await portOn(inside.network), await make()];
    const ask2 = (more: object) => forward(floatingIp, { internal_port_id: port.id, ...more });
    expect(refusedAs(await ask2({ internal_port_range: '80:81', external_port_range: '80:82' }))[0]).toBe(400);
    expect(refusedAs(await ask2({ internal_port: 80, external_port_range: '82:80' }))[0]).toBe(400);
    expect((await ask2({ external_port: 80 })).body.NeutronError.message).toContain('internal_port');
    expect((await ask2({ internal_port: 0, external_port: 80 })).body.NeutronError.message).toContain('internal_port');
    expect(refusedAs(await forward(floatingIp, to({ id: unknownId })))).toEqual([404, 'PortNotFound']);
    expect(refusedAs(await forward({ id: unknownId }, to(port)))).toEqual([404, 'FloatingIPNotFound']);
    const wrong = to(port, { internal_ip_address: '10.0.0.250' });
    expect(refusedAs(await forward(floatingIp, wrong))).toEqual([400, 'BadRequest']);
    const lone = await portOn((await routed.net('10.3.0.0/24')).network);
    expect(refusedAs(await forward(floatingIp, to(lone)))).toEqual([400, 'BadRequest']);
  });

  it('is not for addresses that a floating IP is tied to', async () => {
    const port = await portOn(inside.network);
    const tied = await make({ port_id: port.id });
    const other = await portOn(inside.network);
    expect(refusedAs(await forward(tied, to(other)))).toEqual([409, 'FloatingIPPortAlreadyAssociated']);
    expect(refusedAs(await forward(await make(), to(port)))).toEqual([409, 'PortHasBindingFloatingIP']);
  });

  it('ends when its port goes, or loses the address', async () => {
    const floatingIp = await make();
    const subnet = { subnet_id: inside.subnet.id };
    const port = await portOn(inside.network, { fixed_ips: [subnet, subnet] });
    const [first = '', second = ''] = addressesOf(port);
    await forward(floatingIp, to(port, { internal_ip_address: first }));
    await forward(floatingIp, to(port, { internal_ip_address: second, external_port: 81 }));
    await routed.update('port', port.id, { fixed_ips: [{ ip_address: first }] });
    expect((await routed.show('floatingip', floatingIp.id))['port_forwardings']).toHaveLength(1);
    await client.call('DELETE', `/v2.0/ports/${port.id}`);
    expect(await routed.show('floatingip', floatingIp.id)).toMatchObject({ ...nowhere, port_forwardings: [] });
  });

  it('keeps the router’s interface', async () => {
    const there = await insideOf('10.7.0.0/24');
    const [port, floatingIp] = [await portOn(there.network), await make()];
    await forward(floatingIp, to(port));
    expect(refusedAs(await routed.remove(there.router.id, { subnet_id: there.subnet.id }))).toEqual([
      409,
      'RouterInterfaceInUseByFloatingIP',
    ]);
  });
});
