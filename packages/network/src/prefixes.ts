import { formatCidr, lastOf, parseCidr } from './cidr.ts';
import type { Cidr, IpRange } from './cidr.ts';
import type { IpVersion } from './ip.ts';

/** Addresses of one version, as ranges in ascending order of which none touches the next. */
export interface AddressSet {
  readonly version: IpVersion;
  readonly ranges: readonly IpRange[];
}

const widthOf = { 4: 32, 6: 128 } as const;

/** The addresses of the blocks (canonical CIDRs of one version). */
export function addressSet(version: IpVersion, blocks: readonly string[]): AddressSet {
  const ranges = blocks
    .map((block) => {
      const cidr = parseCidr(block);
      if (cidr === null) throw new Error(`${block} is no block of addresses`);
      return { first: cidr.first, last: lastOf(cidr) };
    })
    .toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: IpRange[] = [];
  for (const range of ranges) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1n) merged.push(range);
    else if (range.last > before.last) merged[merged.length - 1] = { first: before.first, last: range.last };
  }
  return { version, ranges: merged };
}

/** What is in `from` and not in `taken`. */
export function difference(from: AddressSet, taken: AddressSet): AddressSet {
  const ranges: IpRange[] = [];
  let next = 0;
  for (const { first, last } of from.ranges) {
    let start = first;
    while ((taken.ranges[next]?.last ?? start) < start) next++;
    for (let index = next; start <= last; index++) {
      const hole = taken.ranges[index];
      if (hole === undefined || hole.first > last) {
        ranges.push({ first: start, last });
        break;
      }
      if (hole.first > start) ranges.push({ first: start, last: hole.first - 1n });
      if (hole.last >= start) start = hole.last + 1n;
    }
  }
  return { version: from.version, ranges };
}

/** Do the two have an address in common? */
export function intersects(one: AddressSet, other: AddressSet): boolean {
  const left = difference(one, other);
  return sizeOf(left) !== sizeOf(one);
}

/** Is all of `part` in `whole`? */
export function includes(whole: AddressSet, part: AddressSet): boolean {
  return difference(part, whole).ranges.length === 0;
}

/** The fewest blocks that make up the set, in ascending order. */
export function blocksOf({ version, ranges }: AddressSet): readonly Cidr[] {
  const blocks: Cidr[] = [];
  for (const range of ranges) {
    for (let first = range.first; first <= range.last;) {
      let prefix: number = widthOf[version];
      // As large as the alignment of the first address and the end of the range allow.
      while (prefix > 0) {
        const size = 1n << BigInt(widthOf[version] - prefix + 1);
        if (first % size !== 0n || first + size - 1n > range.last) break;
        prefix -= 1;
      }
      blocks.push({ version, first, prefix });
      first += 1n << BigInt(widthOf[version] - prefix);
    }
  }
  return blocks;
}

/** The same blocks of addresses, written with the fewest. */
export function compacted(version: IpVersion, blocks: readonly string[]): readonly string[] {
  return blocksOf(addressSet(version, blocks)).map(formatCidr);
}

function sizeOf({ ranges }: AddressSet): bigint {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}
