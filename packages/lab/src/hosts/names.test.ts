import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkPrefix, hostFolder, underlayIp, underlayMac, vmLink, vmNamespace, vmNamespaceOfLink } from './names.ts';

test('any port id gives an interface name that the kernel takes, and leads back to its VM', () => {
  fc.assert(
    fc.property(fc.string(), (portId) => {
      expect(vmLink(portId)).toMatch(/^[a-z0-9]{1,15}$/);
      expect(vmNamespaceOfLink('al', vmLink(portId))).toBe(vmNamespace('al', portId));
    }),
  );
});

test.each(['uplink', 'vxlan0', 'br-int', 'veth0'])('%s is not taken for a VM', (link) => {
  expect(vmNamespaceOfLink('al', link)).toBeUndefined();
});

test('each host has an address and a MAC of its own', () => {
  const indexes = Array.from({ length: 65_534 }, (_, at) => at + 1);
  expect(new Set(indexes.map(underlayIp)).size).toBe(65_534);
  expect(new Set(indexes.map(underlayMac)).size).toBe(65_534);
  expect([underlayIp(1), underlayIp(65_534)]).toEqual(['172.31.0.1', '172.31.255.254']);
});

test.each([0, 65_535, 1.5, Number.NaN])('%s is no host index', (index) => {
  expect(() => underlayIp(index)).toThrow(RangeError);
});

test.each(['', 'Al', '1al', 'toolongxx', 'a-b', 'a*'])("'%s' is no prefix", (prefix) => {
  expect(() => checkPrefix(prefix)).toThrow(TypeError);
});

test('a folder too deep for unix sockets is refused before anything starts', () => {
  expect(hostFolder('/run/al', 1)).toBe('/run/al/h1');
  expect(() => hostFolder(`/${'x'.repeat(90)}`, 1)).toThrow('too long');
});
