import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipv4, ipv4Mask, ipv4Prefix, ipv4Text, ipv6, ipv6Mask, ipv6Prefix, ipv6Text, mac, macText } from './text.ts';

test('addresses are what their text says', () => {
  expect(mac('aa:bb:cc:dd:ee:ff')).toBe(0xaabb_ccdd_eeff);
  expect(ipv4('255.0.2.1')).toBe(0xff00_0201);
  expect(ipv6('fd00::1:2')).toBe((0xfd00n << 112n) | (1n << 16n) | 2n);
  expect(ipv6('::ffff:10.0.0.1')).toBe(0xffff_0a00_0001n);
  expect(ipv6('1:2:3:4:5:6:7:8')).toBe(0x0001_0002_0003_0004_0005_0006_0007_0008n);
});

test.each([
  [0n, '::'],
  [1n, '::1'],
  [1n << 112n, '1::'],
  [ipv6('1:0:0:2:0:0:0:3'), '1:0:0:2::3'],
  [ipv6('1:0:2:3:4:5:6:7'), '1:0:2:3:4:5:6:7'],
])('%s is %s', (value, text) => {
  expect(ipv6Text(value)).toBe(text);
});

const check = (read: (text: string) => unknown, write: (value: never) => string) => (value: unknown) => {
  expect(read(write(value as never))).toBe(value);
};

test('text and number are each other', () => {
  fc.assert(fc.property(fc.nat(0xffff_ffff_ffff), check(mac, macText)));
  fc.assert(fc.property(fc.nat(0xffff_ffff), check(ipv4, ipv4Text)));
  fc.assert(fc.property(fc.bigInt(0n, (1n << 128n) - 1n), check(ipv6, ipv6Text)));
});

test('every text of an IPv6 address is read as the number of its canonical text', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      expect(ipv6(ipv6Text(ipv6(text)))).toBe(ipv6(text));
    }),
  );
});

test.each(['', '1.2.3', '1.2.3.4.5', '1.2.3.256', 'a.b.c.d', ' 1.2.3.4'])('%j is no IPv4 address', (text) => {
  expect(() => ipv4(text)).toThrow('bad_value');
});

test.each([
  '',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8:9',
  'g::',
  '::12345',
  '::1.2.3',
])('%j is no IPv6 address', (text) => {
  expect(() => ipv6(text)).toThrow('bad_value');
});

test.each(['', 'aa:bb:cc:dd:ee', 'aa:bb:cc:dd:ee:fg', 'aabbccddeeff'])('%j is no MAC address', (text) => {
  expect(() => mac(text)).toThrow('bad_value');
});

test('prefixes', () => {
  expect([0, 1, 24, 32].map(ipv4Mask)).toEqual([0, 0x8000_0000, 0xffff_ff00, 0xffff_ffff]);
  expect(ipv6Mask(0)).toBe(0n);
  expect(ipv6Mask(128)).toBe((1n << 128n) - 1n);
  expect(ipv4Prefix('10.1.2.3/16')).toEqual({ value: ipv4('10.1.0.0'), mask: 0xffff_0000 });
  expect(ipv6Prefix('fd00::1/16')).toEqual({ value: ipv6('fd00::'), mask: ipv6('ffff::') });
  expect(() => ipv4Prefix('10.0.0.0/33')).toThrow('bad_value');
  expect(() => ipv6Prefix('::/x')).toThrow('bad_value');
});
