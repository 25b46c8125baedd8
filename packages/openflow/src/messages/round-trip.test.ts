import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readActions } from '../actions/decode.ts';
import { writeActions } from '../actions/encode.ts';
import { ByteReader } from '../bytes/reader.ts';
import { ByteWriter } from '../bytes/writer.ts';
import { canonicalMatch, matchKey, readMatch, writeMatch } from '../match-codec.ts';
import { action, match } from '../testing/arbitrary.ts';
import { messageKinds } from '../testing/arbitrary-messages.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';

describe('what is written is read back as the same data', () => {
  for (const [index, kind] of messageKinds.entries()) {
    test(`message kind ${index}`, () => {
      fc.assert(
        fc.property(kind, fc.nat(0xffff_ffff), (message, xid) => {
          const encoded = encodeMessage(message, xid);
          expect(encoded.readUInt16BE(2)).toBe(encoded.length);
          expect(decodeMessage(encoded)).toEqual({ version: 6, xid, message });
          expect(encodeMessage(decodeMessage(encoded).message, xid)).toEqual(encoded);
        }),
        { numRuns: 100 },
      );
    });
  }

  test('actions', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 4 }), (actions) => {
        const writer = new ByteWriter();
        writeActions(writer, actions);
        expect(writer.length % 8).toBe(0);
        expect(readActions(new ByteReader(writer.copy()))).toEqual(actions);
      }),
      { numRuns: 2_000 },
    );
  });

  test('matches', () => {
    fc.assert(
      fc.property(match, (fields) => {
        const writer = new ByteWriter(8);
        writeMatch(writer, fields);
        const read = readMatch(new ByteReader(writer.copy()));
        expect(read).toEqual(fields);
        expect(Object.keys(read)).toEqual(Object.keys(fields));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a match has one key', () => {
  test('whatever the order of its fields', () => {
    fc.assert(
      fc.property(match, (fields) => {
        const reversed = Object.fromEntries(Object.entries(fields).toReversed());
        expect(matchKey(reversed)).toBe(matchKey(fields));
        expect(canonicalMatch(reversed)).toEqual(fields);
      }),
    );
  });

  test('and different matches have different keys', () => {
    fc.assert(
      fc.property(match, match, (a, b) => {
        const same = JSON.stringify(a, bigText) === JSON.stringify(b, bigText);
        expect(matchKey(a) === matchKey(b)).toBe(same);
      }),
    );
  });

  test.each([
    [{ eth_dst: { value: 5, mask: 0xffff_ffff_ffff } }, { eth_dst: 5 }],
    [{ eth_dst: { value: 7, mask: 5 } }, { eth_dst: { value: 5, mask: 5 } }],
    [{ eth_dst: { value: 7, mask: 0 } }, {}],
    [{ metadata: 5 }, { metadata: 5n }],
    [{ metadata: { value: 5n, mask: 0n } }, {}],
    [{ xreg0: 0x1_0000_0002n }, { reg0: 1, reg1: 2 }],
    [{ xreg3: { value: 9n, mask: 0xffff_ffffn } }, { reg7: 9 }],
    [{ xxreg1: { value: 0xan << 96n, mask: 0xfn << 96n } }, { reg4: { value: 10, mask: 15 } }],
  ])('%o is %o', (a, b) => {
    expect(matchKey(a)).toBe(matchKey(b));
    expect(canonicalMatch(a)).toEqual(b);
  });

  test('a register given twice is refused', () => {
    expect(() => matchKey({ xreg0: 1n, reg1: 1 })).toThrow('bad_structure');
  });
});

const bigText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
