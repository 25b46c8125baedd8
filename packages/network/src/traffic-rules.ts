import { formatCidr, parseCidr } from './cidr.ts';
import { refusal } from './errors.ts';
import { formatIp, parseIp } from './ip.ts';
import { canonicalProtocol, hasPorts, isIcmp, isOnlyIpv6, protocolNumber, protocolOver } from './ip-protocols.ts';

export type Direction = 'ingress' | 'egress';
export type Ethertype = 'IPv4' | 'IPv6';

/** Which packets a rule speaks of: of a security group, of the template of new groups, or of a network ACL. */
export interface Traffic {
  /** Seen from the guest: `ingress` comes to it. */
  readonly direction: Direction;
  readonly ethertype: Ethertype;
  /** A name or a number in digits; null: any. */
  readonly protocol: string | null;
  /** The lowest port, or the ICMP type; null: any. */
  readonly portRangeMin: number | null;
  /** The highest port, or the ICMP code; null: any. */
  readonly portRangeMax: number | null;
  /** The addresses at the other end, as the user wrote them (host bits kept); null: any. */
  readonly remoteIpPrefix: string | null;
}

/** Neutron's way to keep a prefix: the address as written, and always a length. Null if it is none. */
export function canonicalPrefix(text: string): string | null {
  const [address = '', length, ...rest] = text.split('/');
  const ip = parseIp(address);
  if (ip === null || rest.length > 0) return null;
  const whole = `${formatIp(ip)}/${length ?? (ip.version === 4 ? 32 : 128)}`;
  return parseCidr(whole) === null ? null : whole;
}

/** The block that a prefix lies in. */
export function normalizedCidr(prefix: string): string {
  const cidr = parseCidr(prefix);
  return cidr === null ? prefix : formatCidr(cidr);
}

/** The traffic in the form that is kept, or the refusal of what no packet can be. */
export function checkTraffic(given: Traffic): Traffic {
  const protocol = given.protocol === null ? null : protocolOver(given.ethertype, known(given.protocol));
  const traffic = { ...given, protocol };
  checkPorts(traffic);
  checkPrefix(traffic);
  if (protocol !== null && given.ethertype === 'IPv4' && isOnlyIpv6(protocol)) {
    throw refusal('SecurityGroupEthertypeConflictWithProtocol', { ethertype: 'IPv4', protocol });
  }
  return traffic;
}

/**
 * Equal exactly for rules that say the same: names and numbers of protocols, and ways to say "any address", count alike. `others`
 * are what tells rules apart beside their traffic.
 */
export function samenessOf(traffic: Traffic, others: readonly (string | null)[]): string {
  const { direction, ethertype, protocol, portRangeMin, portRangeMax, remoteIpPrefix } = traffic;
  const cidr = remoteIpPrefix === null ? '' : normalizedCidr(remoteIpPrefix);
  const number = protocol === null ? null : protocolNumber(protocol);
  const parts = [
    direction,
    ethertype,
    number,
    portRangeMin,
    portRangeMax,
    cidr.endsWith('/0') ? null : cidr,
    ...others,
  ];
  return parts.map((part) => part ?? '').join('|');
}

function known(protocol: string): string {
  const canonical = canonicalProtocol(protocol);
  if (canonical === null) throw refusal('SecurityGroupRuleInvalidProtocol', { protocol });
  return canonical;
}

function checkPorts({ protocol, portRangeMin: min, portRangeMax: max }: Traffic): void {
  if (min === null && max === null) return;
  if (protocol === null) throw refusal('SecurityGroupProtocolRequiredWithPorts', {});
  if (hasPorts(protocol)) {
    if (min === 0 || max === 0) throw refusal('SecurityGroupInvalidPortValue', { port: 0 });
    if (min === null || max === null || min > max) throw refusal('SecurityGroupInvalidPortRange', {});
  } else if (isIcmp(protocol)) {
    checkIcmp(min, max);
  } else {
    throw refusal('SecurityGroupInvalidProtocolForPort', { protocol });
  }
}

function checkIcmp(type: number | null, code: number | null): void {
  const fields = [
    ['type', 'port_range_min', type],
    ['code', 'port_range_max', code],
  ] as const;
  for (const [field, attribute, value] of fields) {
    if (value !== null && value > 255) throw refusal('SecurityGroupInvalidIcmpValue', { field, attribute, value });
  }
  if (type === null && code !== null) throw refusal('SecurityGroupMissingIcmpType', { value: code });
}

function checkPrefix({ ethertype, remoteIpPrefix }: Traffic): void {
  if (remoteIpPrefix === null) return;
  const version = parseCidr(remoteIpPrefix)?.version;
  if (ethertype !== `IPv${version}`) {
    throw refusal('SecurityGroupRuleParameterConflict', { ethertype, cidr: remoteIpPrefix });
  }
}
