/** What a port with port security may send: flows of the table `antispoof`. */
import { mac } from '@alcor/openflow';
import { isIpv6, linkLocal, prefixMatch } from './address.ts';
import { EXCEPTION, FALLBACK, flow, icmpv6, RESERVED, RULE } from './build.ts';
import { maskOf, matchValueText, valueOf, type Flow, type Match, type MatchValue } from './flow.ts';
import { addressedAs } from './local-ips.ts';
import type { TableName } from './pipeline.ts';
import type { LocalPort } from './resources.ts';

/** A MAC and the addresses that may be sent from with it. */
interface Source {
  readonly mac: number;
  readonly v4: readonly (MatchValue | undefined)[];
  readonly v6: readonly (MatchValue | undefined)[];
}

/**
 * Own addresses, local IPs that the VM has itself and allowed address pairs only, and nothing that only routers and DHCP
 * servers say. What is let through goes to `next`. An address with the prefix length 0 is any address.
 */
export function ownAddressesOnly(owner: bigint, ofport: number, port: LocalPort, next: TableName): readonly Flow[] {
  const sources = sourcesOf(port);
  const v4 = sources.some((source) => source.v4.length > 0);
  const v6 = sources.some((source) => source.v6.length > 0);
  return [
    ...sources.flatMap((source) => [
      ...fromV4(owner, ofport, source, next),
      ...(source.v6.length > 0 ? fromV6(owner, ofport, source, next) : []),
    ]),
    ...(v4 ? [...dhcpRequests(owner, ofport, mac(port.mac), next), dhcpServer(owner, ofport)] : []),
    ...(v6 ? [...neverFromVm(owner, ofport), dhcpv6Server(owner, ofport)] : []),
    // As nothing would do; but it counts.
    flow(owner, 'antispoof', FALLBACK, { reg0: ofport }, []),
  ];
}

function sourcesOf(port: LocalPort): Source[] {
  const own = mac(port.mac);
  const byMac = new Map<number, string[]>([[own, [...port.ips, ...addressedAs(port)]]]);
  for (const pair of port.allowedAddressPairs ?? []) {
    const from = mac(pair.mac);
    byMac.set(from, [...(byMac.get(from) ?? []), pair.ip]);
  }
  return Array.from(byMac, ([from, ips]) => {
    const v6 = ips.filter(isIpv6).map(prefixMatch);
    return {
      mac: from,
      v4: outermost(ips.filter((ip) => !isIpv6(ip)).map(prefixMatch)),
      v6: v6.length === 0 ? [] : outermost([...v6, linkLocal(from)]),
    };
  });
}

/** Without those that another one covers. */
function outermost(values: readonly (MatchValue | undefined)[]): (MatchValue | undefined)[] {
  const once = [...new Map(values.map((value) => [value === undefined ? '' : matchValueText(value), value])).values()];
  return once.filter((value) => !once.some((other) => other !== value && covers(other, value)));
}

function covers(outer: MatchValue | undefined, inner: MatchValue | undefined): boolean {
  if (outer === undefined || inner === undefined) return outer === undefined;
  const mask = maskOf(outer);
  if (mask === null) return false;
  const innerMask = maskOf(inner);
  if (innerMask !== null && (BigInt(innerMask) & BigInt(mask)) !== BigInt(mask)) return false;
  return (BigInt(valueOf(inner)) & BigInt(mask)) === BigInt(valueOf(outer));
}

function fromV4(owner: bigint, ofport: number, source: Source, next: TableName): Flow[] {
  const from: Match = { reg0: ofport, eth_src: source.mac };
  const arp = { eth_type: 0x0806, arp_sha: source.mac };
  const allow = (priority: number, match: Match) => flow(owner, 'antispoof', priority, { ...from, ...match }, [], next);
  return source.v4.flatMap((ip) => [
    allow(RULE, { eth_type: 0x0800, ...named('ipv4_src', ip) }),
    allow(RULE, { ...arp, ...named('arp_spa', ip) }),
    // An ARP probe (RFC 5227) has no sender address yet.
    allow(EXCEPTION, { ...arp, arp_spa: 0, ...named('arp_tpa', ip) }),
  ]);
}

function fromV6(owner: bigint, ofport: number, source: Source, next: TableName): Flow[] {
  const from: Match = { reg0: ofport, eth_src: source.mac };
  const allow = (priority: number, match: Match) => flow(owner, 'antispoof', priority, { ...from, ...match }, [], next);
  return source.v6.flatMap((ip) => {
    const src = named('ipv6_src', ip);
    const target = named('nd_target', ip);
    return [
      allow(RULE, { eth_type: 0x86dd, ...src }),
      allow(EXCEPTION, { ...icmpv6(135), ...src, nd_sll: source.mac }),
      allow(EXCEPTION, { ...icmpv6(135), ipv6_src: 0n, ...target }),
      allow(EXCEPTION, { ...icmpv6(136), ...src, ...target, nd_tll: source.mac }),
    ];
  });
}

/** What a client says that has no address yet (RFC 2131 section 4.1). */
function dhcpRequests(owner: bigint, ofport: number, from: number, next: TableName): Flow[] {
  const match = { reg0: ofport, eth_src: from, eth_type: 0x0800, ip_proto: 17, ipv4_src: 0, udp_src: 68, udp_dst: 67 };
  return [flow(owner, 'antispoof', EXCEPTION, match, [], next)];
}

function dhcpServer(owner: bigint, ofport: number): Flow {
  const match = { reg0: ofport, eth_type: 0x0800, ip_proto: 17, udp_src: 67, udp_dst: 68 };
  return flow(owner, 'antispoof', RESERVED, match, []);
}

function dhcpv6Server(owner: bigint, ofport: number): Flow {
  const match = { reg0: ofport, eth_type: 0x86dd, ip_proto: 17, udp_src: 547, udp_dst: 546 };
  return flow(owner, 'antispoof', RESERVED, match, []);
}

/** Neighbour discovery beyond the allowed exceptions, and what only routers say: advertisements and redirects. */
function neverFromVm(owner: bigint, ofport: number): Flow[] {
  return [134, 135, 136, 137].map((type) => flow(owner, 'antispoof', RESERVED, { reg0: ofport, ...icmpv6(type) }, []));
}

function named(field: keyof Match, value: MatchValue | undefined): Match {
  return value === undefined ? {} : { [field]: value };
}
