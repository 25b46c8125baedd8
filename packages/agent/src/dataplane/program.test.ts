import { expect, test } from 'vitest';
import { cookieText, resourceCookie, RESOURCE_MASK } from './cookie.ts';
import { flowKey } from './flow.ts';
import { checkFlow } from './check-flow.ts';
import { pipeline } from './pipeline.ts';
import { hostFlows, neighborFlows, portFlows } from './program.ts';
import type { LocalPort } from './resources.ts';
import { neighborOf, port } from './testing/region.ts';
import { flowsText } from './testing/text.ts';

test('the flows of the host', () => {
  expect(flowsText(hostFlows(1))).toMatchInlineSnapshot(`
    "arriving 0  → goto:77
    arrivingReply 100 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58,nd_options_type=2 → nd_tll[0+48]:=eth_src[0+48] goto:70
    back 100  → output:in_port
    classify 100 in_port=1 → metadata[0+64]:=tunnel_id[0+64] goto:77
    departing 122 reg0=0 → drop
    entering 120 eth_type=0x800,ip_proto=17,udp_dst=68,udp_src=67 → goto:86
    entering 120 eth_type=0x806 → goto:86
    entering 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=130,ip_proto=58 → goto:86
    entering 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=131,ip_proto=58 → goto:86
    entering 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=132,ip_proto=58 → goto:86
    entering 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=134,ip_proto=58 → goto:86
    entering 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58 → goto:86
    entering 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58 → goto:86
    entering 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=143,ip_proto=58 → goto:86
    entering 120 eth_type=0x86dd,ip_proto=17,udp_dst=546,udp_src=547 → goto:86
    enteringBorder 120 eth_type=0x800,ipv4_src=169.254.0.0/255.255.0.0 → goto:81
    enteringBorder 121 eth_type=0x800,ipv4_src=0.0.0.0 → goto:81
    enteringBorder 122 eth_type=0x86dd,ipv6_dst=fe80::/ffc0::,ipv6_src=fe80::/ffc0:: → goto:81
    enteringBorder 123 eth_type=0x86dd,ipv6_dst=ff00::/ff00::,ipv6_src=fe80::/ffc0:: → goto:81
    enteringBorder 124 eth_type=0x86dd,ipv6_src=:: → goto:81
    enteringBorder 130 eth_type=0x86dd,icmpv6_type=135,ip_proto=58 → goto:81
    enteringBorder 131 eth_type=0x86dd,icmpv6_type=136,ip_proto=58 → goto:81
    enteringSubnet 0  → goto:81
    enteringTrack 120 reg2=1 → goto:86
    enteringVerdict 120 ct_state=0x28/0x38,reg2=1 → goto:86
    leaving 120 eth_type=0x800,ip_proto=17,udp_dst=67,udp_src=68 → goto:50
    leaving 120 eth_type=0x806 → goto:50
    leaving 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=130,ip_proto=58 → goto:50
    leaving 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=131,ip_proto=58 → goto:50
    leaving 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=132,ip_proto=58 → goto:50
    leaving 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=133,ip_proto=58 → goto:50
    leaving 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58 → goto:50
    leaving 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58 → goto:50
    leaving 120 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=143,ip_proto=58 → goto:50
    leaving 120 eth_type=0x86dd,ip_proto=17,udp_dst=547,udp_src=546 → goto:50
    leavingBorder 120 eth_type=0x800,ipv4_dst=224.0.0.0/240.0.0.0 → goto:20
    leavingBorder 121 eth_type=0x800,ipv4_dst=255.255.255.255 → goto:20
    leavingBorder 122 eth_type=0x800,ipv4_dst=169.254.0.0/255.255.0.0 → goto:20
    leavingBorder 123 eth_type=0x86dd,ipv6_dst=ff00::/ff00:: → goto:20
    leavingBorder 124 eth_type=0x86dd,ipv6_dst=fe80::/ffc0:: → goto:20
    leavingBorder 130 eth_type=0x86dd,icmpv6_type=135,ip_proto=58 → goto:20
    leavingBorder 131 eth_type=0x86dd,icmpv6_type=136,ip_proto=58 → goto:20
    leavingSubnet 0  → goto:20
    leavingTrack 120 reg2=1 → goto:50
    leavingVerdict 120 ct_state=0x28/0x38,reg2=1 → goto:50
    localIp 0  → goto:13
    localIpAnswer 0  → goto:90
    ndReply 100 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58,nd_options_type=2 → nd_tll[0+48]:=eth_src[0+48],resubmit:92
    policing 0  → goto:10
    routers 0  → goto:70
    routing 2100 eth_type=0x86dd,ipv6_dst=fe80::/ffc0:: → drop
    routing 2100 eth_type=0x86dd,ipv6_dst=ff00::/ff00:: → drop
    routing 2101 eth_type=0x86dd,ipv6_src=fe80::/ffc0:: → drop
    services 0  → goto:60
    services 11 eth_type=0x800,ipv4_dst=169.254.169.254 → drop
    services 11 eth_type=0x86dd,ipv6_dst=fe80::a9fe:a9fe → drop
    services 50 arp_op=1,arp_tpa=169.254.169.254,eth_type=0x806 → eth_dst[0+48]:=eth_src[0+48],eth_src:=02:00:5e:00:00:67,arp_op:=2,arp_tha[0+48]:=arp_sha[0+48],arp_sha:=02:00:5e:00:00:67,arp_tpa[0+32]:=arp_spa[0+32],arp_spa:=169.254.169.254,resubmit:92
    services 50 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,nd_options_type=1,nd_target=fe80::a9fe:a9fe → eth_dst[0+48]:=eth_src[0+48],eth_src:=02:00:5e:00:00:67,ipv6_dst[0+128]:=ipv6_src[0+128],ipv6_src:=fe80::a9fe:a9fe,icmpv6_type:=136,nd_options_type:=2,nd_reserved:=0x60000000 goto:51
    tunnel 100  → tunnel_id[0+64]:=metadata[0+64],output:1"
  `);
});

test('without a tunnel port the host has no flows that lead to or from one', () => {
  const tables = hostFlows(null).map(({ table }) => table);
  expect(tables).not.toContain(pipeline.tunnel.id);
  expect(tables).not.toContain(pipeline.classify.id);
});

test('the flows of a port with an IPv4 address', () => {
  expect(flowsText(portFlows(port('p'), 7))).toMatchInlineSnapshot(`
    "antispoof 100 arp_sha=02:00:00:00:00:01,arp_spa=10.0.0.1,eth_src=02:00:00:00:00:01,eth_type=0x806,reg0=7 → goto:11
    antispoof 100 eth_src=02:00:00:00:00:01,eth_type=0x800,ipv4_src=10.0.0.1,reg0=7 → goto:11
    antispoof 110 eth_type=0x800,ip_proto=17,reg0=7,udp_dst=68,udp_src=67 → drop
    antispoof 120 arp_sha=02:00:00:00:00:01,arp_spa=0.0.0.0,arp_tpa=10.0.0.1,eth_src=02:00:00:00:00:01,eth_type=0x806,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:01,eth_type=0x800,ip_proto=17,ipv4_src=0.0.0.0,reg0=7,udp_dst=67,udp_src=68 → goto:11
    antispoof 50 reg0=7 → drop
    classify 100 in_port=7,vlan_vid=0 → reg0:=7 metadata:=100 goto:10
    delivery 100 eth_dst=02:00:00:00:00:01,metadata=100 → reg1:=7 goto:78
    entering 100 reg1=7 → goto:86
    entering 130 reg0=7,reg1=7 → drop
    leaving 100 reg0=7 → goto:50
    neighbour 100 eth_dst=02:00:00:00:00:01,metadata=100 → goto:77
    output 100 reg1=7 → in_port_nxm:=0,output:reg1
    services 100 arp_op=1,arp_tpa=10.0.0.1,eth_type=0x806,metadata=100 → eth_dst[0+48]:=eth_src[0+48],eth_src:=02:00:00:00:00:01,arp_op:=2,arp_tha[0+48]:=arp_sha[0+48],arp_sha:=02:00:00:00:00:01,arp_tpa[0+32]:=arp_spa[0+32],arp_spa:=10.0.0.1,resubmit:92
    services 100 eth_type=0x800,ip_proto=17,ipv4_dst=169.254.169.254,reg0=7,udp_dst=53 → controller:meter=101
    services 100 eth_type=0x800,ip_proto=17,reg0=7,udp_dst=67,udp_src=68 → controller:meter=101
    services 100 eth_type=0x800,ip_proto=6,ipv4_dst=169.254.169.254,reg0=7,tcp_dst=80 → controller:meter=101
    services 110 arp_op=1,arp_tpa=10.0.0.1,eth_type=0x806,reg0=7 → drop"
  `);
});

test('the flows of a port with an IPv6 address', () => {
  expect(flowsText(portFlows(port('p', { ips: ['fd00::1'] }), 7))).toMatchInlineSnapshot(`
    "antispoof 100 eth_src=02:00:00:00:00:01,eth_type=0x86dd,ipv6_src=fd00::1,reg0=7 → goto:11
    antispoof 100 eth_src=02:00:00:00:00:01,eth_type=0x86dd,ipv6_src=fe80::ff:fe00:1,reg0=7 → goto:11
    antispoof 110 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=134,ip_proto=58,reg0=7 → drop
    antispoof 110 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,reg0=7 → drop
    antispoof 110 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58,reg0=7 → drop
    antispoof 110 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=137,ip_proto=58,reg0=7 → drop
    antispoof 110 eth_type=0x86dd,ip_proto=17,reg0=7,udp_dst=546,udp_src=547 → drop
    antispoof 120 eth_src=02:00:00:00:00:01,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,ipv6_src=::,nd_target=fd00::1,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:01,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,ipv6_src=::,nd_target=fe80::ff:fe00:1,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:01,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,ipv6_src=fd00::1,nd_sll=02:00:00:00:00:01,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:01,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,ipv6_src=fe80::ff:fe00:1,nd_sll=02:00:00:00:00:01,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:01,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58,ipv6_src=fd00::1,nd_target=fd00::1,nd_tll=02:00:00:00:00:01,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:01,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58,ipv6_src=fe80::ff:fe00:1,nd_target=fe80::ff:fe00:1,nd_tll=02:00:00:00:00:01,reg0=7 → goto:11
    antispoof 50 reg0=7 → drop
    classify 100 in_port=7,vlan_vid=0 → reg0:=7 metadata:=100 goto:10
    delivery 100 eth_dst=02:00:00:00:00:01,metadata=100 → reg1:=7 goto:78
    entering 100 reg1=7 → goto:86
    entering 130 reg0=7,reg1=7 → drop
    leaving 100 reg0=7 → goto:50
    neighbour 100 eth_dst=02:00:00:00:00:01,metadata=100 → goto:77
    output 100 reg1=7 → in_port_nxm:=0,output:reg1
    services 100 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=133,ip_proto=58,reg0=7 → controller:meter=101
    services 100 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,metadata=100,nd_options_type=1,nd_target=fd00::1 → eth_dst[0+48]:=eth_src[0+48],eth_src:=02:00:00:00:00:01,ipv6_dst[0+128]:=ipv6_src[0+128],ipv6_src:=fd00::1,icmpv6_type:=136,nd_options_type:=2,nd_reserved:=0x60000000 goto:51
    services 100 eth_type=0x86dd,ip_proto=17,ipv6_dst=fe80::a9fe:a9fe,reg0=7,udp_dst=53 → controller:meter=101
    services 100 eth_type=0x86dd,ip_proto=17,reg0=7,udp_dst=547,udp_src=546 → controller:meter=101
    services 100 eth_type=0x86dd,ip_proto=6,ipv6_dst=fe80::a9fe:a9fe,reg0=7,tcp_dst=80 → controller:meter=101
    services 110 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,nd_target=fd00::1,reg0=7 → drop"
  `);
});

test('the flows of a port without port security', () => {
  const flows = portFlows(port('p', { portSecurityEnabled: false }), 7);
  expect(flowsText(flows.filter(({ table }) => table === pipeline.antispoof.id))).toMatchInlineSnapshot(
    `"antispoof 50 reg0=7 → goto:11"`,
  );
});

test('an allowed address pair is a source like any other, with its own MAC', () => {
  const pairs = [
    { ip: '10.9.0.0/16', mac: '02:00:00:00:00:01' },
    { ip: '10.0.0.1', mac: '02:00:00:00:00:01' },
    { ip: 'fd09::/64', mac: '02:00:00:00:00:0a' },
    { ip: '0.0.0.0/0', mac: '02:00:00:00:00:0b' },
  ];
  const without = new Set(portFlows(port('p'), 7).map(flowKey));
  const more = portFlows(port('p', { allowedAddressPairs: pairs }), 7).filter((flow) => !without.has(flowKey(flow)));
  expect(flowsText(more)).toMatchInlineSnapshot(`
    "antispoof 100 arp_sha=02:00:00:00:00:01,arp_spa=10.9.0.0/255.255.0.0,eth_src=02:00:00:00:00:01,eth_type=0x806,reg0=7 → goto:11
    antispoof 100 arp_sha=02:00:00:00:00:0b,eth_src=02:00:00:00:00:0b,eth_type=0x806,reg0=7 → goto:11
    antispoof 100 eth_src=02:00:00:00:00:01,eth_type=0x800,ipv4_src=10.9.0.0/255.255.0.0,reg0=7 → goto:11
    antispoof 100 eth_src=02:00:00:00:00:0a,eth_type=0x86dd,ipv6_src=fd09::/ffff:ffff:ffff:ffff::,reg0=7 → goto:11
    antispoof 100 eth_src=02:00:00:00:00:0a,eth_type=0x86dd,ipv6_src=fe80::ff:fe00:a,reg0=7 → goto:11
    antispoof 100 eth_src=02:00:00:00:00:0b,eth_type=0x800,reg0=7 → goto:11
    antispoof 110 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=134,ip_proto=58,reg0=7 → drop
    antispoof 110 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,reg0=7 → drop
    antispoof 110 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58,reg0=7 → drop
    antispoof 110 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=137,ip_proto=58,reg0=7 → drop
    antispoof 110 eth_type=0x86dd,ip_proto=17,reg0=7,udp_dst=546,udp_src=547 → drop
    antispoof 120 arp_sha=02:00:00:00:00:01,arp_spa=0.0.0.0,arp_tpa=10.9.0.0/255.255.0.0,eth_src=02:00:00:00:00:01,eth_type=0x806,reg0=7 → goto:11
    antispoof 120 arp_sha=02:00:00:00:00:0b,arp_spa=0.0.0.0,eth_src=02:00:00:00:00:0b,eth_type=0x806,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:0a,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,ipv6_src=::,nd_target=fd09::/ffff:ffff:ffff:ffff::,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:0a,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,ipv6_src=::,nd_target=fe80::ff:fe00:a,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:0a,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,ipv6_src=fd09::/ffff:ffff:ffff:ffff::,nd_sll=02:00:00:00:00:0a,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:0a,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,ipv6_src=fe80::ff:fe00:a,nd_sll=02:00:00:00:00:0a,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:0a,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58,ipv6_src=fd09::/ffff:ffff:ffff:ffff::,nd_target=fd09::/ffff:ffff:ffff:ffff::,nd_tll=02:00:00:00:00:0a,reg0=7 → goto:11
    antispoof 120 eth_src=02:00:00:00:00:0a,eth_type=0x86dd,icmpv6_code=0,icmpv6_type=136,ip_proto=58,ipv6_src=fe80::ff:fe00:a,nd_target=fe80::ff:fe00:a,nd_tll=02:00:00:00:00:0a,reg0=7 → goto:11"
  `);
});

test('a port that is administratively down is one flow that drops', () => {
  expect(flowsText(portFlows(port('p', { adminStateUp: false }), 7))).toBe('classify 100 in_port=7,vlan_vid=0 → drop');
});

test('the flows of a neighbour', () => {
  const neighbor = neighborOf(port('n', { ips: ['10.0.0.2', 'fd00::2'] }), '192.0.2.2');
  expect(flowsText(neighborFlows(neighbor, '192.0.2.1'))).toMatchInlineSnapshot(`
    "neighbour 100 eth_dst=02:00:00:00:00:01,metadata=100 → tun_dst:=192.0.2.2 goto:75
    services 100 arp_op=1,arp_tpa=10.0.0.2,eth_type=0x806,metadata=100 → eth_dst[0+48]:=eth_src[0+48],eth_src:=02:00:00:00:00:01,arp_op:=2,arp_tha[0+48]:=arp_sha[0+48],arp_sha:=02:00:00:00:00:01,arp_tpa[0+32]:=arp_spa[0+32],arp_spa:=10.0.0.2,resubmit:92
    services 100 eth_type=0x86dd,icmpv6_code=0,icmpv6_type=135,ip_proto=58,metadata=100,nd_options_type=1,nd_target=fd00::2 → eth_dst[0+48]:=eth_src[0+48],eth_src:=02:00:00:00:00:01,ipv6_dst[0+128]:=ipv6_src[0+128],ipv6_src:=fd00::2,icmpv6_type:=136,nd_options_type:=2,nd_reserved:=0x60000000 goto:51"
  `);
});

test("a neighbour with this host's own address is nothing", () => {
  expect(neighborFlows(neighborOf(port('n'), '192.0.2.1'), '192.0.2.1')).toEqual([]);
});

test('every flow holds to the pipeline', () => {
  const ips = ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'];
  const flows = [
    ...hostFlows(1),
    ...portFlows(port('a', { ips }), 7),
    ...portFlows(port('a', { ips, portSecurityEnabled: false }), 7),
    ...portFlows(port('a', { ips, adminStateUp: false }), 7),
    ...portFlows(
      port('a', { allowedAddressPairs: ips.map((ip) => ({ ip: `${ip}/20`, mac: '02:00:00:00:00:0a' })) }),
      7,
    ),
    ...neighborFlows(neighborOf(port('n', { ips }), '192.0.2.2'), '192.0.2.1'),
  ];
  for (const flow of flows) expect(() => checkFlow(flow)).not.toThrow();
});

test('all flows of a resource share the upper half of their cookies, and no two share all of it', () => {
  const flows = portFlows(port('p', { ips: ['10.0.0.1', 'fd00::1'] }), 7);
  for (const { cookie } of flows) expect(cookie & RESOURCE_MASK).toBe(resourceCookie('p'));
  expect(new Set(flows.map(({ cookie }) => cookie)).size).toBe(flows.length);
  expect(new Set(flows.map(flowKey)).size).toBe(flows.length);
});

function cookies(of: LocalPort, ofport: number): string[] {
  return portFlows(of, ofport).map(({ cookie }) => cookieText(cookie));
}

test('a cookie is a function of what the flow says and of nothing else', () => {
  expect(cookies(port('p', { revision: 2 }), 7)).toEqual(cookies(port('p'), 7));
  const moved = cookies(port('p'), 8);
  const before = cookies(port('p'), 7);
  // Those two speak of the VNI and the address alone; all others name the port.
  expect(moved.filter((cookie) => before.includes(cookie))).toHaveLength(2);
  // Known values: a new version of the program finds the flows that an old one wrote.
  expect(cookieText(resourceCookie('p'))).toMatchInlineSnapshot(`"0x7368848400000000"`);
});

test.each([
  ['a MAC', { mac: '02:00' }],
  ['an IPv4 address', { ips: ['10.0.0.256'] }],
  ['an IPv6 address', { ips: ['fd00::g'] }],
  ['a prefix length', { allowedAddressPairs: [{ ip: '10.0.0.0/33', mac: '02:00:00:00:00:01' }] }],
  ['a MAC', { allowedAddressPairs: [{ ip: '10.0.0.0/32', mac: 'mine' }] }],
])('%s that is none is refused', (_, changes) => {
  expect(() => portFlows(port('p', changes), 7)).toThrow('not a');
});
