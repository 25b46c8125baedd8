/** Internet protocols by the names that Neutron's clients use (IANA, "Protocol Numbers"). */
const numberOf: ReadonlyMap<string, number> = new Map([
  ['hopopt', 0],
  ['icmp', 1],
  ['igmp', 2],
  ['ipip', 4],
  ['tcp', 6],
  ['egp', 8],
  ['udp', 17],
  ['dccp', 33],
  ['ipv6-encap', 41],
  ['ipv6-route', 43],
  ['ipv6-frag', 44],
  ['rsvp', 46],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['ipv6-icmp', 58],
  ['icmpv6', 58],
  ['ipv6-nonxt', 59],
  ['ipv6-opts', 60],
  ['ospf', 89],
  ['vrrp', 112],
  ['pgm', 113],
  ['sctp', 132],
  ['udplite', 136],
]);

const icmp4 = 1;
const icmp6 = 58;
const withPorts: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);
const onlyIpv6: ReadonlySet<number> = new Set([41, 43, 44, 58, 59, 60]);

export const protocolNames: readonly string[] = [...numberOf.keys()];

/** A protocol's name in lower case or its number in decimal digits, as it was given; null if it is neither. */
export function canonicalProtocol(text: string): string | null {
  const name = text.toLowerCase();
  if (numberOf.has(name)) return name;
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? String(Number(text)) : null;
}

/** The number of a canonical protocol. */
export function protocolNumber(protocol: string): number {
  return numberOf.get(protocol) ?? Number(protocol);
}

/** The protocol that is meant among IPv6 packets: each way to say ICMP says ICMPv6. */
export function protocolOver(ethertype: 'IPv4' | 'IPv6', protocol: string): string {
  if (ethertype === 'IPv4') return protocol;
  if (protocol === 'icmp' || protocol === 'icmpv6') return 'ipv6-icmp';
  return protocol === String(icmp4) ? String(icmp6) : protocol;
}

/** Its packets carry port numbers. */
export function hasPorts(protocol: string): boolean {
  return withPorts.has(protocolNumber(protocol));
}

/** Its packets carry a type and a code. */
export function isIcmp(protocol: string): boolean {
  const number = protocolNumber(protocol);
  return number === icmp4 || number === icmp6;
}

/** No IPv4 packet carries it. */
export function isOnlyIpv6(protocol: string): boolean {
  return onlyIpv6.has(protocolNumber(protocol));
}
