/** What flows need to know of addresses beyond their numbers. */
import { ipv4Prefix, ipv6Prefix } from '@alcor/openflow';
import { allOnes } from './fields.ts';
import type { MatchValue } from './flow.ts';

export function isIpv6(text: string): boolean {
  return text.includes(':');
}

/** What to match for an address or a CIDR: one value, a masked one, or undefined for every address of the family. */
export function prefixMatch(text: string): MatchValue | undefined {
  const { value, mask } = isIpv6(text) ? ipv6Prefix(text) : ipv4Prefix(text);
  if (BigInt(mask) === 0n) return undefined;
  return BigInt(mask) === allOnes(isIpv6(text) ? 128 : 32) ? value : { value, mask };
}

/** The link-local address that a guest makes of its MAC: RFC 4291 appendix A. */
export function linkLocal(mac: number): bigint {
  const bits = BigInt(mac);
  const id = ((bits >> 24n) << 40n) | (0xfffen << 24n) | (bits & 0xffffffn);
  return (0xfe80n << 112n) | (id ^ (1n << 57n));
}

/** Bits of an address that a CIDR fixes; of a bare address all. */
export function prefixLength(text: string): number {
  const [, length] = text.split('/');
  return length === undefined ? (isIpv6(text) ? 128 : 32) : Number(length);
}

/** Whether the CIDR holds the address; never one of the other family. */
export function contains(cidr: string, address: string): boolean {
  if (isIpv6(cidr) !== isIpv6(address)) return false;
  const { value, mask } = isIpv6(cidr) ? ipv6Prefix(cidr) : ipv4Prefix(cidr);
  const whole = isIpv6(address) ? ipv6Prefix(address).value : ipv4Prefix(address).value;
  return (BigInt(whole) & BigInt(mask)) === BigInt(value);
}
