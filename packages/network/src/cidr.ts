import { formatIp, parseIp } from './ip.ts';
import type { Ip, IpVersion } from './ip.ts';

/** A block of addresses. `first` has no bits set below the prefix. */
export interface Cidr {
  readonly version: IpVersion;
  readonly first: bigint;
  readonly prefix: number;
}

/** An inclusive range of addresses of one version. */
export interface IpRange {
  readonly first: bigint;
  readonly last: bigint;
}

const widthOf = { 4: 32, 6: 128 } as const;

/** Reads `address/prefix`, clearing the host bits as Neutron does; null if it is none. */
export function parseCidr(text: string): Cidr | null {
  const [address, length, ...rest] = text.split('/');
  if (address === undefined || length === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length)) return null;
  const ip = parseIp(address);
  const prefix = Number(length);
  if (ip === null || prefix > widthOf[ip.version]) return null;
  const host = BigInt(widthOf[ip.version] - prefix);
  return { version: ip.version, first: (ip.value >> host) << host, prefix };
}

export function formatCidr({ version, first, prefix }: Cidr): string {
  return `${formatIp({ version, value: first })}/${prefix}`;
}

export function lastOf({ version, first, prefix }: Cidr): bigint {
  return first + (1n << BigInt(widthOf[version] - prefix)) - 1n;
}

export function contains(cidr: Cidr, ip: Ip): boolean {
  return ip.version === cidr.version && ip.value >= cidr.first && ip.value <= lastOf(cidr);
}

export function overlaps(left: Cidr, right: Cidr): boolean {
  return left.version === right.version && left.first <= lastOf(right) && right.first <= lastOf(left);
}

/**
 * The addresses an interface may have. Not the block's first one (IPv4's network address, IPv6's subnet-router anycast
 * address, RFC 4291 section 2.6.1), nor IPv4's last one (broadcast); blocks of one or two addresses (RFC 3021, RFC 6164) are
 * used whole.
 */
export function usableRange(cidr: Cidr): IpRange {
  const last = lastOf(cidr);
  if (last - cidr.first < 2n) return { first: cidr.first, last };
  return { first: cidr.first + 1n, last: cidr.version === 4 ? last - 1n : last };
}

export function isUsable(cidr: Cidr, ip: Ip): boolean {
  const { first, last } = usableRange(cidr);
  return ip.version === cidr.version && ip.value >= first && ip.value <= last;
}
