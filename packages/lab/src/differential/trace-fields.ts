/** Packets in the words of `ofproto/trace`. */
import { type Packet, packetText } from '@alcor/agent';
import { macNumber, numberOf } from './frames.ts';
import type { Fields } from './traced.ts';

const names: Readonly<Record<string, string>> = {
  ipv4_src: 'ip_src',
  ipv4_dst: 'ip_dst',
  ip_ttl: 'nw_ttl',
  icmpv4_type: 'icmp_type',
  icmpv4_code: 'icmp_code',
};

/** A guest's packet. A solicitation has no target's link address, and an advertisement no sender's. */
export function traceText(packet: Packet): string {
  const absent = packet.icmpv6_type === 135 ? 'nd_tll' : 'nd_sll';
  return packetText(packet)
    .split(',')
    .map((part) => part.split('='))
    .filter(([name]) => name !== absent)
    .map(([name = '', value]) => `${names[name] ?? name}=${value}`)
    .join(',');
}

/** What a verdict says of it. */
export function headersOf(fields: Fields): Packet {
  const ttl = fields.get('nw_ttl');
  const tos = fields.get('nw_tos');
  const protocol = ['tcp', 'udp'].find((name) => fields.has(name) || fields.has(`${name}6`));
  return {
    ...addressesOf(fields),
    ...(protocol === undefined ? {} : portsOf(fields, protocol)),
    eth_src: macNumber(fields.get('dl_src') ?? ''),
    eth_dst: macNumber(fields.get('dl_dst') ?? ''),
    ...(ttl === undefined ? {} : { ip_ttl: Number(ttl) }),
    ...(tos === undefined ? {} : { ip_dscp: Number(tos) >> 2 }),
  };
}

/** Belongs to the way through one switch. */
const ofSwitch = /^(reg\d+|metadata|in_port|recirc_id|eth|tun_.*|ct_.*|gtpu_.*|vlan_tci1?|dl_vlan|dl_vlan_pcp)$/;

/** The part of the packet that crosses an underlay. */
export function wireOf(fields: Fields): Fields {
  return new Map([...fields].filter(([name]) => !ofSwitch.test(name)));
}

function addressesOf(fields: Fields): Packet {
  const of = (name: string): bigint => numberOf(fields.get(name) ?? '');
  if (fields.has('nw_src')) return { ipv4_src: Number(of('nw_src')), ipv4_dst: Number(of('nw_dst')) };
  return fields.has('ipv6_src') ? { ipv6_src: of('ipv6_src'), ipv6_dst: of('ipv6_dst') } : {};
}

function portsOf(fields: Fields, protocol: string): Packet {
  return { [`${protocol}_src`]: Number(fields.get('tp_src')), [`${protocol}_dst`]: Number(fields.get('tp_dst')) };
}
