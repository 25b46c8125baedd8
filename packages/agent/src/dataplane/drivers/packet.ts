/** Packets as plain maps of fields, as the pipeline sees them, and the few that tests and the simulation send. */
import { ipv4Text, ipv6Text, macText } from '@alcor/openflow';
import { unreachable } from '../assert.ts';
import { fields, normalise, type Field, type FieldValue } from '../fields.ts';

export type Packet = { readonly [F in Field]?: FieldValue } & {
  /** Bytes of the whole frame, where it matters. */
  readonly frameLength?: number;
};

/** Fields that belong to the way through one switch and not to the packet: no wire carries them. */
export const stateFields: ReadonlySet<string> = new Set<Field>([
  'in_port', 'metadata', 'tunnel_id', 'tun_src', 'tun_dst',
  'reg0', 'reg1', 'reg2', 'reg3', 'reg4', 'reg5', 'reg6', 'reg7', 'reg8', 'reg9', 'reg10', 'reg11', 'reg12', 'reg13', 'reg14', 'reg15',
  'ct_state', 'ct_mark', 'ct_nw_proto', 'ct_nw_src', 'ct_nw_dst', 'ct_ipv6_src', 'ct_ipv6_dst', 'ct_tp_src', 'ct_tp_dst',
]); // prettier-ignore

export const BROADCAST = 0xffff_ffff_ffff;

/** Hops that a packet begins with, as of most kernels. */
const TTL = 64;

interface From {
  readonly mac: number;
  readonly ip: number;
}

interface From6 {
  readonly mac: number;
  readonly ip: bigint;
}

/** A broadcast ARP request: who has `target`? A gratuitous one asks for its own address, a probe says `ip: 0`. */
export function arpRequest(from: From, target: number): Packet {
  return arp(1, from, { mac: 0, ip: target }, BROADCAST);
}

export function arpReply(from: From, to: From): Packet {
  return arp(2, from, to, to.mac);
}

export function icmpEcho(kind: 'request' | 'reply', from: From, to: From): Packet {
  return {
    eth_src: from.mac,
    eth_dst: to.mac,
    eth_type: 0x0800,
    ip_proto: 1,
    ip_ttl: TTL,
    ipv4_src: from.ip,
    ipv4_dst: to.ip,
    icmpv4_type: kind === 'request' ? 8 : 0,
    icmpv4_code: 0,
  };
}

export function icmpv6Echo(kind: 'request' | 'reply', from: From6, to: From6): Packet {
  return icmpv6(from, to, kind === 'request' ? 128 : 129);
}

interface Socket {
  readonly mac: number;
  readonly ip: number | bigint;
  readonly port: number;
}

/** Over IPv6 where the addresses are bigint. */
export function udp(from: Socket, to: Socket): Packet {
  return { ...overIp(from, to, 17), udp_src: from.port, udp_dst: to.port };
}

/** A segment of any kind: flags are not looked at. */
export function tcp(from: Socket, to: Socket): Packet {
  return { ...overIp(from, to, 6), tcp_src: from.port, tcp_dst: to.port };
}

function overIp(from: Socket, to: Socket, ip_proto: number): Packet {
  const frame = { eth_src: from.mac, eth_dst: to.mac };
  if (typeof from.ip === 'bigint' && typeof to.ip === 'bigint')
    return { ...frame, eth_type: 0x86dd, ip_proto, ip_ttl: TTL, ipv6_src: from.ip, ipv6_dst: to.ip };
  return { ...frame, eth_type: 0x0800, ip_proto, ip_ttl: TTL, ipv4_src: Number(from.ip), ipv4_dst: Number(to.ip) };
}

/** To the solicited-node multicast address of `target` (RFC 4291 section 2.7.1), with the sender's link address. */
export function neighborSolicitation(from: From6, target: bigint): Packet {
  const to = {
    mac: 0x3333ff000000 + Number(target & 0xffffffn),
    ip: (0xff02n << 112n) | 0x1ff000000n | (target & 0xffffffn),
  };
  const nd = { nd_target: target, nd_reserved: 0, nd_tll: 0 };
  const probe = from.ip === 0n;
  return { ...icmpv6(from, to, 135), ...nd, nd_sll: probe ? 0 : from.mac, nd_options_type: probe ? 0 : 1 };
}

/** An answer, solicited and overriding. */
export function neighborAdvertisement(from: From6, to: From6): Packet {
  const nd = { nd_target: from.ip, nd_reserved: 0x60000000, nd_options_type: 2, nd_sll: 0, nd_tll: from.mac };
  return { ...icmpv6(from, to, 136), ...nd };
}

/** The part of `packet` that a wire carries. */
export function onTheWire(packet: Packet): Packet {
  const wire: { [field: string]: FieldValue } = {};
  for (const [field, value] of Object.entries(packet))
    if (!stateFields.has(field) && !(field === 'vlan_vid' && value === 0)) wire[field] = value;
  return wire;
}

/** The packet on one line, as people read it. */
export function packetText(packet: Packet): string {
  return entriesOf(packet)
    .map(([field, value]) => `${field}=${valueText(field, value)}`)
    .join(',');
}

/** A value the way people write it: addresses as addresses. */
export function valueText(field: Field, value: FieldValue): string {
  switch (fields[field].kind) {
    case 'mac':
      return macText(Number(value));
    case 'ipv4':
      return ipv4Text(Number(value));
    case 'ipv6':
      return ipv6Text(BigInt(value));
    case 'hex':
      return `0x${value.toString(16)}`;
    case 'number':
      return String(value);
    default:
      return unreachable(fields[field]);
  }
}

/** `packet` with every value in its field's own representation. */
export function normalised(packet: Packet): Packet {
  const { frameLength } = packet;
  const its = Object.fromEntries(entriesOf(packet).map(([field, value]) => [field, normalise(field, value)]));
  return frameLength === undefined ? its : { ...its, frameLength };
}

function entriesOf(packet: Packet): [Field, FieldValue][] {
  return Object.entries(packet).filter(([name]) => name !== 'frameLength') as [Field, FieldValue][];
}

function arp(op: number, from: From, to: From, dst: number): Packet {
  return {
    eth_src: from.mac,
    eth_dst: dst,
    eth_type: 0x0806,
    arp_op: op,
    arp_spa: from.ip,
    arp_tpa: to.ip,
    arp_sha: from.mac,
    arp_tha: to.mac,
  };
}

function icmpv6(from: From6, to: From6, type: number): Packet {
  return {
    eth_src: from.mac,
    eth_dst: to.mac,
    eth_type: 0x86dd,
    ip_proto: 58,
    // What discovery says is of this link only (RFC 4861 section 7.1.1).
    ip_ttl: type === 128 || type === 129 ? TTL : 255,
    ipv6_src: from.ip,
    ipv6_dst: to.ip,
    icmpv6_type: type,
    icmpv6_code: 0,
  };
}
