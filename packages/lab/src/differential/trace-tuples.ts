/** What tells connections apart, in the names of the tracker's fields. */
import type { Fields, Nat } from './traced.ts';

/** Null: it is none that the tracker knows. */
export type Tuple = Fields | null;

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

export function mayOpen(tuple: Fields): boolean {
  const proto = tuple.get('ct_nw_proto');
  if (proto === '6' || proto === '17') return true;
  return answers[`${proto} ${tuple.get('ct_tp_src')}`] !== undefined;
}

/** As a packet of the other direction says it. */
export function turned(tuple: Fields): Fields {
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

export function isSame(one: Fields, other: Fields): boolean {
  return [...one].every(([name, value]) => other.get(name) === value);
}

/** As the other end of a connection sees it that is translated so. */
export function translated(tuple: Fields, nat: Nat | undefined): Fields {
  if (nat === undefined) return tuple;
  const { side, ip, port } = nat;
  return new Map([...tuple, [`ct_nw_${side}`, ip], ...(port === null ? [] : ([[`ct_tp_${side}`, port]] as const))]);
}
