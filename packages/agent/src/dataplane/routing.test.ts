import { ipv4, ipv6, mac } from '@alcor/openflow';
import { expect, test } from 'vitest';
import { arpRequest, icmpEcho, icmpv6Echo, neighborSolicitation } from './drivers/packet.ts';
import { checkFlow } from './check-flow.ts';
import type { LocalPort, Router } from './resources.ts';
import { routerFlows } from './routing.ts';
import { never, port, region, rule, securityGroup, settled } from './testing/region.ts';
import { flowsText } from './testing/text.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';

const RED = { vni: 100, vpcId: 'red' };
const BLUE = { vni: 200, vpcId: 'blue' };

function vm(id: string, network: { vni: number; vpcId: string }, last: number, changes: Partial<LocalPort> = {}) {
  const third = network.vni / 100;
  return port(id, {
    ...network,
    mac: `02:00:00:0${third}:00:0${last}`,
    ips: [`10.0.${third}.${last}`, `fd00:${third}::${last}`],
    ...changes,
  });
}

const red = vm('red', RED, 5);
const blue = vm('blue', BLUE, 6);

/** On both networks, with the first address of each of their subnets. */
const router: Router = {
  id: 'router',
  adminStateUp: true,
  interfaces: [RED, BLUE].map(({ vni }) => ({
    vni,
    mac: `fa:16:3e:00:00:0${vni / 100}`,
    addresses: [
      { ip: `10.0.${vni / 100}.1`, subnetId: 's', cidr: `10.0.${vni / 100}.0/24` },
      { ip: `fd00:${vni / 100}::1`, subnetId: 's', cidr: `fd00:${vni / 100}::/64` },
    ],
  })),
  routes: [],
  revision: 1,
};

function subnetsOf({ vni }: { vni: number }) {
  const third = vni / 100;
  return [
    { cidr: `10.0.${third}.0/24`, gateway: `10.0.${third}.1` },
    { cidr: `fd00:${third}::/64`, gateway: `fd00:${third}::1` },
  ];
}

const guests = [
  { host: A, port: red, subnets: subnetsOf(RED) },
  { host: B, port: blue, subnets: subnetsOf(BLUE) },
] as const;

test('the flows of a router', () => {
  const flows = routerFlows({ ...router, routes: [{ destination: '0.0.0.0/0', nextHop: '10.0.2.6' }] }, A);
  for (const flow of flows) checkFlow(flow);
  expect(flowsText(flows)).toMatchInlineSnapshot(`
    "nextHop 100 eth_type=0x800,metadata=100,reg4=167772417 → eth_dst:=fa:16:3e:00:00:01,reg5:=1,resubmit:60
    nextHop 100 eth_type=0x800,metadata=200,reg4=167772673 → eth_dst:=fa:16:3e:00:00:02,reg5:=1,resubmit:60
    nextHop 100 eth_type=0x86dd,metadata=100,reg10=0,reg11=1,reg8=4244635649,reg9=0 → eth_dst:=fa:16:3e:00:00:01,reg5:=1,resubmit:60
    nextHop 100 eth_type=0x86dd,metadata=200,reg10=0,reg11=1,reg8=4244635650,reg9=0 → eth_dst:=fa:16:3e:00:00:02,reg5:=1,resubmit:60
    routers 100 eth_dst=fa:16:3e:00:00:01,metadata=100 → reg6:=3406365516,reg7:=1101242627 goto:61
    routers 100 eth_dst=fa:16:3e:00:00:02,metadata=200 → reg6:=3406365516,reg7:=1101242627 goto:61
    routing 1000 eth_type=0x800,reg6=3406365516,reg7=1101242627 → dec_ttl,eth_src:=fa:16:3e:00:00:02,reg4:=167772678 metadata:=200 goto:62
    routing 1098 eth_type=0x800,ipv4_dst=10.0.1.0/255.255.255.0,reg6=3406365516,reg7=1101242627 → dec_ttl,eth_src:=fa:16:3e:00:00:01,reg4[0+32]:=ipv4_dst[0+32] metadata:=100 goto:62
    routing 1098 eth_type=0x800,ipv4_dst=10.0.2.0/255.255.255.0,reg6=3406365516,reg7=1101242627 → dec_ttl,eth_src:=fa:16:3e:00:00:02,reg4[0+32]:=ipv4_dst[0+32] metadata:=200 goto:62
    routing 1258 eth_type=0x86dd,ipv6_dst=fd00:1::/ffff:ffff:ffff:ffff::,reg6=3406365516,reg7=1101242627 → dec_ttl,eth_src:=fa:16:3e:00:00:01,reg8[0+32]:=ipv6_dst[96+32],reg9[0+32]:=ipv6_dst[64+32],reg10[0+32]:=ipv6_dst[32+32],reg11[0+32]:=ipv6_dst[0+32] metadata:=100 goto:62
    routing 1258 eth_type=0x86dd,ipv6_dst=fd00:2::/ffff:ffff:ffff:ffff::,reg6=3406365516,reg7=1101242627 → dec_ttl,eth_src:=fa:16:3e:00:00:02,reg8[0+32]:=ipv6_dst[96+32],reg9[0+32]:=ipv6_dst[64+32],reg10[0+32]:=ipv6_dst[32+32],reg11[0+32]:=ipv6_dst[0+32] metadata:=200 goto:62
    routing 1900 eth_type=0x800,ip_ttl=0,reg6=3406365516,reg7=1101242627 → controller:meter=67
    routing 1900 eth_type=0x800,ip_ttl=1,reg6=3406365516,reg7=1101242627 → controller:meter=67
    routing 1900 eth_type=0x86dd,ip_ttl=0,reg6=3406365516,reg7=1101242627 → controller:meter=67
    routing 1900 eth_type=0x86dd,ip_ttl=1,reg6=3406365516,reg7=1101242627 → controller:meter=67
    routing 2000 eth_type=0x800,ipv4_dst=10.0.1.1,reg6=3406365516,reg7=1101242627 → drop
    routing 2000 eth_type=0x800,ipv4_dst=10.0.2.1,reg6=3406365516,reg7=1101242627 → drop
    routing 2000 eth_type=0x86dd,ipv6_dst=fd00:1::1,reg6=3406365516,reg7=1101242627 → drop
    routing 2000 eth_type=0x86dd,ipv6_dst=fd00:2::1,reg6=3406365516,reg7=1101242627 → drop
    routing 2200 eth_type=0x800,icmpv4_code=0,icmpv4_type=8,ip_proto=1,ipv4_dst=10.0.1.1,reg5=0,reg6=3406365516,reg7=1101242627 → reg8[0+32]:=eth_src[0+32],reg9[0+16]:=eth_src[32+16],eth_src[0+48]:=eth_dst[0+48],eth_dst[0+32]:=reg8[0+32],eth_dst[32+16]:=reg9[0+16],ipv4_dst[0+32]:=ipv4_src[0+32],ipv4_src:=10.0.1.1,icmpv4_type:=0,ip_ttl:=64,resubmit:92
    routing 2200 eth_type=0x800,icmpv4_code=0,icmpv4_type=8,ip_proto=1,ipv4_dst=10.0.2.1,reg5=0,reg6=3406365516,reg7=1101242627 → reg8[0+32]:=eth_src[0+32],reg9[0+16]:=eth_src[32+16],eth_src[0+48]:=eth_dst[0+48],eth_dst[0+32]:=reg8[0+32],eth_dst[32+16]:=reg9[0+16],ipv4_dst[0+32]:=ipv4_src[0+32],ipv4_src:=10.0.2.1,icmpv4_type:=0,ip_ttl:=64,resubmit:92
    routing 2200 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=128,ip_proto=58,ipv6_dst=fd00:1::1,reg5=0,reg6=3406365516,reg7=1101242627 → reg8[0+32]:=eth_src[0+32],reg9[0+16]:=eth_src[32+16],eth_src[0+48]:=eth_dst[0+48],eth_dst[0+32]:=reg8[0+32],eth_dst[32+16]:=reg9[0+16],ipv6_dst[0+128]:=ipv6_src[0+128],ipv6_src:=fd00:1::1,icmpv6_type:=129,ip_ttl:=64,resubmit:92
    routing 2200 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=128,ip_proto=58,ipv6_dst=fd00:2::1,reg5=0,reg6=3406365516,reg7=1101242627 → reg8[0+32]:=eth_src[0+32],reg9[0+16]:=eth_src[32+16],eth_src[0+48]:=eth_dst[0+48],eth_dst[0+32]:=reg8[0+32],eth_dst[32+16]:=reg9[0+16],ipv6_dst[0+128]:=ipv6_src[0+128],ipv6_src:=fd00:2::1,icmpv6_type:=129,ip_ttl:=64,resubmit:92
    routing 999 eth_type=0x800,reg6=3406365516,reg7=1101242627 → controller:meter=67
    routing 999 eth_type=0x86dd,reg6=3406365516,reg7=1101242627 → controller:meter=67
    services 100 arp_op=1,arp_tpa=10.0.1.1,eth_type=0x806,metadata=100 → eth_dst[0+48]:=eth_src[0+48],eth_src:=fa:16:3e:00:00:01,arp_op:=2,arp_tha[0+48]:=arp_sha[0+48],arp_sha:=fa:16:3e:00:00:01,arp_tpa[0+32]:=arp_spa[0+32],arp_spa:=10.0.1.1,resubmit:92
    services 100 arp_op=1,arp_tpa=10.0.2.1,eth_type=0x806,metadata=200 → eth_dst[0+48]:=eth_src[0+48],eth_src:=fa:16:3e:00:00:02,arp_op:=2,arp_tha[0+48]:=arp_sha[0+48],arp_sha:=fa:16:3e:00:00:02,arp_tpa[0+32]:=arp_spa[0+32],arp_spa:=10.0.2.1,resubmit:92
    services 100 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,metadata=100,nd_options_type=1,nd_target=fd00:1::1 → eth_dst[0+48]:=eth_src[0+48],eth_src:=fa:16:3e:00:00:01,ipv6_dst[0+128]:=ipv6_src[0+128],ipv6_src:=fd00:1::1,icmpv6_type:=136,nd_options_type:=2,nd_reserved:=0xe0000000 goto:51
    services 100 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,metadata=100,nd_options_type=1,nd_target=fe80::f816:3eff:fe00:1 → eth_dst[0+48]:=eth_src[0+48],eth_src:=fa:16:3e:00:00:01,ipv6_dst[0+128]:=ipv6_src[0+128],ipv6_src:=fe80::f816:3eff:fe00:1,icmpv6_type:=136,nd_options_type:=2,nd_reserved:=0xe0000000 goto:51
    services 100 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,metadata=200,nd_options_type=1,nd_target=fd00:2::1 → eth_dst[0+48]:=eth_src[0+48],eth_src:=fa:16:3e:00:00:02,ipv6_dst[0+128]:=ipv6_src[0+128],ipv6_src:=fd00:2::1,icmpv6_type:=136,nd_options_type:=2,nd_reserved:=0xe0000000 goto:51
    services 100 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,metadata=200,nd_options_type=1,nd_target=fe80::f816:3eff:fe00:2 → eth_dst[0+48]:=eth_src[0+48],eth_src:=fa:16:3e:00:00:02,ipv6_dst[0+128]:=ipv6_src[0+128],ipv6_src:=fe80::f816:3eff:fe00:2,icmpv6_type:=136,nd_options_type:=2,nd_reserved:=0xe0000000 goto:51"
  `);
});

test('a router that is administratively down has no flows', () => {
  expect(routerFlows({ ...router, adminStateUp: false }, A)).toEqual([]);
});

test.each([
  ['10.0.2.6', A],
  ['10.0.2.6', B],
  ['fd00:2::6', A],
  ['fd00:2::6', B],
])('a VM pings %s in another network through a router; it is on %s', async (ip, host) => {
  const { fabric, vms } = await region([guests[0], { ...guests[1], host }], { routers: [router] });
  const ping = fabric.ping(vms[0], ip);
  expect(ping).toMatchObject({ ok: true, reason: '' });
  // Routed where it leaves, so it crosses the underlay once and no third host is asked.
  expect(ping.hops.map((hop) => hop.host)).toEqual(host === A ? [A] : [A, B]);
  const crossing = ping.hops[0]!.walk.outputs[0]!.packet;
  expect(crossing).toMatchObject({ eth_src: mac('fa:16:3e:00:00:02'), eth_dst: mac(blue.mac), ip_ttl: 63 });
  if (host === B) expect(crossing.tunnel_id).toBe(200n);
});

test('a router answers for its addresses in each network, and as a router where it is asked by discovery', async () => {
  const { fabric, vms } = await region(guests, { routers: [router] });
  const from = { mac: mac(red.mac), ip: ipv4(red.ips[0]!) };
  const from6 = { mac: mac(red.mac), ip: ipv6(red.ips[1]!) };
  const arp = fabric.send(vms[0], arpRequest(from, ipv4('10.0.1.1')));
  expect(arp.received).toMatchObject([{ vm: vms[0], packet: { arp_op: 2, arp_sha: mac('fa:16:3e:00:00:01') } }]);
  for (const target of ['fd00:1::1', 'fe80::f816:3eff:fe00:1']) {
    const nd = fabric.send(vms[0], neighborSolicitation(from6, ipv6(target)));
    const answer = { icmpv6_type: 136, nd_tll: mac('fa:16:3e:00:00:01'), nd_reserved: 0xe0000000 };
    expect(nd.received).toMatchObject([{ vm: vms[0], packet: answer }]);
  }
  expect(fabric.send(vms[0], arpRequest(from, ipv4('10.0.2.1'))).received).toEqual([]);
});

/** As `router`, where one network's packets are smaller. */
const narrowing: Router = {
  ...router,
  interfaces: router.interfaces.map((each) => ({ ...each, mtu: each.vni === BLUE.vni ? 1300 : 1450 })),
};

test.each([4, 6])('what the next network does not take goes to the agent, over IPv%i', async (family) => {
  const { fabric, hosts, vms } = await region(guests, { routers: [narrowing] });
  const toRouter = { mac: mac('fa:16:3e:00:00:01') };
  const [red4, red6] = red.ips as [string, string];
  const [blue4, blue6] = blue.ips as [string, string];
  const packet =
    family === 4
      ? icmpEcho('request', { mac: mac(red.mac), ip: ipv4(red4) }, { ...toRouter, ip: ipv4(blue4) })
      : icmpv6Echo('request', { mac: mac(red.mac), ip: ipv6(red6) }, { ...toRouter, ip: ipv6(blue6) });
  const [most, more] = [1314, 1315].map((frameLength) => fabric.send(vms[0], { ...packet, frameLength }));
  expect(most!.received.map(({ vm: { id } }) => id)).toContain(blue.id);
  expect(more!.received).toEqual([]);
  expect(hosts[0]!.given).toMatchObject([{ table: 'routing', context: { vni: RED.vni, registers: { reg14: 1300 } } }]);
});

test('only a router of networks with several MTUs looks at the size of packets', () => {
  const sameSize = { ...router, interfaces: router.interfaces.map((each) => ({ ...each, mtu: 1450 })) };
  expect(flowsText(routerFlows(sameSize, A))).toBe(flowsText(routerFlows(router, A)));
  const flows = routerFlows(narrowing, A);
  for (const flow of flows) checkFlow(flow);
  const text = flowsText(flows).split('\n');
  expect(text.filter((each) => each.includes('larger'))).toEqual([
    'routers 100 eth_dst=fa:16:3e:00:00:01,metadata=100 → reg6:=3406365516,reg7:=1101242627,reg10:=0,reg10[0+1]:=larger(1314) goto:61',
  ]);
  expect(text.filter((each) => each.includes('reg14'))).toEqual([
    'routing 1099 eth_type=0x800,ipv4_dst=10.0.2.0/255.255.255.0,reg10=1/1,reg6=3406365516,reg7=1101242627 → reg14:=1300,controller:meter=67',
    'routing 1259 eth_type=0x86dd,ipv6_dst=fd00:2::/ffff:ffff:ffff:ffff::,reg10=1/1,reg6=3406365516,reg7=1101242627 → reg14:=1300,controller:meter=67',
  ]);
});

test.each(['10.0.1.1', '10.0.2.1', 'fd00:1::1', 'fd00:2::1'])('a router is pinged at %s', async (ip) => {
  const { fabric, vms } = await region(guests, { routers: [router] });
  const to = { mac: mac('fa:16:3e:00:00:01') };
  const packet = ip.includes(':')
    ? icmpv6Echo('request', { mac: mac(red.mac), ip: ipv6(red.ips[1]!) }, { ...to, ip: ipv6(ip) })
    : icmpEcho('request', { mac: mac(red.mac), ip: ipv4(red.ips[0]!) }, { ...to, ip: ipv4(ip) });
  const answer = ip.includes(':')
    ? icmpv6Echo('reply', { ...to, ip: ipv6(ip) }, { mac: mac(red.mac), ip: ipv6(red.ips[1]!) })
    : icmpEcho('reply', { ...to, ip: ipv4(ip) }, { mac: mac(red.mac), ip: ipv4(red.ips[0]!) });
  expect(fabric.send(vms[0], packet).received).toEqual([{ vm: vms[0], packet: answer }]);
  expect(fabric.send(vms[0], { ...packet, ip_ttl: 1 }).received).toEqual([{ vm: vms[0], packet: answer }]);
});

test('what has no hop left, what is for its link only and what there is no route to is not routed', async () => {
  const { fabric, vms } = await region(guests, { routers: [router] });
  const to = { mac: mac('fa:16:3e:00:00:01') };
  const from = { mac: mac(red.mac), ip: ipv4(red.ips[0]!) };
  const across = icmpEcho('request', from, { ...to, ip: ipv4('10.0.2.6') });
  const onLink = { mac: mac(red.mac), ip: ipv6('fe80::ff:fe01:5') };
  const dropped = [
    { ...across, ip_ttl: 1 },
    { ...across, ip_ttl: 0 },
    icmpEcho('request', from, { ...to, ip: ipv4('10.0.3.6') }),
    icmpEcho('request', from, { ...to, ip: ipv4('10.0.2.7') }),
    icmpv6Echo('request', onLink, { ...to, ip: ipv6('fd00:2::6') }),
    icmpv6Echo('request', { ...onLink, ip: ipv6('fd00:1::5') }, { ...to, ip: ipv6('fe80::1') }),
  ];
  for (const packet of dropped) {
    const { received, hops } = fabric.send(vms[0], packet);
    expect(received).toEqual([]);
    expect(['routing', 'nextHop']).toContain(hops[0]!.walk.trace.at(-1)!.table);
  }
  expect(fabric.send(vms[0], { ...across, ip_ttl: 2 }).received).toMatchObject([{ vm: vms[1], packet: { ip_ttl: 1 } }]);
});

test('networks that no router joins never meet, whatever MAC a packet is sent to', async () => {
  const green = vm('green', { vni: 300, vpcId: 'green' }, 7);
  const { fabric, vms } = await region([...guests, { host: B, port: green }], { routers: [router] });
  const from = { mac: mac(green.mac), ip: ipv4(green.ips[0]!) };
  for (const to of ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02', blue.mac, red.mac]) {
    const packet = icmpEcho('request', from, { mac: mac(to), ip: ipv4(blue.ips[0]!) });
    expect(fabric.send(vms[2]!, packet).received).toEqual([]);
  }
});

test('the longest prefix wins; a route leads by a VM, one whose next hop is not there leads nowhere', async () => {
  const hop = vm('hop', BLUE, 7, { portSecurityEnabled: false });
  const routes = [
    { destination: '10.9.0.0/16', nextHop: '10.0.2.7' },
    { destination: '10.9.9.0/24', nextHop: '10.0.2.6' },
    { destination: '10.9.9.9/32', nextHop: '192.0.2.99' },
    { destination: 'fd09::/16', nextHop: 'fd00:2::7' },
    { destination: '10.0.2.0/24', nextHop: '10.0.1.5' },
  ];
  const { fabric, vms } = await region([...guests, { host: A, port: hop }], { routers: [{ ...router, routes }] });
  const to = { mac: mac('fa:16:3e:00:00:01') };
  const reached = (ip: string) => {
    const packet = ip.includes(':')
      ? icmpv6Echo('request', { mac: mac(red.mac), ip: ipv6(red.ips[1]!) }, { ...to, ip: ipv6(ip) })
      : icmpEcho('request', { mac: mac(red.mac), ip: ipv4(red.ips[0]!) }, { ...to, ip: ipv4(ip) });
    return fabric.send(vms[0], packet).received.map((each) => each.vm.id);
  };
  expect(['10.9.1.1', '10.9.9.1', '10.9.9.9', 'fd09::1', '10.0.2.6'].map(reached)).toEqual([
    ['hop'],
    ['blue'],
    [],
    ['hop'],
    ['blue'],
  ]);
});

test('a router passes on to another one; two that send each other a packet give up when it has no hop left', async () => {
  const green = vm('green', { vni: 300, vpcId: 'green' }, 7);
  const other: Router = {
    id: 'other',
    adminStateUp: true,
    interfaces: [
      { vni: 200, mac: 'fa:16:3e:00:00:12', addresses: [{ ip: '10.0.2.2', subnetId: 's', cidr: '10.0.2.0/24' }] },
      { vni: 300, mac: 'fa:16:3e:00:00:13', addresses: [{ ip: '10.0.3.1', subnetId: 's', cidr: '10.0.3.0/24' }] },
    ],
    routes: [{ destination: '10.0.0.0/8', nextHop: '10.0.2.1' }],
    revision: 1,
  };
  const first = { ...router, routes: [{ destination: '10.0.0.0/8', nextHop: '10.0.2.2' }] };
  const { fabric, vms } = await region([...guests, { host: B, port: green, subnets: subnetsOf(green) }], {
    routers: [first, other],
  });
  const ping = fabric.ping(vms[0], '10.0.3.7');
  expect(ping).toMatchObject({ ok: true });
  expect(ping.hops[0]!.walk.outputs[0]!.packet).toMatchObject({ ip_ttl: 62, tunnel_id: 300n });
  const nowhere = icmpEcho(
    'request',
    { mac: mac(red.mac), ip: ipv4(red.ips[0]!) },
    { mac: mac('fa:16:3e:00:00:01'), ip: ipv4('10.77.0.1') },
  );
  const { received, hops } = fabric.send(vms[0], nowhere);
  expect(received).toEqual([]);
  expect(hops[0]!.walk.trace.filter(({ table }) => table === 'routing')).toHaveLength(64);
});

/** With everything to 10.0.2.0/24 allowed to leave, and what the group says to enter. */
const grouped = (ingress: string) => [
  { ...guests[0], port: { ...red, securityGroupIds: ['out'] } },
  { ...guests[1], port: { ...blue, securityGroupIds: [ingress] } },
];

test('groups judge what is routed, at both ends', async () => {
  const groups = [
    securityGroup('out', [rule({ direction: 'egress', remoteIpPrefix: '10.0.2.0/24' })]),
    securityGroup('in', [rule({ remoteIpPrefix: '10.0.1.0/24' })]),
    securityGroup('none', [rule({ remoteIpPrefix: '10.0.3.0/24' })]),
  ];
  const open = await region(grouped('in'), { routers: [router], groups });
  expect(open.fabric.ping(open.vms[0], '10.0.2.6')).toMatchObject({ ok: true });
  expect(open.fabric.ping(open.vms[1], '10.0.1.5')).toMatchObject({ ok: false });
  const closed = await region(grouped('none'), { routers: [router], groups });
  expect(closed.fabric.ping(closed.vms[0], '10.0.2.6')).toMatchObject({ ok: false });
});

test('members of a group are members wherever a router leads, and nowhere else', async () => {
  const groups = [
    securityGroup('all', [rule({ direction: 'egress' })]),
    securityGroup('in', [rule({ remoteGroupId: 'all' })]),
  ];
  const placed = [
    { ...guests[0], port: { ...red, securityGroupIds: ['all'] } },
    { ...guests[1], port: { ...blue, securityGroupIds: ['in'] } },
  ];
  const { fabric, vms, hosts } = await region(placed, { routers: [router], groups });
  expect(fabric.ping(vms[0], '10.0.2.6')).toMatchObject({ ok: true });
  const [, there] = hosts;
  there!.dataplane.setRouter({ ...router, interfaces: router.interfaces.slice(1) });
  await there!.dataplane.flush(never);
  expect(fabric.ping(vms[0], '10.0.2.6')).toMatchObject({ ok: false, reason: 'the request was not delivered' });
});

test('the first router of a network tells where its ports are, the last one takes it away, others cost their own flows', async () => {
  const { hosts } = await region(guests);
  const [{ dataplane, memory }] = hosts as [(typeof hosts)[0]];
  const inNextHop = () => memory.entries().filter(({ flow }) => flow.table === 62).length;
  const change = async (step: () => void): Promise<number> => {
    const before = memory.changesApplied;
    step();
    await dataplane.flush(never);
    await settled();
    return memory.changesApplied - before;
  };
  expect(inNextHop()).toBe(0);
  const flows = routerFlows(router, A).length;
  expect(await change(() => dataplane.setRouter(router))).toBe(flows + 4);
  // Its own four addresses, and the two of each port.
  expect(inNextHop()).toBe(8);
  expect(await change(() => dataplane.setRouter({ ...router, revision: 2 }))).toBe(0);
  const second = { ...router, id: 'second', interfaces: [{ ...router.interfaces[0]!, mac: 'fa:16:3e:00:00:09' }] };
  const its = routerFlows(second, A).filter(({ table }) => ![50, 62].includes(table)).length;
  // It has the same addresses as the first: those places are taken, by the smaller name or not.
  expect(await change(() => dataplane.setRouter(second))).toBeLessThanOrEqual(its + 5);
  expect(await change(() => dataplane.removeRouter('second'))).toBeLessThanOrEqual(its + 5);
  expect(await change(() => dataplane.setRouter({ ...router, adminStateUp: false }))).toBe(flows + 4);
  expect(inNextHop()).toBe(0);
});
