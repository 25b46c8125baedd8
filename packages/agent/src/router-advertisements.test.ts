import { ipv6, mac } from '@alcor/openflow';
import { expect, test } from 'vitest';
import { decodeFrame, linkLocal, NO_PORT } from './dataplane/index.ts';
import { advertisement } from './router-advertisements.ts';

const gateway = { vni: 100, mac: 'fa:16:3e:00:00:01', addresses: [] };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('a router speaks of its subnets to all on the link, in the bytes of RFC 4861', () => {
  const subnet = {
    cidr: 'fd00:1::/64',
    mode: 'slaac',
    dnsServers: ['2001:db8::53', '192.0.2.53'],
    domain: 'ab.example',
  } as const;
  const packet = advertisement(gateway, [subnet], 1400, 7);
  expect(packet).toMatchObject({ table: 'output', context: { inPort: NO_PORT, vni: 100, registers: { reg1: 7 } } });
  const { headers, payload } = decodeFrame(packet.frame);
  expect(headers).toMatchObject({
    eth_src: mac(gateway.mac),
    eth_dst: 0x333300000001,
    ipv6_src: linkLocal(mac(gateway.mac)),
    ipv6_dst: ipv6('ff02::1'),
    ip_ttl: 255,
    icmpv6_type: 134,
  });
  expect(hex(payload)).toBe(
    [
      '40000708',
      '0000000000000000',
      '0101fa163e000001',
      '0501000000000578',
      '030440c0000151800000384000000000fd000001000000000000000000000000',
      '190300000000070820010db8000000000000000000000053',
      '1f03000000000708026162076578616d706c650000000000',
    ].join(''),
  );
});

test.each([
  ['slaac', 0x00, 0xc0],
  ['dhcpv6-stateless', 0x40, 0xc0],
  ['dhcpv6-stateful', 0xc0, 0x80],
] as const)('guests of a subnet with %s are told how they come by their address', (mode, flags, prefix) => {
  const packet = advertisement(gateway, [{ cidr: 'fd00:1::/64', mode, dnsServers: [], domain: '' }], 0, 7);
  const { payload } = decodeFrame(packet.frame);
  expect([payload[1], payload[12 + 8 + 3]]).toEqual([flags, prefix]);
  expect(payload).toHaveLength(12 + 8 + 32);
});
