import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';
import { makeAt } from './testing/needs.ts';
import { type Routed, refusedAs, routedOf } from './testing/routed.ts';

let server: TestServer;
let client: Client;
let routed: Routed;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  routed = routedOf(client);
});

afterAll(() => server.close());

const post = (path: string, body: object): Promise<Answer> => client.call('POST', `/v2.0${path}`, body);
const put = (path: string, body: object): Promise<Answer> => client.call('PUT', `/v2.0${path}`, body);
const remove = (path: string): Promise<Answer> => client.call('DELETE', `/v2.0${path}`);

const ask = (attributes: object): Promise<Answer> => post('/ndp_proxies', { ndp_proxy: attributes });
const ipOf = (port: Row): string => (port['fixed_ips'] as readonly { ip_address: string }[])[0]?.ip_address ?? '';
const on = (one: { router: Row }, another: { port: Row }, more: object = {}): Promise<Answer> =>
  ask({ router_id: one.router.id, port_id: another.port.id, ...more });

describe('NDP proxies', () => {
  let pool: Row;
  let outside: Row;

  beforeAll(async () => {
    const scope = await makeAt(client, '/v2.0/address-scopes', 'address_scope', { ip_version: 6 });
    pool = await makeAt(client, '/v2.0/subnetpools', 'subnetpool', {
      prefixes: ['2001:db8::/48'],
      default_prefixlen: 64,
      address_scope_id: scope.id,
    });
    outside = await routed.make('network', { 'router:external': true });
    await subnetOn(outside);
  });

  const subnetOn = (network: Row, more: object = { subnetpool_id: pool.id }): Promise<Row> =>
    routed.make('subnet', { network_id: network.id, ip_version: 6, ...more });

  /** A router with that gateway on a new network, and a port there. */
  const routedPort = async (subnet?: object): Promise<{ router: Row; port: Row; subnet: Row }> => {
    const network = await routed.make('network', {});
    const made = await subnetOn(network, subnet);
    const gateway = { network_id: outside.id };
    const router = await routed.make('router', { external_gateway_info: gateway, enable_ndp_proxy: true });
    await routed.add(router.id, { subnet_id: made.id });
    return { router, port: await routed.make('port', { network_id: network.id }), subnet: made };
  };

  it('stand for a port’s address, until it goes; what they rest on stays', async () => {
    const { router, port, subnet } = await routedPort();
    const { status, body } = await ask({ name: 'one', router_id: router.id, port_id: port.id });
    const proxy = (body as unknown as { ndp_proxy: Row }).ndp_proxy;
    expect([status, proxy]).toMatchObject([201, { name: 'one', ip_address: ipOf(port), revision_number: 1 }]);
    expect((await put(`/ndp_proxies/${proxy.id}/tags`, { tags: ['red'] })).status).toBe(200);
    const changed = await put(`/ndp_proxies/${proxy.id}`, { ndp_proxy: { name: 'two' } });
    expect(changed.body).toMatchObject({ ndp_proxy: { name: 'two', tags: ['red'], ip_address: ipOf(port) } });
    expect(refusedAs(await routed.remove(router.id, { subnet_id: subnet.id }))).toEqual([
      409,
      'RouterInterfaceInUseByNDPProxy',
    ]);
    expect(refusedAs(await routed.update('router', router.id, { external_gateway_info: {} }))).toEqual([
      409,
      'RouterGatewayInUseByNDPProxy',
    ]);
    expect((await remove(`/ports/${port.id}`)).status).toBe(204);
    expect(refusedAs(await remove(`/ndp_proxies/${proxy.id}`))).toEqual([404, 'NDPProxyNotFound']);
    expect((await routed.update('router', router.id, { external_gateway_info: {} })).body).toMatchObject({
      router: { enable_ndp_proxy: false },
    });
  });

  it('are part of their port: one more or less is a change of it', async () => {
    const { router, port } = await routedPort();
    const revision = async (): Promise<number> =>
      ((await client.call('GET', `/v2.0/ports/${port.id}`)).body as unknown as { port: { revision_number: number } })
        .port.revision_number;
    const before = await revision();
    const { body } = await ask({ router_id: router.id, port_id: port.id });
    expect(await revision()).toBe(before + 1);
    const { id } = (body as unknown as { ndp_proxy: Row }).ndp_proxy;
    expect((await remove(`/ndp_proxies/${id}`)).status).toBe(204);
    expect(await revision()).toBe(before + 2);
  });

  it('go when their port loses the address', async () => {
    const { router, port } = await routedPort();
    const { body } = await ask({ router_id: router.id, port_id: port.id, ip_address: ipOf(port) });
    await routed.update('port', port.id, { fixed_ips: [] });
    const { id } = (body as unknown as { ndp_proxy: Row }).ndp_proxy;
    expect((await client.call('GET', `/v2.0/ndp_proxies/${id}`)).status).toBe(404);
  });

  it('need a router that allows them, reaches the address and is outside in the same scope', async () => {
    const { router, port } = await routedPort();
    const other = await routedPort();
    const elsewhere = await routedPort({ cidr: '2001:db8:1::/64' });
    expect(refusedAs(await on({ router }, other))).toEqual([409, 'PortUnreachableRouter']);
    expect(refusedAs(await on({ router }, { port }, { ip_address: '2001:db8::1' }))).toEqual([400, 'InvalidAddress']);
    expect(refusedAs(await on({ router }, other, { ip_address: ipOf(other.port) }))).toEqual([400, 'InvalidAddress']);
    expect(refusedAs(await on(elsewhere, elsewhere))).toEqual([409, 'AddressScopeConflict']);
    await routed.update('router', router.id, { enable_ndp_proxy: false });
    expect(refusedAs(await on({ router }, { port }))).toEqual([409, 'RouterNDPProxyNotEnable']);
  });

  it('need a gateway of IPv6 in an address scope', async () => {
    const unscoped = await routed.net('2001:db8:2::/64', { 'router:external': true });
    const old = await routed.net('203.0.113.0/24', { 'router:external': true });
    const refused = [409, 'RouterGatewayNotValid'];
    for (const network of [unscoped.network, old.network]) {
      const wanted = { enable_ndp_proxy: true, external_gateway_info: { network_id: network.id } };
      expect(refusedAs(await post('/routers', { router: wanted }))).toEqual(refused);
      const router = await routed.make('router', {});
      expect(refusedAs(await routed.update('router', router.id, wanted))).toEqual(refused);
    }
    expect(refusedAs(await post('/routers', { router: { enable_ndp_proxy: true } }))).toEqual(refused);
    const both = { enable_ndp_proxy: true, external_gateway_info: {} };
    const router = await routed.make('router', { external_gateway_info: { network_id: outside.id } });
    expect(refusedAs(await routed.update('router', router.id, both))).toEqual(refused);
  });

  it('keep the gateway’s IPv6 address, and end with the move to another network', async () => {
    const mixed = await routed.net('203.0.113.0/24', { 'router:external': true });
    const six = await subnetOn(mixed.network);
    const gateway = (...subnets: readonly Row[]): Readonly<Record<string, unknown>> => ({
      external_gateway_info: {
        network_id: mixed.network.id,
        external_fixed_ips: subnets.map(({ id }) => ({ subnet_id: id })),
      },
    });
    const router = await routed.make('router', { ...gateway(mixed.subnet, six), enable_ndp_proxy: true });
    expect(refusedAs(await routed.update('router', router.id, gateway(mixed.subnet)))).toEqual([
      409,
      'RouterIPv6GatewayInUse',
    ]);
    const old = await routed.net('203.0.113.0/24', { 'router:external': true });
    const moved = await routed.update('router', router.id, { external_gateway_info: { network_id: old.network.id } });
    expect(moved.body).toMatchObject({ router: { enable_ndp_proxy: false } });
  });
});
