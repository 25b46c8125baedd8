import { ipv4, ipv6, mac } from '@alcor/openflow';
import { expect, test } from 'vitest';
import type { Delivery, Fabric, Vm } from './drivers/fabric.ts';
import { arpRequest, icmpEcho, icmpv6Echo, neighborSolicitation, type Packet, tcp, udp } from './drivers/packet.ts';
import { walkText } from './drivers/walk.ts';
import type { ConntrackHelper, LocalPort, QualityRules, RouterGateway } from './resources.ts';
import {
  EXTERNAL,
  external,
  floating,
  forwarding,
  GATEWAY,
  gateway,
  HOSTS,
  router,
  ROUTER_MAC,
} from './testing/north-south.ts';
import { fabricOf, neighborOf, never, port, type TestHost, testHost } from './testing/region.ts';

const wires = { physnet1: 50_000 };
const OUT = '02:00:00:00:00:99';

/** One VM on each of two hosts, the router's gateway on a third, and a machine outside that is the external network's own gateway. */
async function region(changes: Partial<RouterGateway> = {}) {
  const clock = { at: 0, now: () => clock.at };
  const hosts = await Promise.all(HOSTS.map((ip) => testHost(ip, { wires, clock })));
  const fabric = fabricOf(hosts);
  const ports: LocalPort[] = [1, 2].map((n) =>
    port(`${n}`, { mac: `02:00:00:00:00:0${n}`, ips: [`10.0.0.${n}`, `fd00::${n}`] }),
  );
  for (const { dataplane, ip } of hosts) {
    dataplane.setProviderNetwork(external);
    for (const [n, each] of ports.entries()) {
      if (HOSTS[n] === ip) dataplane.setPort(each);
      else dataplane.setNeighbor(neighborOf(each, HOSTS[n]!));
    }
    dataplane.setRouter({ ...router, gateway: { ...gateway, ...changes } });
    for (const out of ['203.0.113.1', '2001:db8::1', '203.0.113.99'])
      dataplane.setOutsideNeighbor({ vni: EXTERNAL, ip: out, mac: OUT });
  }
  const vms = ports.map((each, n) => fabric.addVm(HOSTS[n]!, each)) as [Vm, Vm];
  const outside = fabric.addOutside(
    { physicalNetwork: 'physnet1', vlan: 7 },
    { id: 'out', mac: OUT, ips: ['203.0.113.1', '2001:db8::1', '198.51.100.7', '2001:db8:5::7'] },
  );
  const reconcile = async (): Promise<void> => {
    for (const { dataplane } of hosts) {
      const outcomes = await dataplane.reconcile(never);
      expect(outcomes.filter(({ status }) => status === 'failed')).toEqual([]);
      expect(dataplane.describe().flows.refused).toBe(0);
    }
  };
  await reconcile();
  return { clock, hosts: hosts as [TestHost, TestHost, TestHost], fabric, vms, outside, reconcile };
}

const toRouter = mac(ROUTER_MAC);
const end = (ip: string, ethernet: number | string, portNumber = 0) => ({
  mac: typeof ethernet === 'string' ? mac(ethernet) : ethernet,
  ip: ip.includes(':') ? ipv6(ip) : ipv4(ip),
  port: portNumber,
});
const outsideEnd = (portNumber: number) => end('198.51.100.7', OUT, portNumber);

/** What the only machine that got something got. */
function got({ received, hops }: Delivery, by: Vm): Packet {
  expect(
    received.map(({ vm }) => vm.id),
    hops.map(({ host, walk }) => `${host}\n${walkText(walk)}`).join('\n'),
  ).toEqual([by.id]);
  return received[0]!.packet;
}

const throughGateways = ({ hops }: Delivery): number =>
  hops.flatMap(({ walk }) => walk.outputs).filter(({ port: to }) => to === 60_000).length;

test('a port without a floating IP leaves by the gateway host with its address, and gets the answers', async () => {
  const { fabric, vms, outside } = await region();
  for (const from of [vms[0], vms[1]]) {
    const out = fabric.send(from, udp(end(from.ips[0]!, from.mac, 4000), end('198.51.100.7', toRouter, 53)));
    expect(throughGateways(out)).toBe(1);
    const seen = got(out, outside);
    expect(seen).toMatchObject({ eth_src: mac(GATEWAY), ipv4_src: ipv4('203.0.113.10'), ip_ttl: 63 });
    const back = udp(outsideEnd(53), end('203.0.113.10', GATEWAY, Number(seen.udp_src)));
    const answer = got(fabric.send(outside, back), from);
    expect(answer).toMatchObject({ eth_src: toRouter, ipv4_dst: ipv4(from.ips[0]!), udp_dst: 4000, ip_ttl: 63 });
  }
});

test('machines on the wire that ask for the address of a gateway are told, whichever of their own addresses they ask by', async () => {
  const { fabric, outside } = await region();
  for (const from of ['2001:db8::1', 'fe80::99']) {
    const question = neighborSolicitation(end(from, OUT) as never, ipv6('2001:db8::10'));
    expect(got(fabric.send(outside, question), outside)).toMatchObject({
      eth_src: mac(GATEWAY),
      ipv6_dst: ipv6(from),
      icmpv6_type: 136,
      nd_target: ipv6('2001:db8::10'),
      nd_tll: mac(GATEWAY),
    });
  }
});

test('nothing from outside that answers nobody comes in, and nothing out again', async () => {
  const { fabric, outside } = await region();
  for (const to of ['203.0.113.10', '10.0.0.1', '198.51.100.9', '203.0.113.99'])
    expect(fabric.send(outside, udp(outsideEnd(53), end(to, GATEWAY, 4000))).received).toEqual([]);
});

test('without translation ports leave as they are, and are reached from outside; over IPv6 always', async () => {
  const { fabric, vms, outside } = await region({ snat: false });
  const out = fabric.send(vms[0], udp(end('10.0.0.1', vms[0].mac, 4000), end('198.51.100.7', toRouter, 53)));
  expect(got(out, outside)).toMatchObject({ ipv4_src: ipv4('10.0.0.1') });
  expect(got(fabric.send(outside, udp(outsideEnd(53), end('10.0.0.2', GATEWAY, 9))), vms[1])).toMatchObject({
    ip_ttl: 63,
  });
  const six = await region();
  const ping = icmpv6Echo('request', end('fd00::1', vms[0].mac) as never, end('2001:db8:5::7', toRouter) as never);
  expect(got(six.fabric.send(six.vms[0], ping), six.outside)).toMatchObject({ ipv6_src: ipv6('fd00::1'), ip_ttl: 63 });
  const back = icmpv6Echo('reply', end('2001:db8:5::7', OUT) as never, end('fd00::1', GATEWAY) as never);
  expect(got(six.fabric.send(six.outside, back), six.vms[0])).toMatchObject({ ip_ttl: 63 });
});

test('a floating IP stands for its port on the host of the port, until it is gone', async () => {
  const { hosts, fabric, vms, outside, reconcile } = await region();
  hosts[0].dataplane.setFloatingIp(floating);
  await reconcile();
  const asked = fabric.send(outside, arpRequest(end('203.0.113.1', OUT) as never, ipv4(floating.ip)));
  expect(got(asked, outside)).toMatchObject({ arp_op: 2, arp_sha: mac(floating.mac) });
  const segment = tcp(outsideEnd(5000), end(floating.ip, floating.mac, 22));
  const arrived = fabric.send(outside, segment);
  expect(got(arrived, vms[0])).toMatchObject({ ipv4_dst: ipv4('10.0.0.1'), ip_ttl: 63 });
  const answer = tcp(end('10.0.0.1', vms[0].mac, 22), end('198.51.100.7', toRouter, 5000));
  const left = fabric.send(vms[0], answer);
  expect(got(left, outside)).toMatchObject({ eth_src: mac(floating.mac), ipv4_src: ipv4(floating.ip) });
  expect(throughGateways(left) + throughGateways(arrived)).toBe(0);
  hosts[0].dataplane.removeFloatingIp('f');
  await reconcile();
  expect(fabric.send(outside, segment).received).toEqual([]);
  expect(got(fabric.send(vms[0], answer), outside)).toMatchObject({ ipv4_src: ipv4('203.0.113.10') });
});

test('two floating IPs speak with each other, on one host and on two', async () => {
  for (const host of [0, 1]) {
    const { hosts, fabric, vms, reconcile } = await region();
    const other = { ...floating, id: 'g', ip: '203.0.113.51', mac: '02:00:00:00:0f:03', fixedIp: '10.0.0.2' };
    hosts[0].dataplane.setFloatingIp(floating);
    // One of the two ports is where the other is in the first round.
    if (host === 0) {
      hosts[1].dataplane.removePort('2');
      hosts[0].dataplane.removeNeighbor('2');
      hosts[0].dataplane.setPort(port('2', { mac: '02:00:00:00:00:02', ips: ['10.0.0.2', 'fd00::2'] }));
      fabric.removeVm(vms[1]);
    }
    const two = host === 0 ? fabric.addVm(HOSTS[0], vms[1]) : vms[1];
    hosts[host]!.dataplane.setFloatingIp(other);
    hosts[0].dataplane.setOutsideNeighbor({ vni: EXTERNAL, ip: other.ip, mac: other.mac });
    if (host === 0) hosts[0].dataplane.removeOutsideNeighbor({ vni: EXTERNAL, ip: other.ip, mac: other.mac });
    await reconcile();
    const packet = icmpEcho('request', end('10.0.0.1', vms[0].mac) as never, end(other.ip, toRouter) as never);
    expect(got(fabric.send(vms[0], packet), two)).toMatchObject({ ipv4_src: ipv4(floating.ip), ip_ttl: 62 });
  }
});

test('ports of a floating IP lead to those of guests, through the gateway host', async () => {
  const { hosts, fabric, vms, outside, reconcile } = await region();
  hosts[2].dataplane.setFloatingIp(forwarding);
  await reconcile();
  for (const [make, to, vm, at] of [
    [tcp, 8080, vms[1], 80],
    [udp, 1234, vms[1], 1234],
    [tcp, 2001, vms[0], 23],
  ] as const) {
    const field = make === tcp ? 'tcp' : 'udp';
    const arrived = got(fabric.send(outside, make(outsideEnd(5000), end(forwarding.ip, forwarding.mac, to))), vm);
    expect(arrived).toMatchObject({ ipv4_dst: ipv4(vm.ips[0]!), [`${field}_dst`]: at, ip_ttl: 63 });
    const left = fabric.send(vm, make(end(vm.ips[0]!, vm.mac, at), end('198.51.100.7', toRouter, 5000)));
    expect(got(left, outside)).toMatchObject({ ipv4_src: ipv4(forwarding.ip), [`${field}_src`]: to });
  }
  expect(fabric.send(outside, tcp(outsideEnd(5000), end(forwarding.ip, forwarding.mac, 81))).received).toEqual([]);
  hosts[2].dataplane.setFloatingIp({ ...forwarding, forwardings: forwarding.forwardings.slice(1) });
  await reconcile();
  expect(fabric.send(outside, tcp(outsideEnd(5000), end(forwarding.ip, forwarding.mac, 8080))).received).toEqual([]);
});

test('guests of one router reach each other by floating IPs and forwarded ports, and are answered by those', async () => {
  const { hosts, fabric, vms, reconcile } = await region();
  hosts[2].dataplane.setFloatingIp(forwarding);
  hosts[0].dataplane.setFloatingIp(floating);
  for (const { ip, mac: own } of [forwarding, floating])
    for (const { dataplane } of hosts) dataplane.setOutsideNeighbor({ vni: EXTERNAL, ip, mac: own });
  for (const { dataplane } of hosts) dataplane.setOutsideNeighbor({ vni: EXTERNAL, ip: '203.0.113.10', mac: GATEWAY });
  await reconcile();
  for (const [ip, at, within, from, to] of [
    [forwarding.ip, 8080, 80, vms[0], vms[1]],
    [forwarding.ip, 8080, 80, vms[1], vms[1]],
    [floating.ip, 22, 22, vms[1], vms[0]],
    [floating.ip, 22, 22, vms[0], vms[0]],
  ] as const) {
    const asked = got(fabric.send(from, tcp(end(from.ips[0]!, from.mac, 4000), end(ip, toRouter, at))), to);
    const seenFrom = from === vms[0] ? floating.ip : '203.0.113.10';
    expect(asked).toMatchObject({ ipv4_src: ipv4(seenFrom), ipv4_dst: ipv4(to.ips[0]!), tcp_dst: within });
    const answer = tcp(end(to.ips[0]!, to.mac, within), end(seenFrom, toRouter, Number(asked.tcp_src)));
    expect(got(fabric.send(to, answer), from)).toMatchObject({ ipv4_src: ipv4(ip), tcp_src: at, tcp_dst: 4000 });
  }
});

test('what is for a port that is not forwarded ends once, and does not go round on the gateway host', async () => {
  const { hosts, fabric, vms, reconcile } = await region({ snat: false });
  hosts[2].dataplane.setFloatingIp(forwarding);
  await reconcile();
  const lost = fabric.send(vms[0], tcp(end('10.0.0.1', vms[0].mac, 4000), end(forwarding.ip, toRouter, 81)));
  expect(lost.received).toEqual([]);
  const routed = lost.hops.flatMap(({ walk }) => walk.trace).filter(({ table }) => table === 'routing');
  // On its sender's host, and once where it has come to the router's own gateway.
  expect(routed).toHaveLength(2);
});

test('a router is pinged from outside by its addresses inside as far as they are not hidden, and answers under the tag', async () => {
  for (const snat of [true, false]) {
    const { fabric, outside } = await region({ snat });
    const ping = icmpEcho('request', outsideEnd(0) as never, end('10.0.0.254', GATEWAY) as never);
    const { received } = fabric.send(outside, ping);
    expect(received.map(({ packet }) => packet.icmpv4_type)).toEqual(snat ? [] : [0]);
    const ping6 = icmpv6Echo('request', end('2001:db8:5::7', OUT) as never, end('fd00::fe', GATEWAY) as never);
    expect(got(fabric.send(outside, ping6), outside)).toMatchObject({ icmpv6_type: 129, ipv6_src: ipv6('fd00::fe') });
  }
});

const thousand = { unit: 'kilopackets', rate: 1, burst: 1 } as const;
const limited: QualityRules = {
  limits: (['egress', 'ingress'] as const).map((direction) => ({ ...thousand, direction })),
  dscpMark: 46,
};
/** More than one burst, and less than two. */
const MANY = 1_050;
/** How often the packet arrives of as many as are sent at once. */
function countOf(fabric: Fabric, from: Vm, packet: Packet, times = MANY): number {
  return Array.from({ length: times }, () => fabric.send(from, packet).received.length).reduce((sum, n) => sum + n, 0);
}

// Where its port's host has no way out, the gateway host answers for it.
test.each([0, 2] as const)('a floating IP on host %i has limits of its own, and a mark outward', async (host) => {
  const { clock, hosts, fabric, vms, outside, reconcile } = await region();
  hosts[host].dataplane.setFloatingIp({ ...floating, quality: limited });
  await reconcile();
  const out = udp(end('10.0.0.1', vms[0].mac, 4000), end('198.51.100.7', toRouter, 53));
  const back = udp(outsideEnd(53), end(floating.ip, floating.mac, 4000));
  expect(got(fabric.send(vms[0], out), outside)).toMatchObject({ ipv4_src: ipv4(floating.ip), ip_dscp: 46 });
  expect(countOf(fabric, vms[0], out)).toBe(999);
  expect(got(fabric.send(outside, back), vms[0]).ip_dscp ?? 0).toBe(0);
  expect(countOf(fabric, outside, back)).toBe(999);
  const others = udp(end('10.0.0.2', vms[1].mac, 4000), end('198.51.100.7', toRouter, 53));
  expect(countOf(fabric, vms[1], others, 10)).toBe(10);
  clock.at += 50;
  expect([countOf(fabric, vms[0], out, 60), countOf(fabric, outside, back, 60)]).toEqual([50, 50]);
  hosts[host].dataplane.setFloatingIp(floating);
  await reconcile();
  expect([countOf(fabric, vms[0], out, 10), countOf(fabric, outside, back, 10)]).toEqual([10, 10]);
});

test('what forwarded ports bring and answer is limited with their floating IP', async () => {
  const { hosts, fabric, vms, outside, reconcile } = await region();
  hosts[2].dataplane.setFloatingIp({ ...forwarding, quality: limited });
  await reconcile();
  const come = tcp(outsideEnd(5000), end(forwarding.ip, forwarding.mac, 8080));
  const go = tcp(end('10.0.0.2', vms[1].mac, 80), end('198.51.100.7', toRouter, 5000));
  expect([countOf(fabric, outside, come), countOf(fabric, vms[1], go)]).toEqual([1_000, 1_000]);
});

test.each([true, false])(
  'what passes a gateway shares its limits, translated: %s; floating IPs apart',
  async (snat) => {
    const { hosts, fabric, vms, outside, reconcile } = await region({ snat, quality: limited });
    hosts[2].dataplane.setFloatingIp(forwarding);
    hosts[0].dataplane.setFloatingIp(floating);
    await reconcile();
    const out = udp(end('10.0.0.2', vms[1].mac, 4000), end('198.51.100.7', toRouter, 53));
    const ping = icmpv6Echo('request', end('fd00::1', vms[0].mac) as never, end('2001:db8:5::7', toRouter) as never);
    expect(got(fabric.send(vms[1], out), outside).ip_dscp).toBe(46);
    expect(got(fabric.send(vms[0], ping), outside).ip_dscp).toBe(46);
    expect(countOf(fabric, vms[1], out, 500)).toBe(500);
    expect(countOf(fabric, vms[0], ping, 510)).toBe(498);
    const back = snat ? end('203.0.113.10', GATEWAY, 4000) : end('10.0.0.2', GATEWAY, 4000);
    const pong = icmpv6Echo('reply', end('2001:db8:5::7', OUT) as never, end('fd00::1', GATEWAY) as never);
    expect(countOf(fabric, outside, udp(outsideEnd(53), back), 500)).toBe(500);
    expect(countOf(fabric, outside, pong, 510)).toBe(500);
    const ofFloating = udp(end('10.0.0.1', vms[0].mac, 4000), end('198.51.100.7', toRouter, 53));
    const forwarded = tcp(outsideEnd(5000), end(forwarding.ip, forwarding.mac, 8080));
    const answers = tcp(end('10.0.0.2', vms[1].mac, 80), end('198.51.100.7', toRouter, 5000));
    expect(countOf(fabric, vms[0], ofFloating, 10)).toBe(10);
    expect(countOf(fabric, outside, forwarded, 10)).toBe(10);
    expect(countOf(fabric, vms[1], answers, 10)).toBe(10);
  },
);

const helpers: readonly ConntrackHelper[] = [
  { application: 'ftp', protocol: 6, port: 21 },
  { application: 'tftp', protocol: 17, port: 69 },
];

test.each([true, false])('a server of TFTP answers from another port where a helper is there: %s', async (isThere) => {
  const { fabric, vms, outside } = await region(isThere ? { helpers } : {});
  const asked = udp(end('10.0.0.1', vms[0].mac, 4000), end('198.51.100.7', toRouter, 69));
  const seen = got(fabric.send(vms[0], asked), outside);
  const gatewayEnd = end('203.0.113.10', GATEWAY, Number(seen.udp_src));
  const answer = fabric.send(outside, udp(outsideEnd(5555), gatewayEnd));
  expect(fabric.send(outside, udp(end('198.51.100.9', OUT, 5555), gatewayEnd)).received).toEqual([]);
  if (!isThere) return expect(answer.received).toEqual([]);
  expect(got(answer, vms[0])).toMatchObject({ ipv4_dst: ipv4('10.0.0.1'), udp_dst: 4000 });
  const more = udp(end('10.0.0.1', vms[0].mac, 4000), end('198.51.100.7', toRouter, 5555));
  return expect(got(fabric.send(vms[0], more), outside)).toMatchObject({ ipv4_src: ipv4('203.0.113.10') });
});

test.each([true, false])('FTP opens connections both ways where a helper is there: %s', async (isThere) => {
  const { fabric, vms, outside } = await region(isThere ? { helpers } : {});
  const to = (number: number) => end('198.51.100.7', toRouter, number);
  got(fabric.send(vms[0], tcp(end('10.0.0.1', vms[0].mac, 4000), to(21))), outside);
  const opened = fabric.send(outside, tcp(outsideEnd(20), end('203.0.113.10', GATEWAY, 5000)));
  const passive = fabric.send(vms[0], tcp(end('10.0.0.1', vms[0].mac, 4001), to(6000)));
  expect(got(passive, outside)).toMatchObject({ ipv4_src: ipv4('203.0.113.10') });
  if (!isThere) return expect(opened.received).toEqual([]);
  expect(got(opened, vms[0])).toMatchObject({ ipv4_dst: ipv4('10.0.0.1'), tcp_dst: 5000 });
  const answer = got(fabric.send(vms[0], tcp(end('10.0.0.1', vms[0].mac, 5000), to(20))), outside);
  return expect(answer).toMatchObject({ ipv4_src: ipv4('203.0.113.10'), tcp_src: 5000 });
});

test('a forwarded server of FTP opens connections, and is sent some, where a helper is there', async () => {
  const { hosts, fabric, vms, outside, reconcile } = await region({
    helpers: [{ ...helpers[0]!, port: 2001 } as never],
  });
  hosts[2].dataplane.setFloatingIp(forwarding);
  await reconcile();
  const at = (number: number) => end(forwarding.ip, forwarding.mac, number);
  const data = tcp(outsideEnd(5001), at(3000));
  expect(fabric.send(outside, data).received).toEqual([]);
  got(fabric.send(outside, tcp(outsideEnd(5000), at(2001))), vms[0]);
  expect(got(fabric.send(outside, data), vms[0])).toMatchObject({ ipv4_dst: ipv4('10.0.0.1'), tcp_dst: 3000 });
  const active = tcp(end('10.0.0.1', vms[0].mac, 20), end('198.51.100.7', toRouter, 7000));
  expect(got(fabric.send(vms[0], active), outside)).toMatchObject({ ipv4_src: ipv4(forwarding.ip), tcp_dst: 7000 });
});

test('the gateway host answers outside for addresses that are proxied, while its router does', async () => {
  const { hosts, fabric, vms, outside, reconcile } = await region({ proxiesNdp: true });
  const [, , { dataplane }] = hosts;
  const proxied = [{ routerId: 'r', ip: 'fd00::1' }];
  const neighbor = neighborOf(port('1', { mac: '02:00:00:00:00:01', ips: ['10.0.0.1', 'fd00::1'] }), HOSTS[0]);
  const asked = neighborSolicitation(end('2001:db8::1', OUT) as never, ipv6('fd00::1'));
  expect(fabric.send(outside, asked).received).toEqual([]);
  dataplane.setNeighbor({ ...neighbor, proxied });
  await reconcile();
  expect(got(fabric.send(outside, asked), outside)).toMatchObject({ icmpv6_type: 136, nd_tll: mac(GATEWAY) });
  const come = icmpv6Echo('request', end('2001:db8:5::7', OUT) as never, end('fd00::1', GATEWAY) as never);
  expect(got(fabric.send(outside, come), vms[0])).toMatchObject({ ip_ttl: 63 });
  expect(dataplane.servedAt(EXTERNAL, GATEWAY)).toContainEqual({ vni: EXTERNAL, ip: 'fd00::1', mac: GATEWAY });
  dataplane.setRouter({ ...router, gateway: { ...gateway, proxiesNdp: false } });
  await reconcile();
  expect(fabric.send(outside, asked).received).toEqual([]);
  dataplane.setRouter({ ...router, gateway: { ...gateway, proxiesNdp: true } });
  await reconcile();
  expect(fabric.send(outside, asked).received).toHaveLength(1);
  dataplane.setNeighbor(neighbor);
  await reconcile();
  expect(fabric.send(outside, asked).received).toEqual([]);
});

test('another host takes the gateway over', async () => {
  const { hosts, fabric, vms, outside, reconcile } = await region();
  for (const { dataplane } of hosts) dataplane.setRouter({ ...router, gateway: { ...gateway, hostIp: HOSTS[1] } });
  await reconcile();
  const out = fabric.send(vms[0], udp(end('10.0.0.1', vms[0].mac, 4000), end('198.51.100.7', toRouter, 53)));
  expect(got(out, outside)).toMatchObject({ eth_src: mac(GATEWAY), ipv4_src: ipv4('203.0.113.10') });
  expect(out.hops.slice(0, 2).map(({ host }) => host)).toEqual([HOSTS[0], HOSTS[1]]);
});

test('who nobody has told the MAC of is asked for by the agent', async () => {
  const { hosts, fabric, vms } = await region();
  hosts[0].dataplane.setFloatingIp(floating);
  await hosts[0].dataplane.reconcile(never);
  const packet = udp(end('10.0.0.1', vms[0].mac, 4000), end('203.0.113.77', toRouter, 53));
  expect(fabric.send(vms[0], packet).received).toEqual([]);
  expect(hosts[0].given.map(({ table, context }) => [table, context.vni, context.registers.reg4])).toEqual([
    ['outsideHop', EXTERNAL, ipv4('203.0.113.77')],
  ]);
});
