import { formatIp4, parseIp4 } from './ip4.ts';
import { formatIp6, parseIp6 } from './ip6.ts';

export type IpVersion = 4 | 6;

/** An address of either version, as a number wide enough for both. */
export interface Ip {
  readonly version: IpVersion;
  readonly value: bigint;
}

/** Reads an address of either version; null if it is none. */
export function parseIp(text: string): Ip | null {
  if (text.includes(':')) {
    const value = parseIp6(text);
    return value === null ? null : { version: 6, value };
  }
  const value = parseIp4(text);
  return value === null ? null : { version: 4, value: BigInt(value) };
}

export function formatIp({ version, value }: Ip): string {
  return version === 4 ? formatIp4(Number(value)) : formatIp6(value);
}

/** The one way an address is written; null if it is none. */
export function canonicalIp(text: string): string | null {
  const ip = parseIp(text);
  return ip === null ? null : formatIp(ip);
}
