import { OpenFlowError } from './errors.ts';

const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;
/** Characters of three octets. */
const HALF = 8;
const [DOT, ZERO, NINE, COLON] = [0x2e, 0x30, 0x39, 0x3a];

/** `aa:bb:cc:dd:ee:ff` as a 48-bit number. Throws `bad_value` on any other form. */
export function mac(text: string): number {
  if (!MAC.test(text)) throw new OpenFlowError('bad_value', `not a MAC address: ${text}`);
  return octets(text, 0) * 0x100_0000 + octets(text, HALF + 1);
}

/** The three octets that begin at a place. */
function octets(text: string, start: number): number {
  let value = 0;
  for (let at = start; at < start + HALF; at++) {
    const code = text.charCodeAt(at);
    // The low four bits of a letter of either case count from one.
    if (code !== COLON) value = (value << 4) | (code <= NINE ? code & 15 : (code & 15) + 9);
  }
  return value;
}

/** A 48-bit number in the form that `mac` reads. */
export function macText(value: number): string {
  const hex = value.toString(16).padStart(12, '0');
  return (hex.match(/../g) ?? []).join(':');
}

const IPV4 = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/;

/** Dotted quad as an unsigned 32-bit number. Throws `bad_value` on any other form. */
export function ipv4(text: string): number {
  let isAddress = IPV4.test(text);
  let [value, octet] = [0, 0];
  for (let at = 0; isAddress && at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) [value, octet] = [value * 256 + octet, 0];
    else octet = octet * 10 + (code - ZERO);
    isAddress = octet <= 255;
  }
  if (!isAddress) throw new OpenFlowError('bad_value', `not an IPv4 address: ${text}`);
  return value * 256 + octet;
}

/** An unsigned 32-bit number in the form that `ipv4` reads. */
export function ipv4Text(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  if (last.includes('.')) {
    if (!IPV4.test(last)) return undefined;
    const low = ipv4(last);
    parts.splice(-1, 1, (low >>> 16).toString(16), (low & 0xffff).toString(16));
  }
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))
    ? parts.map((part) => Number.parseInt(part, 16))
    : undefined;
}

/** An IPv6 address (RFC 4291 section 2.2, all three forms, no zone) as a 128-bit number. Throws `bad_value`. */
export function ipv6(text: string): bigint {
  const halves = text.split('::');
  const head = groups(halves[0] ?? '');
  const tail = halves.length === 2 ? groups(halves[1] ?? '') : [];
  const missing = 8 - (head?.length ?? 0) - (tail?.length ?? 0);
  const whole = halves.length === 1 ? missing === 0 : halves.length === 2 && missing >= 1;
  if (head === undefined || tail === undefined || !whole) {
    throw new OpenFlowError('bad_value', `not an IPv6 address: ${text}`);
  }
  const all = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return all.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** The canonical text of a 128-bit number (RFC 5952: lower case, the longest run of zeros as `::`). */
export function ipv6Text(value: bigint): string {
  const parts = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (parts[at + length] === '0') length++;
    if (length > best.length) best = { at, length };
  }
  if (best.at < 0) return parts.join(':');
  return `${parts.slice(0, best.at).join(':')}::${parts.slice(best.at + best.length).join(':')}`;
}

/** The mask of an IPv4 prefix of `length` bits, 0 to 32, as an unsigned number. */
export function ipv4Mask(length: number): number {
  return length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
}

/** The mask of an IPv6 prefix of `length` bits, 0 to 128. */
export function ipv6Mask(length: number): bigint {
  return ((1n << BigInt(length)) - 1n) << BigInt(128 - length);
}

/** `10.0.0.0/8` as a masked match value, host bits cleared; a bare address or /32 is exact. */
export function ipv4Prefix(text: string): { readonly value: number; readonly mask: number } {
  const [address = '', length = '32'] = text.split('/');
  const mask = ipv4Mask(prefixLength(length, 32));
  return { value: (ipv4(address) & mask) >>> 0, mask };
}

/** `fd00::/8` as a masked match value, host bits cleared; a bare address or /128 is exact. */
export function ipv6Prefix(text: string): { readonly value: bigint; readonly mask: bigint } {
  const [address = '', length = '128'] = text.split('/');
  const mask = ipv6Mask(prefixLength(length, 128));
  return { value: ipv6(address) & mask, mask };
}

function prefixLength(text: string, most: number): number {
  const length = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(length <= most)) throw new OpenFlowError('bad_value', `not a prefix length of at most ${most}: ${text}`);
  return length;
}
