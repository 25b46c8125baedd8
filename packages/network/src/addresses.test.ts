import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, it } from 'vitest';
import { contains, formatCidr, lastOf, overlaps, parseCidr } from './cidr.ts';
import type { Cidr } from './cidr.ts';
import { canonicalIp, formatIp, parseIp } from './ip.ts';
import { formatIp4, parseIp4 } from './ip4.ts';
import { formatIp6, parseIp6 } from './ip6.ts';
import { canonicalMac, isUnicastMac } from './mac.ts';

const uint128 = fc.oneof(
  fc.bigInt(0n, (1n << 128n) - 1n),
  // Groups of zeros, where the notations differ.
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 0xffff), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)),
);
const ip4 = fc.nat(0xffffffff);

it('reads and writes IPv4 as the oracle does', () => {
  fc.assert(
    fc.property(ip4, (value) => {
      const text = formatIp4(value);
      expect(parseIp4(text)).toBe(value);
      expect(
        ipaddr.IPv4.parse(text)
          .toByteArray()
          .reduce((sum, byte) => sum * 256 + byte, 0),
      ).toBe(value);
    }),
  );
});

it('reads and writes IPv6 as the oracle does (RFC 5952)', () => {
  fc.assert(
    fc.property(uint128, (value) => {
      fc.pre(value >> 32n !== 0xffffn);
      const text = formatIp6(value);
      expect(text).toBe(ipaddr.IPv6.parse(text).toRFC5952String());
      expect(parseIp6(text)).toBe(value);
      expect(parseIp6(ipaddr.IPv6.parse(text).toNormalizedString().toUpperCase())).toBe(value);
    }),
  );
});

it.each([
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['::FFFF:C000:0201', '::ffff:192.0.2.1'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['::', '::'],
])('writes %s as %s', (text, canonical) => expect(canonicalIp(text)).toBe(canonical));

it.each(
  '1.2.3|1.2.3.4.5|1.2.3.256|01.2.3.4|1..3.4|1.2.3.4 | 1.2.3.4|+1.2.3.4|0x1.2.3.4||:|:::|1::2::3|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1:2:3:4:5:6:7::8:9|12345::|fe80::1%eth0|::1.2.3|::1.2.3.4:5|1.2.3.4::|g::'.split(
    '|',
  ),
)('takes %o for no address', (text) => expect(parseIp(text)).toBeNull());

it('agrees with the oracle on what is an address', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789abf.:'.split('')), maxLength: 20 });
  fc.assert(
    fc.property(text, (candidate) => {
      if (!candidate.includes(':')) return;
      expect(parseIp6(candidate) !== null).toBe(ipaddr.IPv6.isValid(candidate) && !/(^|[:.])0\d+\./.test(candidate));
    }),
    { numRuns: 2000 },
  );
});

const holds = (a: Cidr, b: Cidr): boolean => contains(a, { version: b.version, value: b.first });

const cidr: fc.Arbitrary<Cidr> = fc
  .oneof(
    fc.tuple(ip4, fc.integer({ min: 0, max: 32 })).map(([value, prefix]) => `${formatIp4(value)}/${prefix}`),
    fc.tuple(uint128, fc.integer({ min: 0, max: 128 })).map(([value, prefix]) => `${formatIp6(value)}/${prefix}`),
  )
  .map((text) => parseCidr(text) as Cidr);

it('knows what a block holds, as the oracle does', () => {
  fc.assert(
    fc.property(cidr, fc.oneof(ip4.map(formatIp4), uint128.map(formatIp6)), (block, address) => {
      const ip = parseIp(address);
      const [network, prefix] = ipaddr.parseCIDR(formatCidr(block));
      const oracle = ipaddr.parse(address);
      const expected = oracle.kind() === network.kind() && oracle.match(network, prefix);
      expect(ip !== null && contains(block, ip)).toBe(expected);
    }),
  );
});

it('clears host bits, and its ends are its own', () => {
  fc.assert(
    fc.property(cidr, (block) => {
      expect(parseCidr(formatCidr({ ...block, first: lastOf(block) }))).toEqual(block);
      expect(contains(block, { version: block.version, value: block.first })).toBe(true);
      expect(contains(block, { version: block.version, value: lastOf(block) + 1n })).toBe(false);
    }),
  );
});

it('blocks overlap exactly where one holds the other', () => {
  fc.assert(
    fc.property(cidr, cidr, fc.nat(128), (left, right, shorter) => {
      const wider = { ...left, prefix: Math.max(0, left.prefix - shorter) };
      const widened = parseCidr(formatCidr(wider)) as Cidr;
      expect(overlaps(left, widened) && overlaps(widened, left)).toBe(true);
      expect(overlaps(left, right)).toBe(holds(left, right) || holds(right, left));
    }),
  );
});

it.each(['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0/', '/8'])(
  'takes %s for no block',
  (text) => expect(parseCidr(text)).toBeNull(),
);

it('writes MAC addresses one way', () => {
  expect(canonicalMac('FA-16-3E-00-aB-01')).toBe('fa:16:3e:00:ab:01');
  expect(canonicalMac('fa163e00ab01')).toBe('fa:16:3e:00:ab:01');
  for (const text of ['fa:16:3e:00:ab', 'fa:16-3e:00:ab:01', 'fa:16:3e:00:ab:0g', 'fa:16:3e:00:ab:01:02', '']) {
    expect(canonicalMac(text)).toBeNull();
  }
  expect(isUnicastMac('01:00:5e:00:00:01')).toBe(false);
  expect(isUnicastMac('00:00:00:00:00:00')).toBe(false);
  expect(isUnicastMac('fa:16:3e:00:ab:01')).toBe(true);
});

it('writes what it reads', () => {
  expect(formatIp(parseIp('10.1.2.3') ?? { version: 6, value: 0n })).toBe('10.1.2.3');
});
