import { ipv4, ipv6, mac } from '@alcor/openflow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFrame, encodeFrame, NO_PORT, type LocalPort, type Packet, type PacketIn } from './dataplane/index.ts';
import { answerUndeliverable } from './icmp-errors.ts';

const port: LocalPort = {
  id: 'p',
  vpcId: 'vpc',
  vni: 100,
  mac: '02:00:00:00:00:05',
  ips: ['10.0.0.5', 'fd00::5'],
  adminStateUp: true,
  portSecurityEnabled: true,
  revision: 1,
};
const gateway = {
  vni: 100,
  mac: 'fa:16:3e:00:00:01',
  addresses: [
    { ip: '10.0.0.1', subnetId: 's', cidr: '10.0.0.0/24' },
    { ip: 'fd00::1', subnetId: 's', cidr: 'fd00::/64' },
  ],
};

const ethernet = { eth_src: mac(port.mac), eth_dst: mac(gateway.mac) };
const overV4 = { ...ethernet, eth_type: 0x0800, ipv4_src: ipv4('10.0.0.5'), ipv4_dst: ipv4('192.0.2.1') };
const overV6 = { ...ethernet, eth_type: 0x86dd, ipv6_src: ipv6('fd00::5'), ipv6_dst: ipv6('2001:db8::1') };
const udp = { ip_proto: 17, udp_src: 1000, udp_dst: 33_434 };

function given(frame: Uint8Array, registers: PacketIn['context']['registers'] = { reg0: 7 }): PacketIn {
  return { table: 'routing', context: { inPort: 7, vni: 100, registers }, frame };
}

function answer(packet: PacketIn) {
  return answerUndeliverable(packet, {
    portAt: (ofport) => (ofport === 7 ? port : undefined),
    interfaceAt: (vni, to) => (vni === 100 && to === mac(gateway.mac) ? gateway : undefined),
  });
}

test.each<[string, Packet, Packet]>([
  ['of its last hop', { ...overV4, ...udp, ip_ttl: 1 }, { icmpv4_type: 11, icmpv4_code: 0 }],
  ['without a route', { ...overV4, ...udp, ip_ttl: 9 }, { icmpv4_type: 3, icmpv4_code: 0 }],
  ['of its last hop', { ...overV6, ...udp, ip_ttl: 1 }, { icmpv6_type: 3, icmpv6_code: 0 }],
  ['without a route', { ...overV6, ...udp, ip_ttl: 9 }, { icmpv6_type: 1, icmpv6_code: 0 }],
])('the sender of a packet %s is told, with the packet: %o', (_, headers, said) => {
  const frame = encodeFrame(headers, new Uint8Array(40).fill(7));
  const [packet, ...more] = answer(given(frame));
  expect(more).toEqual([]);
  expect(packet).toMatchObject({ table: 'output', context: { inPort: NO_PORT, vni: 100, registers: { reg1: 7 } } });
  const { headers: its, payload } = decodeFrame(packet!.frame);
  const ends =
    headers.eth_type === 0x0800
      ? { ip_proto: 1, ipv4_src: ipv4('10.0.0.1'), ipv4_dst: headers.ipv4_src }
      : { ip_proto: 58, ipv6_src: ipv6('fd00::1'), ipv6_dst: headers.ipv6_src };
  expect(its).toMatchObject({ eth_src: mac(gateway.mac), eth_dst: mac(port.mac), ...ends, ...said });
  expect(payload.slice(4)).toEqual(frame.slice(14));
});

test('where another router stands between, the guest is told all the same', () => {
  const frame = encodeFrame({ ...overV4, ...udp, ip_ttl: 1, eth_src: mac('fa:16:3e:00:00:02') });
  const [packet] = answer(given(frame, { reg0: 7, reg5: 1 }));
  expect(decodeFrame(packet!.frame).headers.eth_dst).toBe(mac(port.mac));
});

test.each<[Packet, Packet]>([
  [overV4, { icmpv4_type: 3, icmpv4_code: 4 }],
  [overV6, { icmpv6_type: 2, icmpv6_code: 0 }],
])('the sender of a packet that the next network does not take is told what it takes: %o', (over, said) => {
  const frame = encodeFrame({ ...over, ...udp, ip_ttl: 9 }, new Uint8Array(1400));
  const [packet] = answer(given(frame, { reg0: 7, reg14: 1300 }));
  const { headers, payload } = decodeFrame(packet!.frame);
  expect(headers).toMatchObject(said);
  expect(payload.slice(0, 4)).toEqual(Uint8Array.of(0, 0, 5, 20));
  expect(payload.slice(4)).toEqual(frame.slice(14, 14 + payload.length - 4));
});

test('a packet that may be fragmented is dropped without a word', () => {
  const frame = encodeFrame({ ...overV4, ...udp, ip_ttl: 9 }, new Uint8Array(1400));
  frame[20] = 0;
  expect(answer(given(frame, { reg0: 7, reg14: 1300 }))).toEqual([]);
});

const fragment = encodeFrame({ ...overV4, ...udp, ip_ttl: 1 });
fragment[21] = 5;

test.each<[string, Uint8Array]>([
  ['an error', encodeFrame({ ...overV4, ip_ttl: 1, ip_proto: 1, icmpv4_type: 11, icmpv4_code: 0 })],
  ['an error over IPv6', encodeFrame({ ...overV6, ip_ttl: 1, ip_proto: 58, icmpv6_type: 1, icmpv6_code: 0 })],
  ['a later fragment', fragment],
  ['what is from nobody', encodeFrame({ ...overV4, ...udp, ip_ttl: 1, ipv4_src: 0 })],
  ['what is from many', encodeFrame({ ...overV6, ...udp, ip_ttl: 1, ipv6_src: ipv6('ff02::1') })],
  ['what is to many', encodeFrame({ ...overV4, ...udp, ip_ttl: 1, ipv4_dst: ipv4('224.0.0.9') })],
  ['what is for no router', encodeFrame({ ...overV4, ...udp, ip_ttl: 1, eth_dst: mac('fa:16:3e:00:00:09') })],
])('nothing is said of %s', (_, frame) => {
  expect(answer(given(frame))).toEqual([]);
});

test('nothing is larger than everybody takes, and nothing fails, whatever is sent', () => {
  fc.assert(
    fc.property(fc.constantFrom(overV4, overV6), fc.uint8Array({ maxLength: 1500 }), fc.nat(80), (over, rest, cut) => {
      const whole = encodeFrame({ ...over, ip_proto: 99, ip_ttl: 1 }, rest);
      for (const frame of [whole, whole.subarray(0, cut), Uint8Array.of(...whole.subarray(0, 14), ...rest)]) {
        for (const packet of answer(given(frame)))
          expect(packet.frame.length).toBeLessThanOrEqual(over === overV4 ? 14 + 576 : 14 + 1280);
      }
    }),
    { numRuns: 300 },
  );
});
