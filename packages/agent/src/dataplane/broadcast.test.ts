import { ipv4, ipv6, mac } from '@alcor/openflow';
import { expect, test } from 'vitest';
import { BroadcastIndex, MOST_HOSTS, MOST_PORTS } from './broadcast-index.ts';
import type { Vm } from './drivers/fabric.ts';
import { arpRequest, BROADCAST, neighborSolicitation, udp, type Packet } from './drivers/packet.ts';
import { neighborOf, never, port, region, rule, securityGroup } from './testing/region.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';
const [one, near, far] = [1, 2, 3].map((n) =>
  port(`p${n}`, { mac: `02:00:00:00:00:0${n}`, ips: [`10.0.0.${n}`, `fd00::${n}`] }),
) as [ReturnType<typeof port>, ReturnType<typeof port>, ReturnType<typeof port>];
const other = port('other', { vni: 200, vpcId: 'other', mac: '02:00:00:00:00:04', ips: ['10.0.0.4'] });
const placed = [
  { host: A, port: one },
  { host: A, port: near },
  { host: B, port: far },
  { host: B, port: other },
];
const from = { mac: mac(one.mac), ip: ipv4('10.0.0.1'), port: 1000 };
const toAll = udp(from, { mac: BROADCAST, ip: ipv4('255.255.255.255'), port: 9 });
const toGroup = udp(from, { mac: mac('01:00:5e:00:00:12'), ip: ipv4('224.0.0.18'), port: 9 });
const toGroup6 = udp(
  { ...from, ip: ipv6('fd00::1') },
  { mac: mac('33:33:00:00:00:12'), ip: ipv6('ff02::12'), port: 9 },
);

function names(received: readonly { readonly vm: Vm }[]): string[] {
  return received.map(({ vm }) => vm.id).sort();
}

test.each<[string, Packet]>([
  ['a broadcast', toAll],
  ['an IPv4 multicast', toGroup],
  ['an IPv6 multicast', toGroup6],
  ['an ARP request for an address that only a VM knows of', arpRequest(from, ipv4('10.0.0.99'))],
  [
    'a solicitation for an address that only a VM knows of',
    neighborSolicitation({ mac: from.mac, ip: ipv6('fd00::1') }, ipv6('fd00::99')),
  ],
])('%s reaches each VM of the network once, nobody of another, and not its sender', async (_, packet) => {
  const { fabric, vms, hosts } = await region(placed);
  const { received, hops } = fabric.send(vms[0], packet);
  expect(names(received)).toEqual(['p2', 'p3']);
  expect(hops).toHaveLength(2);
  const tunnels = hops[0]!.walk.outputs.filter(({ port: at }) => at === hosts[0]!.memory.tunnelPort);
  expect(tunnels).toMatchObject([{ packet: { tun_dst: ipv4(B), tunnel_id: 100n } }]);
});

test('what the host answers is copied to nobody', async () => {
  const { fabric, vms } = await region(placed);
  expect(names(fabric.send(vms[0], arpRequest(from, ipv4('10.0.0.3'))).received)).toEqual(['p1']);
});

test('each copy is judged by the groups of the port that it is for', async () => {
  const groups = [
    securityGroup('out', [rule({ direction: 'egress' })]),
    securityGroup('in', [rule({ protocol: 17, portRangeMin: 9, portRangeMax: 9 })]),
    securityGroup('stateless', [rule({ protocol: 17, portRangeMin: 9, portRangeMax: 9 })], false),
    securityGroup('closed', []),
  ];
  const ports = ['out', 'in', 'closed', 'stateless', 'closed', 'in'].map((group, n) =>
    port(`${group} ${n}`, { mac: `02:00:00:00:00:1${n}`, ips: [`10.0.0.1${n}`], securityGroupIds: [group] }),
  );
  const { fabric, vms } = await region(
    ports.map((each, n) => ({ host: n < 4 ? A : B, port: each })),
    { groups },
  );
  const sender = { mac: mac(ports[0]!.mac), ip: ipv4('10.0.0.10'), port: 1000 };
  const said = (at: number) => udp(sender, { mac: BROADCAST, ip: ipv4('255.255.255.255'), port: at });
  expect(names(fabric.send(vms[0], said(9)).received)).toEqual(['in 1', 'in 5', 'stateless 3']);
  expect(names(fabric.send(vms[0], said(10)).received)).toEqual([]);
});

test('a host without ports of the network any more gets no copy, nor does a port that is down', async () => {
  const { fabric, vms, hosts } = await region(placed);
  hosts[0]!.dataplane.removeNeighbor('p3');
  hosts[0]!.dataplane.setPort({ ...near, adminStateUp: false });
  await hosts[0]!.dataplane.flush(never);
  const { received, hops } = fabric.send(vms[0], toAll);
  expect([received, hops.length]).toEqual([[], 1]);
  hosts[0]!.dataplane.setNeighbor(neighborOf(far, B));
  await hosts[0]!.dataplane.flush(never);
  expect(names(fabric.send(vms[0], toAll).received)).toEqual(['p3']);
});

test('where hosts are told of neighbours on demand, nothing is copied', async () => {
  const { fabric, vms, hosts } = await region(placed);
  hosts[0]!.dataplane.setOnDemandVpc({ id: 'vpc', vni: 100 });
  await hosts[0]!.dataplane.flush(never);
  expect(fabric.send(vms[0], toAll).received).toEqual([]);
  hosts[0]!.dataplane.removeOnDemandVpc('vpc');
  await hosts[0]!.dataplane.flush(never);
  expect(names(fabric.send(vms[0], toAll).received)).toEqual(['p2', 'p3']);
});

test('only the first and the last neighbour on a host, and each port here, concern a network', () => {
  const index = new BroadcastIndex();
  const there = { vni: 1, hostIp: B };
  expect(index.moveNeighbor(undefined, there)).toEqual([1]);
  expect(index.moveNeighbor(undefined, there)).toEqual([]);
  expect(index.moveNeighbor(there, { ...there })).toEqual([]);
  expect(index.moveNeighbor(there, { vni: 2, hostIp: B })).toEqual([2]);
  expect(index.moveNeighbor(there, { vni: 1, hostIp: A })).toEqual([1, 1]);
  expect(index.audience(1)).toBeUndefined();
  expect(index.setPort('p', { vni: 1, ofport: 5 })).toEqual([1]);
  expect(index.audience(1)).toEqual({ vni: 1, ofports: [5], hosts: [A] });
  expect(index.setPort('p', { vni: 1, ofport: 6 })).toEqual([1, 1]);
  expect(index.moveNeighbor({ vni: 1, hostIp: A }, undefined)).toEqual([1]);
  expect(index.audience(1)).toEqual({ vni: 1, ofports: [6], hosts: [] });
});

test.each([
  ['hosts', MOST_HOSTS],
  ['ports of one host', MOST_PORTS],
])('a network with more %s than can be copied to has no broadcast, and has it again when it shrinks', (what, most) => {
  const index = new BroadcastIndex();
  index.setPort('1', { vni: 1, ofport: 1 });
  const join = (n: number): void => {
    if (what === 'hosts') index.moveNeighbor(undefined, { vni: 1, hostIp: `192.0.2.${n}` });
    else index.setPort(`${n}`, { vni: 1, ofport: n });
  };
  for (let n = 2; n <= most; n += 1) join(n);
  expect(index.audience(1)).toBeDefined();
  for (let n = most + 1; n <= most + 2; n += 1) join(n);
  expect(index.audience(1)).toBeUndefined();
  for (let n = 2; n <= 3; n += 1) {
    if (what === 'hosts') index.moveNeighbor({ vni: 1, hostIp: `192.0.2.${n}` }, undefined);
    else index.setPort(`${n}`, undefined);
  }
  expect(index.audience(1)).toBeDefined();
});
