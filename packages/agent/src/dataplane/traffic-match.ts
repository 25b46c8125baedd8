/** What rules say of packets, as matches: one for each prefix of their ports. */
import { isIpv6, prefixMatch } from './address.ts';
import type { Field } from './fields.ts';
import type { Match, MatchValue } from './flow.ts';
import type { TrafficRule } from './resources.ts';

const ICMP = 1;
const ICMPV6 = 58;

/** The fields that say where a packet goes to: its own, or those of the packet that opened its connection. */
export interface Vocabulary {
  readonly remote: { readonly [D in TrafficRule['direction']]: readonly [v4: Field, v6: Field] };
  readonly protocol: Field;
  readonly ports: { readonly [protocol: number]: Field };
  readonly icmp: { readonly [protocol: number]: readonly [type: Field, code: Field] };
}

export const ofConnections: Vocabulary = {
  remote: { ingress: ['ct_nw_src', 'ct_ipv6_src'], egress: ['ct_nw_dst', 'ct_ipv6_dst'] },
  protocol: 'ct_nw_proto',
  ports: { 6: 'ct_tp_dst', 17: 'ct_tp_dst', 132: 'ct_tp_dst' },
  icmp: { [ICMP]: ['ct_tp_src', 'ct_tp_dst'], [ICMPV6]: ['ct_tp_src', 'ct_tp_dst'] },
};

export const ofPackets: Vocabulary = {
  remote: { ingress: ['ipv4_src', 'ipv6_src'], egress: ['ipv4_dst', 'ipv6_dst'] },
  protocol: 'ip_proto',
  ports: { 6: 'tcp_dst', 17: 'udp_dst', 132: 'sctp_dst' },
  icmp: { [ICMP]: ['icmpv4_type', 'icmpv4_code'], [ICMPV6]: ['icmpv6_type', 'icmpv6_code'] },
};

/** The packets that a rule speaks of. Throws where it means nothing. */
export function trafficMatches(rule: TrafficRule, words: Vocabulary): Match[] {
  const from = { eth_type: etherType(rule.ethertype), ...prefixOf(rule, words) };
  return protocolOf(rule, words).map((match) => ({ ...from, ...match }));
}

export function etherType(ethertype: TrafficRule['ethertype']): number {
  return ethertype === 'IPv4' ? 0x0800 : 0x86dd;
}

function prefixOf({ remoteIpPrefix, direction, ethertype }: TrafficRule, words: Vocabulary): Match {
  if (!remoteIpPrefix) return {};
  const v6 = isIpv6(remoteIpPrefix);
  if (v6 !== (ethertype === 'IPv6')) throw new Error(`${remoteIpPrefix} is not a prefix of ${ethertype}`);
  return named(words.remote[direction][v6 ? 1 : 0], prefixMatch(remoteIpPrefix));
}

/** One match per prefix of the port range. */
function protocolOf(rule: TrafficRule, words: Vocabulary): Match[] {
  const { portRangeMin: min, portRangeMax: max } = rule;
  if (rule.protocol === null) {
    if (min !== null || max !== null) throw new Error(`rule ${rule.id} has ports but no protocol`);
    return [{}];
  }
  const protocol = rule.ethertype === 'IPv6' && rule.protocol === ICMP ? ICMPV6 : rule.protocol;
  const base = { [words.protocol]: protocol } as Match;
  if (min === null && max === null) return [base];
  const icmp = words.icmp[protocol];
  if (icmp !== undefined)
    return [{ ...base, ...named(icmp[0], min ?? undefined), ...named(icmp[1], max ?? undefined) }];
  const ports = words.ports[protocol];
  if (ports === undefined) throw new Error(`rule ${rule.id}: protocol ${protocol} has no ports to match`);
  return portPrefixes(min ?? 0, max ?? 0xffff).map((value) => ({ ...base, ...named(ports, value) }));
}

/** The fewest masked values that together are the ports `min` to `max`; undefined is every port. */
export function portPrefixes(min: number, max: number): (MatchValue | undefined)[] {
  if (!(min >= 0 && min <= max && max <= 0xffff)) throw new Error(`no range of ports: ${min} to ${max}`);
  const prefixes: (MatchValue | undefined)[] = [];
  for (let at = min; at <= max;) {
    let size = at === 0 ? 0x1_0000 : at & -at;
    while (at + size - 1 > max) size /= 2;
    if (size === 0x1_0000) prefixes.push(undefined);
    else prefixes.push(size === 1 ? at : { value: at, mask: 0x1_0000 - size });
    at += size;
  }
  return prefixes;
}

function named(field: Field, value: MatchValue | undefined): Match {
  return value === undefined ? {} : { [field]: value };
}
