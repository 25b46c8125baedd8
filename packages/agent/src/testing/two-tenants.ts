/** Two tenants with the same addresses and MACs on one host, and what a guest of the first asks its network. */
import {
  type Goal,
  PortConfiguration,
  RouterConfiguration,
  SubnetConfiguration,
  VpcConfiguration,
} from '@alcor/contract';
import { ipv4, ipv6, mac } from '@alcor/openflow';
import { encode } from 'dns-packet';
import { Buffer } from 'node:buffer';
import { encodeFrame, HOST_IP, HOST_IP6, HOST_MAC, linkLocal, type Packet } from '../dataplane/index.ts';

const guest = mac('02:00:00:00:00:05');
const gateway = mac('fa:16:3e:00:00:01');
export const VNI = 7;
export const OTHER_VNI = 8;
/** Frames as a guest would send them that asks properly. */
export const properFrames: readonly Uint8Array[] = [
  frame({ eth_type: 0x0806, arp_op: 1, arp_sha: guest, arp_spa: ipv4('10.0.0.5'), arp_tha: 0, arp_tpa: ipv4('10.0.0.9') }),
  frame(over6(58, 'ff02::1:ff00:9', { ...icmp6(135), nd_target: ipv6('fd00::9'), nd_options_type: 1, nd_sll: guest })),
  frame(over6(58, 'ff02::2', icmp6(133)), new Uint8Array(4)),
  frame(over4(17, '255.255.255.255', { udp_src: 68, udp_dst: 67 }), dhcp(1)),
  frame(over4(17, '255.255.255.255', { udp_src: 68, udp_dst: 67 }), dhcp(3)),
  frame(over6(17, 'ff02::1:2', { udp_src: 546, udp_dst: 547 }), Buffer.from(`01abcdef0001000a000300010200000000050003000c${'00'.repeat(12)}`, 'hex')),
  frame(over4(17, HOST_IP, { udp_src: 5353, udp_dst: 53 }), query('hidden.openstacklocal')),
  frame(over4(17, HOST_IP, { udp_src: 5353, udp_dst: 53 }), query('db')),
  frame(over4(17, HOST_IP, { udp_src: 5353, udp_dst: 53 }), query('5.0.0.10.in-addr.arpa', 'PTR')),
  frame(over6(17, HOST_IP6, { udp_src: 5353, udp_dst: 53 }), query('host-10-0-0-5')),
  frame(over4(6, HOST_IP, { tcp_src: 1000, tcp_dst: 80 }), Buffer.from('GET / HTTP/1.0\r\n\r\n')),
  frame({ ...over4(6, '10.9.0.1', { tcp_src: 1000, tcp_dst: 80 }), ip_ttl: 1, eth_dst: gateway }),
  frame({ ...over6(17, 'fd09::1', { udp_src: 1000, udp_dst: 80 }), ip_ttl: 1, eth_dst: gateway }),
  frame(over4(1, '10.0.0.9', { icmpv4_type: 8, icmpv4_code: 0 }), new Uint8Array(4)),
]; // prettier-ignore

function frame(headers: Packet, payload?: Uint8Array): Uint8Array {
  return encodeFrame({ eth_src: guest, eth_dst: mac(HOST_MAC), ...headers }, payload);
}

function over4(ip_proto: number, to: string, rest: Packet): Packet {
  return { eth_type: 0x0800, ip_proto, ipv4_src: ipv4('10.0.0.5'), ipv4_dst: ipv4(to), ...rest };
}

function over6(ip_proto: number, to: string, rest: Packet): Packet {
  return { eth_type: 0x86dd, ip_proto, ipv6_src: linkLocal(guest), ipv6_dst: ipv6(to), ...rest };
}

function icmp6(icmpv6_type: number): Packet {
  return { icmpv6_type, icmpv6_code: 0 };
}

function dhcp(type: number): Uint8Array {
  const bytes = Buffer.alloc(250);
  bytes.set([1, 1, 6]);
  bytes.writeUIntBE(guest, 28, 6);
  bytes.set([0x63, 0x82, 0x53, 0x63, 53, 1, type, 55, 2, 6, 249, 255], 236);
  return bytes;
}

function query(name: string, type: 'A' | 'PTR' = 'A'): Uint8Array {
  return encode({ type: 'query', id: 1, flags: 0x100, questions: [{ name, type }] });
}

interface Tenant {
  readonly name: string;
  readonly dns: string;
  readonly route: string;
}

/** VPC `v`, port `p`. */
const mine: Tenant = { name: 'db', dns: '192.0.2.53', route: '10.77.0.0/24' };
/** VPC `w`, port `q`. */
const theirs: Tenant = { name: 'hidden', dns: '198.51.100.99', route: '203.0.113.0/24' };

export const goalsOfBoth: readonly Goal[] = [...tenant('v', 'p', VNI, mine), ...tenant('w', 'q', OTHER_VNI, theirs)];

/** A network with subnets of both families and a router, and a port of this host; the addresses of any two are the same. */
function tenant(vpcId: string, id: string, tunnelId: number, { name, dns, route }: Tenant): Goal[] {
  const fixedIps = [
    { subnetId: `four-${vpcId}`, ipAddress: '10.0.0.5' },
    { subnetId: `six-${vpcId}`, ipAddress: 'fd00::5' },
  ];
  const interfaces = [
    { portId: `i-${vpcId}`, vpcId, macAddress: 'fa:16:3e:00:00:01', fixedIps: [
      { subnetId: `four-${vpcId}`, ipAddress: '10.0.0.1' }, { subnetId: `six-${vpcId}`, ipAddress: 'fd00::1' },
    ] },
  ]; // prettier-ignore
  const plain = { vpcId, revisionNumber: 1 };
  const four = { cidr: '10.0.0.0/24', gateway: { ipAddress: '10.0.0.1', macAddress: '' } };
  const hostRoutes = [{ destination: route, nextHopIp: '10.0.0.9' }];
  const modes = { ipv6RaMode: 'dhcpv6-stateful', ipv6AddressMode: 'dhcpv6-stateful' };
  return [
    { kind: 'vpc', state: VpcConfiguration.fromPartial({ id: vpcId, revisionNumber: 1, tunnelId, mtu: 1400, dnsDomains: ['openstacklocal.'] }) },
    { kind: 'subnet', state: SubnetConfiguration.fromPartial({ ...plain, id: `four-${vpcId}`, dhcpEnable: true, dnsEntryList: [{ entry: dns }], hostRoutes, ...four }) },
    { kind: 'subnet', state: SubnetConfiguration.fromPartial({ ...plain, id: `six-${vpcId}`, dhcpEnable: true, cidr: 'fd00::/64', ...modes }) },
    { kind: 'router', state: RouterConfiguration.fromPartial({ ...plain, id: `r-${vpcId}`, interfaces }) },
    { kind: 'port', state: PortConfiguration.fromPartial({ ...plain, id, macAddress: '02:00:00:00:00:05', adminStateUp: true, portSecurityDisabled: true, fixedIps, dnsName: name }) },
  ]; // prettier-ignore
}
