/** What people write as the value of a DHCP option, as the bytes of RFC 2132, 3315 and their companions. */
import { ipv4, ipv4Prefix, ipv6 } from '@alcor/openflow';

/** `routes`: CIDR and next hop by turns (RFC 3442). `domains`: names, as labels (RFC 3397). `texts`: each with its length before it. */
export type ValueKind = 'addresses' | 'text' | 'texts' | 'u8' | 'u16' | 'u32' | 'domains' | 'routes' | 'any';

export interface Route {
  readonly destination: string;
  readonly nextHop: string;
}

const widths = { u8: 1, u16: 2, u32: 4 } as const;

/** Null where the text is no value of that kind. */
export function valueOf(kind: ValueKind, text: string, family: 4 | 6): Uint8Array | null {
  switch (kind) {
    case 'text':
      return new TextEncoder().encode(text);
    case 'texts':
      return join(parts(text).map((each) => sized(new TextEncoder().encode(each))));
    case 'u8':
    case 'u16':
    case 'u32':
      return wholeNumber(text, widths[kind]);
    case 'addresses':
      return join(parts(text).map((each) => addressBytes(each, family)));
    case 'domains':
      return join(parts(text).map(domainBytes));
    case 'routes':
      return routesOf(parts(text));
    case 'any':
      return guessed(text, family);
  }
}

/** Labels, each with its length before it; null where one is empty or too long. */
export function domainBytes(domain: string): Uint8Array | null {
  const labels = domain
    .replace(/\.$/, '')
    .split('.')
    .map((label) => new TextEncoder().encode(label));
  if (labels.some(({ length }) => length === 0 || length > 63)) return null;
  const name = Uint8Array.of(...labels.flatMap((label) => [label.length, ...label]), 0);
  return name.length > 255 ? null : name;
}

/** The address's bytes; null where it is none of that family. */
export function addressBytes(text: string, family: 4 | 6): Uint8Array | null {
  try {
    return family === 4 ? word(ipv4(text)) : Uint8Array.from(bytes(ipv6(text), 16));
  } catch {
    return null;
  }
}

/** As RFC 3442 has them: of the destination only the bytes that its prefix needs. Null where one is of another family. */
export function routeBytes({ destination, nextHop }: Route): Uint8Array | null {
  try {
    const length = Number(destination.split('/')[1] ?? 32);
    const network = word(ipv4Prefix(`${destination.split('/')[0]}/${length}`).value).subarray(0, Math.ceil(length / 8));
    return Uint8Array.of(length, ...network, ...word(ipv4(nextHop)));
  } catch {
    return null;
  }
}

export function word(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** One after the other; null if one is. */
export function join(values: readonly (Uint8Array | null)[]): Uint8Array | null {
  const all = values.filter((each) => each !== null);
  return all.length < values.length ? null : Uint8Array.from(all.flatMap((each) => [...each]));
}

function parts(text: string): string[] {
  return text.split(',').map((each) => each.trim());
}

function sized(value: Uint8Array): Uint8Array {
  return Uint8Array.of(value.length >> 8, value.length & 255, ...value);
}

function wholeNumber(text: string, width: number): Uint8Array | null {
  const value = /^\d{1,10}$/.test(text.trim()) ? BigInt(text.trim()) : -1n;
  return value < 0n || value >= 1n << BigInt(8 * width) ? null : Uint8Array.from(bytes(value, width));
}

function routesOf(all: readonly string[]): Uint8Array | null {
  if (all.length % 2 !== 0) return null;
  return join(
    all.flatMap((destination, at) => (at % 2 === 0 ? [routeBytes({ destination, nextHop: all[at + 1]! })] : [])),
  );
}

/** Of an option that is not known: addresses, a number, bytes with colons between, or a text; what dnsmasq would make of it. */
function guessed(text: string, family: 4 | 6): Uint8Array | null {
  const addresses = valueOf('addresses', text, family);
  if (addresses !== null) return addresses;
  for (const width of [1, 2, 4]) {
    const number = wholeNumber(text, width);
    if (number !== null) return number;
  }
  if (/^[0-9a-f]{1,2}(:[0-9a-f]{1,2})+$/i.test(text))
    return Uint8Array.from(text.split(':').map((each) => Number.parseInt(each, 16)));
  return new TextEncoder().encode(text);
}

/** The lowest bytes of a number, the highest first. */
export function bytes(value: bigint, length: number): number[] {
  return Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 0xffn));
}
