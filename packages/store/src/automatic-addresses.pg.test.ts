import { eui64Address, parseCidr } from '@alcor/network';
import type { CreateSubnet, NetworkId, NetworkView, PortView, Subnet } from '@alcor/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from './store.ts';
import { startTestServer } from './testing/region.ts';
import type { TestServer, TestStore } from './testing/region.ts';

let server: TestServer;
let store: TestStore;

beforeAll(async () => {
  server = await startTestServer();
  store = await server.openFresh();
});

afterAll(() => server.close());

const slaac = { ipv6RaMode: 'slaac', ipv6AddressMode: 'slaac' } as const;

async function makeNetwork(): Promise<NetworkView> {
  const [network] = await store.networks.create([{ projectId: 'p' }]);
  return network!;
}

async function makeSubnet(
  network: { readonly id: NetworkId },
  cidr: string,
  more: Partial<CreateSubnet> = {},
): Promise<Subnet> {
  const [subnet] = await store.subnets.create([{ projectId: 'p', networkId: network.id, cidr, ...more }]);
  return subnet!;
}

async function makePort(network: { readonly id: NetworkId }, more: object = {}, on: Store = store): Promise<PortView> {
  const [port] = await on.ports.create([{ projectId: 'p', networkId: network.id, ...more }]);
  return port!;
}

const ipsOf = (port: PortView): readonly string[] => port.fixedIps.map(({ ip }) => ip);
/** The port's own addresses in fd00:1::/64 and fd00:2::/64. */
const automatic = (port: PortView) => [own('fd00:1::/64', port), own('fd00:2::/64', port)];
const own = (cidr: string, { mac }: PortView): string => eui64Address(parseCidr(cidr)!, mac);

it('every port has an address of its own making in each such subnet, whatever else it asks for', async () => {
  const network = await makeNetwork();
  const four = await makeSubnet(network, '10.0.0.0/24');
  await makeSubnet(network, 'fd00:1::/64', slaac);
  await makeSubnet(network, 'fd00:2::/64', { ipv6AddressMode: 'dhcpv6-stateless' });
  const stateful = await makeSubnet(network, 'fd00:3::/64', { ipv6AddressMode: 'dhcpv6-stateful' });
  const plain = await makePort(network);
  expect(ipsOf(plain)).toEqual(['10.0.0.2', 'fd00:3::2', ...automatic(plain)]);
  const none = await makePort(network, { fixedIps: [] });
  expect(ipsOf(none)).toEqual(automatic(none));
  const other = await makePort(network, { fixedIps: [{ subnetId: four.id }, { subnetId: stateful.id }] });
  expect(ipsOf(other)).toEqual(['10.0.0.3', 'fd00:3::3', ...automatic(other)]);
});

it('an address in such a subnet cannot be asked for by name, but kept; asking for the subnet changes nothing', async () => {
  const network = await makeNetwork();
  const subnet = await makeSubnet(network, 'fd00::/64', slaac);
  await expect(makePort(network, { fixedIps: [{ ip: 'fd00::7' }] })).rejects.toMatchObject({
    code: 'AllocationOnAutoAddressSubnet',
  });
  const port = await makePort(network, { fixedIps: [{ subnetId: subnet.id }] });
  expect(ipsOf(port)).toEqual([own('fd00::/64', port)]);
  const echoed = await store.ports.update(port.id, { fixedIps: port.fixedIps });
  expect(echoed.revision).toBe(1);
  expect(ipsOf(await store.ports.update(port.id, { fixedIps: [] }))).toEqual(ipsOf(port));
});

it('a router’s interface takes the address that it asks for, and no other', async () => {
  const network = await makeNetwork();
  await makeSubnet(network, 'fd00::/64', { ...slaac, gatewayIp: null });
  const router = { deviceOwner: 'network:router_interface', fixedIps: [{ ip: 'fd00::1' }] };
  expect(ipsOf(await makePort(network, router))).toEqual(['fd00::1']);
});

it('ports that exist get their addresses when the subnet is made, and lose them when it goes', async () => {
  const network = await makeNetwork();
  const before = [
    await makePort(network),
    await makePort(network, { mac: '02:00:00:00:00:01' }),
    await makePort(network, { mac: '00:00:5e:00:53:af' }),
  ];
  const router = await makePort(network, { deviceOwner: 'network:router_interface' });
  const subnet = await makeSubnet(network, 'fd00:0:0:7::/64', slaac);
  for (const { id } of before) {
    const port = await store.ports.get(id);
    expect(ipsOf(port)).toEqual([own('fd00:0:0:7::/64', port)]);
    expect(port.revision).toBe(2);
  }
  expect(ipsOf(await store.ports.get(router.id))).toEqual([]);
  await store.subnets.delete(subnet.id);
  expect(ipsOf(await store.ports.get(before[0]!.id))).toEqual([]);
  await expect(store.networks.delete(network.id)).rejects.toMatchObject({ code: 'NetworkInUse' });
});

it('such a subnet does not go while a router is attached', async () => {
  const network = await makeNetwork();
  const subnet = await makeSubnet(network, 'fd00::/64', slaac);
  await makePort(network, { deviceOwner: 'network:router_interface', fixedIps: [{ ip: 'fd00::2' }] });
  await makePort(network);
  await expect(store.subnets.delete(subnet.id)).rejects.toMatchObject({ code: 'SubnetInUse' });
});

it('the address follows a new MAC', async () => {
  const network = await makeNetwork();
  await makeSubnet(network, '10.0.0.0/24');
  await makeSubnet(network, 'fd00::/64', slaac);
  const port = await makePort(network);
  const changed = await store.ports.update(port.id, { mac: '02:11:22:33:44:55' });
  expect(ipsOf(changed)).toEqual(['10.0.0.2', 'fd00::11:22ff:fe33:4455']);
});

it('another MAC is chosen where someone has the address already', async () => {
  const network = await makeNetwork();
  await makeSubnet(network, 'fd00::/64', slaac);
  await makePort(network, {
    deviceOwner: 'network:router_interface',
    fixedIps: [{ ip: 'fd00::11:22ff:fe33:4455' }],
  });
  await expect(makePort(network, { mac: '02:11:22:33:44:55' })).rejects.toMatchObject({
    code: 'IpAddressAlreadyAllocated',
  });
});

it('ports made while the subnet is made get their addresses too', async () => {
  const another = await server.openFresh().then(() => store.another());
  for (let round = 0; round < 10; round++) {
    const network = await makeNetwork();
    await makeSubnet(network, '10.0.0.0/24');
    const making = Array.from({ length: 12 }, (_, n) => makePort(network, {}, n % 2 === 0 ? store : another));
    await Promise.all([...making, makeSubnet(network, 'fd00::/64', slaac)]);
    const { rows } = await store.ports.list({ filter: { networkId: [network.id] } });
    expect(rows).toHaveLength(12);
    for (const port of rows) expect(ipsOf(port)).toContain(own('fd00::/64', port));
  }
});

it('ports get addresses of subnets for their device owner first, and none of those for others', async () => {
  const network = await makeNetwork();
  await makeSubnet(network, '10.0.0.0/24');
  await makeSubnet(network, '10.0.1.0/24', { serviceTypes: ['compute:nova'] });
  expect(ipsOf(await makePort(network, { deviceOwner: 'compute:nova' }))).toEqual(['10.0.1.2']);
  expect(ipsOf(await makePort(network))).toEqual(['10.0.0.2']);
  const served = await makeNetwork();
  await makeSubnet(served, '10.0.1.0/24', { serviceTypes: ['compute:nova'] });
  await expect(makePort(served)).rejects.toMatchObject({ code: 'NoMatchingServiceSubnet' });
});
