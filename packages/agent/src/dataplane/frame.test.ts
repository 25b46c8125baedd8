import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  icmpEcho,
  icmpv6Echo,
  arpReply,
  arpRequest,
  neighborAdvertisement,
  neighborSolicitation,
  tcp,
  udp,
  type Packet,
} from './drivers/packet.ts';
import { decodeFrame, encodeFrame } from './frame.ts';

const anyMac = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const anyPort = fc.integer({ min: 0, max: 0xffff });
const four = fc.record({ mac: anyMac, ip: fc.integer({ min: 0, max: 2 ** 32 - 1 }), port: anyPort });
const six = fc.record({ mac: anyMac, ip: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }), port: anyPort });

const anyPacket: fc.Arbitrary<Packet> = fc.oneof(
  fc.tuple(four, four).chain(([a, b]) => fc.constantFrom(icmpEcho('request', a, b), icmpEcho('reply', a, b), arpRequest(a, b.ip), arpReply(a, b), udp(a, b), tcp(a, b))),
  fc.tuple(six, six).chain(([a, b]) => fc.constantFrom(icmpv6Echo('request', a, b), neighborSolicitation(a, b.ip), neighborSolicitation({ mac: a.mac, ip: 0n }, b.ip), neighborAdvertisement(a, b), udp(a, b), tcp(a, b))),
); // prettier-ignore

test('a frame has the headers that it was made with', () => {
  fc.assert(
    fc.property(anyPacket, (packet) => {
      expect(decodeFrame(encodeFrame(packet)).headers).toEqual(packet);
    }),
  );
});

test('a frame carries its payload', () => {
  const packet = udp({ mac: 1, ip: 2, port: 68 }, { mac: 3, ip: 4, port: 67 });
  const payload = Uint8Array.from({ length: 301 }, (_, at) => at & 0xff);
  expect(decodeFrame(encodeFrame(packet, payload))).toEqual({ headers: packet, payload });
});

test('a frame that is cut off anywhere is read as far as it goes', () => {
  fc.assert(
    fc.property(anyPacket, fc.nat(100), (packet, length) => {
      const { headers } = decodeFrame(encodeFrame(packet).subarray(0, length));
      // An option of which a part is missing is none.
      const { nd_options_type: _, nd_sll: __, nd_tll: ___, ...whole } = headers;
      expect(packet).toMatchObject(whole);
    }),
  );
});

test('bytes of any kind are read without an error', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => void decodeFrame(bytes)));
});

test('the checksum of an IPv4 header is that of a known example', () => {
  const packet = udp({ mac: 1, ip: 0xc0a80001, port: 1 }, { mac: 2, ip: 0xc0a800c7, port: 2 });
  const frame = encodeFrame(packet, new Uint8Array(87));
  expect(Buffer.from(frame.subarray(14, 34)).toString('hex')).toBe('45000073000040004011b861c0a80001c0a800c7');
});

test('a receiver that sums up a datagram and its pseudo-header finds all ones', () => {
  const packet = udp({ mac: 1, ip: 0x0a000001, port: 68 }, { mac: 2, ip: 0x0a000002, port: 67 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (payload) => {
      const datagram = encodeFrame(packet, payload).subarray(34);
      const pseudo = [0x0a00, 0x0001, 0x0a00, 0x0002, 17, datagram.length];
      const words = Array.from(
        { length: Math.ceil(datagram.length / 2) },
        (_, n) => datagram[2 * n]! * 256 + (datagram[2 * n + 1] ?? 0),
      );
      const sum = [...pseudo, ...words].reduce((total, word) => total + word, 0);
      expect(sum % 0xffff).toBe(0);
    }),
  );
});

test('an option that is no link address is none', () => {
  const packet = neighborSolicitation({ mac: 1, ip: 2n }, 3n);
  const frame = encodeFrame(packet);
  frame[14 + 40 + 25] = 2;
  expect(decodeFrame(frame).headers).toMatchObject({ nd_options_type: 0, nd_sll: 0 });
});
