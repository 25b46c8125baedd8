import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OvsdbError } from './error.ts';
import { Framer } from './framing.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function framed(chunks: readonly Uint8Array[], maxBytes = 1 << 20): unknown[] {
  const framer = new Framer(maxBytes);
  const messages: unknown[] = [];
  for (const chunk of chunks) framer.push(chunk, (message) => messages.push(message));
  return messages;
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const message = fc.dictionary(
  fc.string({ unit: 'binary' }),
  fc.oneof(fc.jsonValue(), fc.constantFrom('{', '}}', '"}', String.raw`\"{`, 'ü€🦆')),
);

test('messages come out as they went in, however the bytes are cut and spaced', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(message, fc.constantFrom('', ' ', '\n\t\r '))),
      fc.array(fc.nat()),
      (messages, places) => {
        const texts = messages.map(([value, space]) => space + JSON.stringify(value));
        expect(framed(cut(bytesOf(texts.join('')), places))).toEqual(texts.map((text) => JSON.parse(text) as unknown));
      },
    ),
  );
});

test('a message cut after every byte comes out whole, with characters of several bytes', () => {
  const bytes = bytesOf('{"duck":"🦆 {not a brace} \\" ü"}');
  expect(framed(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual([{ duck: '🦆 {not a brace} " ü' }]);
});

test('any bytes give messages or a framing error, never another error', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.string({ unit: fc.constantFrom('{', '}', '"', '\\', 'a', ':', '1', ' ') }).map(bytesOf),
  );
  fc.assert(
    fc.property(fc.array(noise), (chunks) => {
      try {
        for (const parsed of framed(chunks)) expect(parsed).toBeTypeOf('object');
      } catch (error) {
        expect(error).toBeInstanceOf(OvsdbError);
        expect(error).toHaveProperty('code', 'framing');
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['something that is no object', '[1]'],
  ['text between messages', '{}x{}'],
  ['braces that hold no JSON', '{a}'],
  ['brackets that do not match', '{"a":[}'],
])('%s is refused', (_, text) => {
  expect(() => framed([bytesOf(text)])).toThrow(OvsdbError);
});

test('bytes that are no UTF-8 are refused', () => {
  expect(() => framed([Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)])).toThrow('not JSON in UTF-8');
});

test('a message over the limit is refused before it is complete, one at the limit is not', () => {
  const text = `{"a":"${'x'.repeat(20)}"}`;
  expect(framed([bytesOf(text)], text.length)).toHaveLength(1);
  expect(() => framed([bytesOf(text.slice(0, -1))], text.length - 2)).toThrow('more than');
});

test('after garbage nothing is taken any more', () => {
  const framer = new Framer(100);
  expect(() => framer.push(bytesOf('x'), () => {})).toThrow(OvsdbError);
  expect(() => framer.push(bytesOf('{}'), () => {})).toThrow(OvsdbError);
});
