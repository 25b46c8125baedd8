/** Packets in the words of `ofproto/trace`, and as the connection tracker of the userspace datapath would know them. */
import { type Packet, packetText } from '@alcor/agent';
import { macNumber } from './random-packet.ts';
import type { Fields } from './traced.ts';

/** How the tracker of a host knows a connection that it has been told to remember. */
export interface Remembered {
  readonly host: string;
  readonly zone: number;
  readonly mark: string;
  /** How it began. */
  readonly first: Tuple;
}

/** What tells connections apart, by names of the tracker's fields; null: it is none that the tracker knows. */
export type Tuple = Fields | null;

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
  return {
    eth_src: macNumber(fields.get('dl_src') ?? ''),
    eth_dst: macNumber(fields.get('dl_dst') ?? ''),
    ...(ttl === undefined ? {} : { ip_ttl: Number(ttl) }),
  };
}

/** Belongs to the way through one switch. */
const ofSwitch = /^(reg\d+|metadata|in_port|recirc_id|eth|tun_.*|ct_.*|gtpu_.*|vlan_tci)$/;

/** The part of the packet that crosses an underlay. */
export function wireOf(fields: Fields): Fields {
  return new Map([...fields].filter(([name]) => !ofSwitch.test(name)));
}

/** The packet once the tracker has looked at it, with the zone's connections. */
export function trackedAs(fields: Fields, zone: number, known: readonly Remembered[]): Fields {
  const plain = [...fields].filter(([name]) => !/^(recirc_id|eth|ct_.*|tun_.*|gtpu_.*)$/.test(name));
  const own = tupleOf(fields);
  const answered = known.find(({ first }) => own !== null && first !== null && isSame(own, turned(first)));
  const state =
    answered !== undefined
      ? [['ct_state', 'trk|est|rpl'], ['ct_mark', answered.mark], ...answered.first!]
      : own === null || !mayOpen(own)
        ? [['ct_state', 'trk|inv']]
        : [['ct_state', 'trk|new'], ...own];
  return new Map([...(state as [string, string][]), ['ct_zone', String(zone)], ...plain]);
}

/** IANA's numbers of what the tracker of the userspace datapath knows, by Open vSwitch's names. */
const protocols: Readonly<Record<string, string>> = {
  tcp: '6',
  udp: '17',
  icmp: '1',
  tcp6: '6',
  udp6: '17',
  icmp6: '58',
};

export function tupleOf(fields: Fields): Tuple {
  const said = [...fields.keys()].find((name) => protocols[name] !== undefined);
  const proto = said === undefined ? fields.get('ip_proto') : protocols[said];
  if (proto === undefined || !Object.values(protocols).includes(proto)) return null;
  const of = (...spellings: string[]): string =>
    spellings.map((name) => fields.get(name)).find((value) => value !== undefined) ?? '';
  const isV6 = fields.has('ipv6_src');
  const isIcmp = proto === '1' || proto === '58';
  const ends: [string, string][] = isV6
    ? [['ct_ipv6_src', of('ipv6_src')], ['ct_ipv6_dst', of('ipv6_dst')]]
    : [['ct_nw_src', of('nw_src', 'ip_src')], ['ct_nw_dst', of('nw_dst', 'ip_dst')]]; // prettier-ignore
  const ports: [string, string][] = isIcmp
    ? [['ct_tp_src', of('icmp_type', 'icmpv6_type')], ['ct_tp_dst', of('icmp_code', 'icmpv6_code')]]
    : [['ct_tp_src', of('tp_src', 'tcp_src', 'udp_src')], ['ct_tp_dst', of('tp_dst', 'tcp_dst', 'udp_dst')]]; // prettier-ignore
  return new Map([['ct_nw_proto', proto], ...ends, ...ports]);
}

/** ICMP that asks, and its answers (RFC 792, RFC 4443). */
const answers: Readonly<Record<string, string>> = { '1 8': '0', '1 13': '14', '58 128': '129' };

function mayOpen(tuple: Fields): boolean {
  const proto = tuple.get('ct_nw_proto');
  if (proto === '6' || proto === '17') return true;
  return answers[`${proto} ${tuple.get('ct_tp_src')}`] !== undefined;
}

/** As a packet of the other direction says it. */
function turned(tuple: Fields): Fields {
  const answer = answers[`${tuple.get('ct_nw_proto')} ${tuple.get('ct_tp_src')}`];
  return new Map(
    Array.from(tuple, ([name, value]) => {
      if (answer === undefined || !name.startsWith('ct_tp')) return [name, tuple.get(otherEnd(name)) ?? value];
      return [name, name === 'ct_tp_src' ? answer : value];
    }),
  );
}

function otherEnd(name: string): string {
  return name.replace(/src$|dst$/, (end) => (end === 'src' ? 'dst' : 'src'));
}

function isSame(one: Fields, other: Fields): boolean {
  return [...one].every(([name, value]) => other.get(name) === value);
}
