import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Framer } from '../connection/framer.ts';
import { OpenFlowError } from '../errors.ts';
import { message } from '../testing/arbitrary-messages.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';

/** Decoding gives a message or an `OpenFlowError`, and takes no time to speak of. */
function decodesOrRefuses(bytes: Uint8Array): void {
  try {
    decodeMessage(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(OpenFlowError);
  }
}

const frame = message.map((data) => encodeMessage(data, 1));

test('random bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decodesOrRefuses), { numRuns: 5_000 });
});

test('random bodies behind a good header', () => {
  const framed = fc.tuple(fc.nat(40), fc.uint8Array({ maxLength: 300 })).map(([type, body]) => {
    const bytes = Buffer.concat([Buffer.from([6, type, 0, 0, 0, 0, 0, 1]), body]);
    bytes.writeUInt16BE(bytes.length, 2);
    return bytes;
  });
  fc.assert(fc.property(framed, decodesOrRefuses), { numRuns: 20_000 });
});

test('good messages with some bytes changed', () => {
  const changes = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(frame, changes, (good, list) => {
      const bad = Buffer.from(good);
      for (const [at, byte] of list) bad[at % bad.length] = byte;
      bad.writeUInt16BE(bad.length, 2);
      decodesOrRefuses(bad);
    }),
    { numRuns: 10_000 },
  );
});

test('good messages cut short say `truncated` or `bad_length`, or are a shorter good message', () => {
  fc.assert(
    fc.property(frame, fc.nat(400), (good, at) => {
      const cut = good.subarray(0, at % good.length);
      expect(() => decodeMessage(cut)).toThrow(OpenFlowError);
      if (cut.length < 8) return;
      const honest = Buffer.from(cut);
      honest.writeUInt16BE(honest.length, 2);
      decodesOrRefuses(honest);
    }),
    { numRuns: 5_000 },
  );
});

test('every 16-bit number replaced by an absurd length', () => {
  fc.assert(
    fc.property(frame, fc.constantFrom(0, 1, 3, 4, 7, 0x7fff, 0xffff), (good, absurd) => {
      for (let at = 8; at + 2 <= good.length; at += 2) {
        const bad = Buffer.from(good);
        bad.writeUInt16BE(absurd, at);
        decodesOrRefuses(bad);
      }
    }),
    { numRuns: 300 },
  );
});

test('nesting without end is refused, not a stack overflow', () => {
  const layers = 4_000;
  const bytes = Buffer.alloc(layers * 16);
  for (let i = 0; i < layers; i++) {
    // NXAST_CLONE within NXAST_CLONE
    bytes.writeUInt16BE(0xffff, i * 16);
    bytes.writeUInt16BE(bytes.length - i * 16, i * 16 + 2);
    bytes.writeUInt32BE(0x2320, i * 16 + 4);
    bytes.writeUInt16BE(42, i * 16 + 8);
  }
  const head = Buffer.from('060d000000000001ffffffff000000000001000400000000', 'hex');
  const packetOut = Buffer.concat([head, bytes]);
  packetOut.writeUInt16BE(packetOut.length, 2);
  packetOut.writeUInt16BE(bytes.length, 12);
  expect(() => decodeMessage(packetOut)).toThrow('nested too deeply');
});

test('a stream cut anywhere gives the same messages', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 200 })), (frames, cuts) => {
      const stream = Buffer.concat(frames);
      const framer = new Framer();
      const found: Buffer[] = [];
      let at = 0;
      for (const cut of [...cuts, stream.length]) {
        found.push(...[...framer.push(stream.subarray(at, at + cut))].map((bytes) => Buffer.from(bytes)));
        at = Math.min(at + cut, stream.length);
      }
      expect(found).toEqual(frames);
    }),
  );
});

test('a stream with a length below its own header is refused', () => {
  const framer = new Framer();
  expect(() => [...framer.push(Buffer.from('0600000700000001', 'hex'))]).toThrow('bad_length');
});
