import { formatIp4, parseIp4 } from './ip4.ts';

/** An IPv6 address as an unsigned 128-bit number. */
export type Ip6 = bigint;

const group = /^[0-9a-f]{1,4}$/i;

/** Reads any textual form of RFC 4291, section 2.2 (no zone, no prefix); null if it is none. */
export function parseIp6(text: string): Ip6 | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [before, after] = halves;
  const head = groupsOf(before ?? '', after === undefined);
  const tail = groupsOf(after ?? '', true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (after === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.reduce((value, next) => (value << 16n) | BigInt(next), 0n);
}

/** The 16-bit groups of one side of `::`; the last two may be written as a dotted quad where the address ends there. */
function groupsOf(text: string, endsAddress: boolean): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (group.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const quad = endsAddress && index === parts.length - 1 ? parseIp4(part) : null;
    if (quad === null) return null;
    groups.push(quad >>> 16, quad & 0xffff);
  }
  return groups;
}

/** The canonical form of RFC 5952: lower case, the first longest run of two or more zero groups as `::`. */
export function formatIp6(address: Ip6): string {
  if (address >> 32n === 0xffffn) return `::ffff:${formatIp4(Number(address & 0xffffffffn))}`;
  const groups = Array.from({ length: 8 }, (_, index) => Number((address >> BigInt(112 - 16 * index)) & 0xffffn));
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((value) => value.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, value] of groups.entries()) {
    if (value !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
