import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { clientOf } from './testing/client.ts';
import { type Routed, routedOf } from './testing/routed.ts';

let server: TestServer;
let routed: Routed;
let destroy: (path: string) => Promise<number>;

beforeAll(async () => {
  server = await startTestServer();
  const client = clientOf(await server.openFresh());
  routed = routedOf(client);
  destroy = async (path) => (await client.call('DELETE', path)).status;
});

afterAll(() => server.close());

const revisionOf = async (singular: string, id: string): Promise<number> =>
  (await routed.show(singular, id))['revision_number'] as number;

it('a network has another revision once a subnet is put on it, and once it is gone again', async () => {
  const network = await routed.make('network', {});
  const subnet = await routed.make('subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' });
  expect(await revisionOf('network', network.id)).toBe(2);
  expect(await destroy(`/v2.0/subnets/${subnet.id}`)).toBe(204);
  expect(await revisionOf('network', network.id)).toBe(3);
});

it('a router has another revision once it is put on a subnet, and once it is taken off', async () => {
  const { network, subnet } = await routed.net('10.0.0.0/24');
  const router = await routed.make('router', {});
  await routed.add(router.id, { subnet_id: subnet.id });
  expect(await revisionOf('router', router.id)).toBe(2);
  await routed.remove(router.id, { subnet_id: subnet.id });
  expect(await revisionOf('router', router.id)).toBe(3);
  const port = await routed.make('port', { network_id: network.id });
  await routed.add(router.id, { port_id: port.id });
  expect(await revisionOf('router', router.id)).toBe(4);
});

it('a router has another revision for each IPv6 subnet of one port', async () => {
  const { network, subnet } = await routed.net('2001:db8:1::/64');
  const second = await routed.make('subnet', { network_id: network.id, ip_version: 6, cidr: '2001:db8:2::/64' });
  const router = await routed.make('router', {});
  await routed.add(router.id, { subnet_id: subnet.id });
  await routed.add(router.id, { subnet_id: second.id });
  expect(await revisionOf('router', router.id)).toBe(3);
  await routed.remove(router.id, { subnet_id: second.id });
  expect(await revisionOf('router', router.id)).toBe(4);
});
