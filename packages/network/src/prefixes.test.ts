import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatCidr } from './cidr.ts';
import { addressSet, blocksOf, compacted, difference, includes, intersects } from './prefixes.ts';

/** Blocks within 10.0.0.0/26, so that a test can look at every address. */
const block = fc
  .tuple(fc.integer({ min: 26, max: 32 }), fc.integer({ min: 0, max: 63 }))
  .map(([prefix, host]) => `10.0.0.${host & ~(2 ** (32 - prefix) - 1)}/${prefix}`);
const blocks = fc.array(block, { maxLength: 6 });

function addressesOf(list: readonly string[]): ReadonlySet<number> {
  return new Set(
    list.flatMap((text) => {
      const [, host = '', prefix = ''] = /\.(\d+)\/(\d+)$/.exec(text) ?? [];
      return Array.from({ length: 2 ** (32 - Number(prefix)) }, (_, n) => Number(host) + n);
    }),
  );
}

it('says the same of blocks as of their addresses one by one', () => {
  fc.assert(
    fc.property(blocks, blocks, (one, other) => {
      const [a, b] = [addressesOf(one), addressesOf(other)];
      const left = blocksOf(difference(addressSet(4, one), addressSet(4, other))).map(formatCidr);
      expect([...addressesOf(left)].toSorted((x, y) => x - y)).toEqual(
        [...a].filter((address) => !b.has(address)).toSorted((x, y) => x - y),
      );
      expect(addressesOf(compacted(4, one))).toEqual(a);
      expect(intersects(addressSet(4, one), addressSet(4, other))).toBe([...a].some((address) => b.has(address)));
      expect(includes(addressSet(4, one), addressSet(4, other))).toBe([...b].every((address) => a.has(address)));
    }),
  );
});

it('writes adjacent blocks as one', () => {
  expect(compacted(4, ['10.1.0.0/24', '10.0.0.0/25', '10.0.0.128/25', '10.0.0.64/26'])).toEqual([
    '10.0.0.0/24',
    '10.1.0.0/24',
  ]);
  expect(compacted(6, ['fd00:0:0:1::/64', 'fd00::/64'])).toEqual(['fd00::/63']);
  expect(compacted(4, ['0.0.0.0/0'])).toEqual(['0.0.0.0/0']);
});
