import { mac, ipv4, ipv6 } from '@alcor/openflow';
import { expect, test } from 'vitest';
import type { Vm } from './drivers/fabric.ts';
import {
  arpReply,
  arpRequest,
  BROADCAST,
  icmpEcho,
  neighborAdvertisement,
  neighborSolicitation,
  udp,
  type Packet,
} from './drivers/packet.ts';
import { walkText } from './drivers/walk.ts';
import { neighborOf, never, port, region, settled, type TestHost } from './testing/region.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';

const one = port('one', { mac: '02:00:00:00:00:01', ips: ['10.0.0.1', 'fd00::1'] });
const two = port('two', { mac: '02:00:00:00:00:02', ips: ['10.0.0.2', 'fd00::2'] });

function portOn(host: TestHost, vm: Vm): number {
  return host.memory.plugged(vm.id)!.ofport;
}

test.each([
  ['10.0.0.2', 'the same host', A],
  ['10.0.0.2', 'another host', B],
  ['fd00::2', 'the same host', A],
  ['fd00::2', 'another host', B],
])('a VM pings %s on %s', async (ip, _, host) => {
  const { fabric, vms, hosts } = await region([
    { host: A, port: one },
    { host, port: two },
  ]);
  const ping = fabric.ping(vms[0], ip);
  expect(ping).toMatchObject({ ok: true, reason: '' });
  const out = portOn(hosts[0]!, vms[0]);
  const through = host === A ? [] : [`${A}:1`, `${B}:1`];
  const last = host === A ? hosts[0]! : hosts[1]!;
  expect(ping.path).toEqual([`${A}:${out}`, ...through, `${host}:${portOn(last, vms[1])}`]);
});

test('an ARP request is answered on the host and seen by nobody else', async () => {
  const { fabric, vms } = await region([
    { host: A, port: one },
    { host: B, port: two },
    { host: A, port: port('three', { mac: '02:00:00:00:00:03', ips: ['10.0.0.3'] }) },
  ]);
  const from = { mac: mac(one.mac), ip: ipv4('10.0.0.1') };
  const { received, hops } = fabric.send(vms[0], arpRequest(from, ipv4('10.0.0.2')));
  expect(received).toEqual([{ vm: vms[0], packet: arpReply({ mac: mac(two.mac), ip: ipv4('10.0.0.2') }, from) }]);
  expect(hops).toHaveLength(1);
});

test('a neighbour solicitation is answered on the host and seen by nobody else', async () => {
  const { fabric, vms } = await region([
    { host: A, port: one },
    { host: B, port: two },
  ]);
  const from = { mac: mac(one.mac), ip: ipv6('fd00::1') };
  const { received } = fabric.send(vms[0], neighborSolicitation(from, ipv6('fd00::2')));
  const { nd_sll: _, ...answer } = neighborAdvertisement({ mac: mac(two.mac), ip: ipv6('fd00::2') }, from);
  expect(received).toHaveLength(1);
  expect(received[0]!.packet).toMatchObject(answer);
});

test.each(['announcement', 'probe', 'duplicate address detection'])(
  'a VM that asks for its own address gets no answer: %s',
  async (kind) => {
    const { fabric, vms } = await region([
      { host: A, port: one },
      { host: B, port: two },
    ]);
    const own = { mac: mac(one.mac), ip: ipv4('10.0.0.1') };
    const packet =
      kind === 'announcement'
        ? arpRequest(own, own.ip)
        : kind === 'probe'
          ? arpRequest({ ...own, ip: 0 }, own.ip)
          : neighborSolicitation({ mac: own.mac, ip: 0n }, ipv6('fd00::1'));
    const { received, hops } = fabric.send(vms[0], packet);
    expect(received).toEqual([]);
    expect(hops[0]!.walk.trace.map(({ table }) => table)).toContain('services');
  },
);

test('two networks with equal addresses and equal MACs never meet', async () => {
  const other = { vpcId: 'other', vni: 200 };
  const { fabric, vms, hosts } = await region([
    { host: A, port: one },
    { host: B, port: two },
    { host: A, port: { ...one, id: 'other one', ...other } },
    { host: B, port: { ...two, id: 'other two', ...other } },
  ]);
  for (const [from, to] of [
    [0, 1],
    [1, 0],
    [2, 3],
    [3, 2],
  ] as const) {
    for (const vm of vms) vm.received.length = 0;
    expect(fabric.ping(vms[from]!, vms[to]!.ips[0]!).ok).toBe(true);
    const strangers = vms.filter((_, index) => index !== from && index !== to);
    expect(strangers.map(({ received }) => received)).toEqual([[], []]);
  }
  hosts[1]!.dataplane.removePort('two');
  await hosts[1]!.dataplane.flush(never);
  expect(fabric.ping(vms[0], '10.0.0.2').ok).toBe(false);
  expect(fabric.ping(vms[2]!, '10.0.0.2').ok).toBe(true);
});

test('an address of another network is not answered for', async () => {
  const { fabric, vms } = await region([
    { host: A, port: one },
    { host: A, port: { ...two, vni: 200 } },
  ]);
  expect(fabric.ping(vms[0], '10.0.0.2')).toMatchObject({ ok: false, reason: 'nobody answers for 10.0.0.2' });
});

const self = { mac: mac(one.mac), ip: ipv4('10.0.0.1') };
const peer = { mac: mac(two.mac), ip: ipv4('10.0.0.2') };
const self6 = { mac: mac(one.mac), ip: ipv6('fd00::1') };
const peer6 = { mac: mac(two.mac), ip: ipv6('fd00::2') };
const spoofed = {
  'a foreign MAC': icmpEcho('request', { ...self, mac: 0x02_00_00_00_00_99 }, peer),
  'a foreign address': icmpEcho('request', { ...self, ip: ipv4('10.0.0.9') }, peer),
  'an ARP request in the name of another': arpRequest({ ...self, ip: ipv4('10.0.0.9') }, peer.ip),
  'an ARP reply with a foreign MAC inside': { ...arpReply(self, peer), arp_sha: 0x02_00_00_00_00_99 },
  'a solicitation from a foreign address': neighborSolicitation({ ...self6, ip: ipv6('fd00::9') }, peer6.ip),
  'a solicitation with a foreign MAC inside': { ...neighborSolicitation(self6, peer6.ip), nd_sll: 0x02_00_00_00_00_99 },
  'an advertisement for a foreign address': { ...neighborAdvertisement(self6, peer6), nd_target: ipv6('fd00::9') },
  'a router advertisement': { ...neighborAdvertisement(self6, peer6), icmpv6_type: 134 },
  'an unknown protocol': { eth_src: self.mac, eth_dst: peer.mac, eth_type: 0x88cc },
};

test.each(Object.entries(spoofed))('spoofing is dropped at the source: %s', async (_, packet) => {
  const { fabric, vms } = await region([
    { host: A, port: one },
    { host: B, port: two },
  ]);
  const { received, hops } = fabric.send(vms[0], packet);
  expect(received).toEqual([]);
  expect(hops.map(({ walk }) => walk.trace.at(-1)!.table)).toEqual(['antispoof']);
});

const pairs = {
  'a foreign MAC': { ip: '10.0.0.1', mac: '02:00:00:00:00:99' },
  'a foreign address': { ip: '10.0.0.8/30', mac: one.mac },
} as const;

test.each(Object.entries(pairs))(
  'an allowed address pair lets a VM send from it and from nothing else: %s',
  async (name, pair) => {
    const { fabric, vms } = await region([
      { host: A, port: { ...one, allowedAddressPairs: [pair] } },
      { host: B, port: two },
    ]);
    expect(fabric.send(vms[0], spoofed[name as keyof typeof spoofed]).received.map(({ vm }) => vm)).toEqual([vms[1]]);
    for (const [other, packet] of Object.entries(spoofed)) {
      const { hops } = fabric.send(vms[0], packet);
      // Asking in the name of the pair's address is sending from it: the question is the host's to answer.
      const allowed = other === name || (pair.ip === '10.0.0.8/30' && 'arp_op' in packet && packet.arp_op === 1);
      expect([other, hops.at(-1)!.walk.trace.length > 2]).toEqual([other, allowed]);
    }
  },
);

test('a VM asks for its address by DHCP, and never answers as a DHCP server', async () => {
  const { fabric, vms } = await region([{ host: A, port: one }]);
  const asks = udp({ mac: mac(one.mac), ip: 0, port: 68 }, { mac: BROADCAST, ip: ipv4('255.255.255.255'), port: 67 });
  const serves = udp({ ...self, port: 67 }, { ...peer, port: 68 });
  const { given } = fabric.send(vms[0], asks).hops[0]!.walk;
  expect(given).toMatchObject([{ table: 50, packet: { reg0: 2, udp_dst: 67 } }]);
  const last = (packet: Packet) => fabric.send(vms[0], packet).hops[0]!.walk.trace.at(-1)!.table;
  expect([last(asks), last(serves)]).toEqual(['services', 'antispoof']);
});

test('with port security off a VM sends from any address', async () => {
  const { fabric, vms } = await region([
    { host: A, port: { ...one, portSecurityEnabled: false } },
    { host: B, port: two },
  ]);
  for (const name of ['a foreign MAC', 'a foreign address'] as const) {
    expect(fabric.send(vms[0], spoofed[name]).received.map(({ vm }) => vm)).toEqual([vms[1]]);
  }
});

test('administratively down, nothing comes from a port and nothing reaches it', async () => {
  const { fabric, vms } = await region([
    { host: A, port: { ...one, adminStateUp: false } },
    { host: B, port: two },
  ]);
  expect(fabric.send(vms[0], icmpEcho('request', self, peer)).hops[0]!.walk.trace).toHaveLength(1);
  expect(fabric.send(vms[1], icmpEcho('request', peer, self)).received).toEqual([]);
});

test('what comes from a tunnel never goes into one', async () => {
  const { hosts } = await region([
    { host: A, port: one },
    { host: B, port: two },
  ]);
  const stray = { ...icmpEcho('request', self, peer), tunnel_id: 100n };
  expect(hosts[0]!.memory.walk(stray, 1).outputs).toEqual([]);
});

test('a port that moved to another host is reached there, in whichever order the two hear of it', async () => {
  for (const order of ['port first', 'neighbour first'] as const) {
    const { hosts, fabric, vms } = await region([
      { host: A, port: one },
      { host: A, port: two },
    ]);
    const [from, to] = hosts as [TestHost, TestHost];
    const steps = [() => from.dataplane.removePort('two'), () => from.dataplane.setNeighbor(neighborOf(two, B))];
    for (const step of order === 'port first' ? steps : steps.toReversed()) {
      step();
      await from.dataplane.flush(never);
    }
    to.dataplane.removeNeighbor('two');
    to.dataplane.setPort(two);
    fabric.removeVm(vms[1]);
    fabric.addVm(B, two);
    await to.dataplane.flush(never);
    await settled();
    expect(fabric.ping(vms[0], '10.0.0.2')).toMatchObject({ ok: true });
  }
});

test('a walk reads like the way of the packet', async () => {
  const { fabric, vms } = await region([
    { host: A, port: one },
    { host: B, port: two },
  ]);
  const { hops } = fabric.send(vms[0], icmpEcho('request', self, peer));
  expect(hops.map(({ walk }) => walkText(walk)).join('\n--\n')).toMatchInlineSnapshot(`
    "classify: priority 100 in_port=2,vlan_vid=0 → reg0:=2 metadata:=100 goto:10
    antispoof: priority 100 reg0=2,eth_src=02:00:00:00:00:01,eth_type=0x800,ipv4_src=10.0.0.1 → goto:11
    localIp: priority 0 any → goto:13
    leavingSubnet: priority 0 any → goto:20
    leaving: priority 100 reg0=2 → goto:50
    services: priority 0 any → goto:60
    routers: priority 0 any → goto:70
    neighbour: priority 100 metadata=100,eth_dst=02:00:00:00:00:02 → tun_dst:=192.0.2.2 goto:75
    tunnel: priority 100 any → tunnel_id[0+64]:=metadata[0+64],output:1
    output 1: eth_src=02:00:00:00:00:01,eth_dst=02:00:00:00:00:02,eth_type=0x800,ip_proto=1,ip_ttl=64,ipv4_src=10.0.0.1,ipv4_dst=10.0.0.2,icmpv4_type=8,icmpv4_code=0,tun_dst=192.0.2.2,tunnel_id=100
    --
    classify: priority 100 in_port=1 → metadata[0+64]:=tunnel_id[0+64] goto:77
    delivery: priority 100 metadata=100,eth_dst=02:00:00:00:00:02 → reg1:=2 goto:78
    enteringSubnet: priority 0 any → goto:81
    entering: priority 100 reg1=2 → goto:86
    localIpAnswer: priority 0 any → goto:90
    output: priority 100 reg1=2 → in_port_nxm:=0,output:reg1
    output 2: eth_src=02:00:00:00:00:01,eth_dst=02:00:00:00:00:02,eth_type=0x800,ip_proto=1,ip_ttl=64,ipv4_src=10.0.0.1,ipv4_dst=10.0.0.2,icmpv4_type=8,icmpv4_code=0,tun_dst=192.0.2.2,tunnel_id=100"
  `);
});
