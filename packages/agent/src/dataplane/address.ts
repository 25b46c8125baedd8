/** What flows need to know of addresses beyond their numbers. */

export function isIpv6(text: string): boolean {
  return text.includes(':');
}

/** The link-local address that a guest makes of its MAC: RFC 4291 appendix A. */
export function linkLocal(mac: number): bigint {
  const bits = BigInt(mac);
  const id = ((bits >> 24n) << 40n) | (0xfffen << 24n) | (bits & 0xffffffn);
  return (0xfe80n << 112n) | (id ^ (1n << 57n));
}
