import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCidr, usableRange } from './cidr.ts';
import { parseIp } from './ip.ts';
import { rangeOf } from './pools.ts';
import { changeAddressing, checkNoOverlap, resolveAddressing } from './subnet-rules.ts';
import type { AddressingRequest } from './subnet-rules.ts';

const codeOf = (request: AddressingRequest): string => {
  try {
    resolveAddressing(request);
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a new subnet', () => {
  it('gets the first address as gateway and pools of the rest', () => {
    expect(resolveAddressing({ cidr: '10.0.0.0/24' })).toEqual({
      ipVersion: 4,
      cidr: '10.0.0.0/24',
      gatewayIp: '10.0.0.1',
      enableDhcp: true,
      allocationPools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
      dnsNameservers: [],
      hostRoutes: [],
      ipv6RaMode: null,
      ipv6AddressMode: null,
    });
    expect(resolveAddressing({ cidr: 'FD00::/64' })).toMatchObject({
      ipVersion: 6,
      cidr: 'fd00::/64',
      gatewayIp: 'fd00::1',
      allocationPools: [{ start: 'fd00::2', end: 'fd00::ffff:ffff:ffff:ffff' }],
    });
  });

  it('has its host bits cleared', () => expect(resolveAddressing({ cidr: '10.0.0.77/24' }).cidr).toBe('10.0.0.0/24'));

  it('splits the pools around a gateway in the middle, and has one pool without', () => {
    expect(resolveAddressing({ cidr: '10.0.0.0/29', gatewayIp: '10.0.0.3' }).allocationPools).toEqual([
      { start: '10.0.0.1', end: '10.0.0.2' },
      { start: '10.0.0.4', end: '10.0.0.6' },
    ]);
    expect(resolveAddressing({ cidr: '10.0.0.0/29', gatewayIp: null })).toMatchObject({
      gatewayIp: null,
      allocationPools: [{ start: '10.0.0.1', end: '10.0.0.6' }],
    });
  });

  it.each<[string, AddressingRequest]>([
    ['InvalidInput', { cidr: '10.0.0.0' }],
    ['InvalidInput', { cidr: '0.0.0.0/0' }],
    ['InvalidInput', { cidr: '10.0.0.0/24', ipVersion: 6 }],
    ['InvalidInput', { cidr: '224.0.0.0/24' }],
    ['InvalidInput', { cidr: '127.0.0.0/24' }],
    ['InvalidInput', { cidr: '10.0.0.0/31' }],
    ['accepted', { cidr: '10.0.0.0/31', enableDhcp: false }],
    ['accepted', { cidr: '10.0.0.0/32', enableDhcp: false }],
    ['InvalidInput', { cidr: '10.0.0.0/24', gatewayIp: '10.0.1.1' }],
    ['InvalidInput', { cidr: '10.0.0.0/24', gatewayIp: '10.0.0.0' }],
    ['InvalidInput', { cidr: '10.0.0.0/24', gatewayIp: '10.0.0.255' }],
    ['InvalidInput', { cidr: '10.0.0.0/24', gatewayIp: 'fd00::1' }],
    ['InvalidInput', { cidr: '10.0.0.0/24', gatewayIp: 'x' }],
    ['accepted', { cidr: 'fd00::/64', gatewayIp: 'fe80::1' }],
    ['GatewayConflictWithAllocationPools', pools('10.0.0.1', '10.0.0.9')],
    ['OutOfBoundsAllocationPool', pools('10.0.0.2', '10.0.1.9')],
    ['OutOfBoundsAllocationPool', pools('10.0.0.2', '10.0.0.255')],
    ['InvalidAllocationPool', pools('10.0.0.9', '10.0.0.2')],
    ['InvalidAllocationPool', pools('fd00::2', 'fd00::9')],
    ['OverlappingAllocationPools', pools('10.0.0.2', '10.0.0.9', '10.0.0.9', '10.0.0.11')],
    ['accepted', pools('10.0.0.20', '10.0.0.29', '10.0.0.2', '10.0.0.9')],
    ['InvalidInput', { cidr: '10.0.0.0/24', dnsNameservers: ['8.8.8.8', '8.8.8.8'] }],
    ['InvalidInput', { cidr: '10.0.0.0/24', dnsNameservers: ['dns.example'] }],
    ['InvalidInput', { cidr: '10.0.0.0/24', hostRoutes: [{ destination: '10.1.0.0/16', nexthop: 'fd00::1' }] }],
    ['accepted', { cidr: '10.0.0.0/24', hostRoutes: [{ destination: '10.1.0.0/16', nexthop: '10.0.0.9' }] }],
  ])('%s for %o', (code, request) => expect(codeOf(request)).toBe(code));

  it('has pools that hold every usable address but the gateway', () => {
    const block = fc.record({ base: fc.nat(0xffffffff), prefix: fc.integer({ min: 1, max: 30 }), pick: fc.nat() });
    fc.assert(
      fc.property(block, ({ base, prefix, pick }) => {
        const text = [24, 16, 8, 0].map((shift) => (base >>> shift) & 255).join('.');
        const cidr = parseCidr(`${text}/${prefix}`);
        if (cidr === null) throw new Error('not a block');
        const { first, last } = usableRange(cidr);
        const gateway = first + (BigInt(pick) % (last - first + 1n));
        const gatewayIp = [24n, 16n, 8n, 0n].map((shift) => (gateway >> shift) & 255n).join('.');
        const resolved = resolveAddressing({ cidr: `${text}/${prefix}`, gatewayIp, enableDhcp: false });
        const sizes = resolved.allocationPools.map(rangeOf).map((range) => range.last - range.first + 1n);
        expect(sizes.reduce((sum, size) => sum + size, 0n)).toBe(last - first);
        expect(parseIp(resolved.gatewayIp ?? '')?.value).toBe(gateway);
      }),
    );
  });
});

describe('a changed subnet', () => {
  const before = resolveAddressing({ cidr: '10.0.0.0/24' });
  it('keeps the gateway unless it is named, and loses it when it is null', () => {
    expect(changeAddressing(before, { enableDhcp: false }).gatewayIp).toBe('10.0.0.1');
    expect(changeAddressing(before, { gatewayIp: null })).toEqual({ ...before, gatewayIp: null });
  });
  it('cannot have a gateway that its pools hand out', () => {
    expect(() => changeAddressing(before, { gatewayIp: '10.0.0.7' })).toThrow('conflicts with allocation pool');
    const allocationPools = [{ start: '10.0.0.10', end: '10.0.0.20' }];
    expect(changeAddressing(before, { gatewayIp: '10.0.0.7', allocationPools }).gatewayIp).toBe('10.0.0.7');
  });
});

it('refuses an overlap with another subnet, whichever holds the other', () => {
  expect(() => checkNoOverlap('10.0.0.0/24', ['10.1.0.0/16', '10.0.0.128/25'])).toThrow('overlaps');
  expect(() => checkNoOverlap('10.1.2.0/24', ['10.1.0.0/16'])).toThrow('overlaps');
  expect(() => checkNoOverlap('10.0.0.0/24', ['10.0.1.0/24', 'fd00::/64'])).not.toThrow();
});

function pools(...ends: string[]): AddressingRequest {
  const allocationPools = [];
  for (let index = 0; index < ends.length; index += 2) {
    allocationPools.push({ start: ends[index] ?? '', end: ends[index + 1] ?? '' });
  }
  return { cidr: '10.0.0.0/24', allocationPools };
}
