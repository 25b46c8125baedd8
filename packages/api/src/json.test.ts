import { AlcorError } from '@alcor/network';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseJson } from './json.ts';

function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}

function attempt(source: string, maxDepth: number): unknown {
  try {
    return parseJson(source, maxDepth);
  } catch (error) {
    return (error as AlcorError).message;
  }
}

it('reads what JSON.parse reads, exactly up to the depth allowed', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 0, max: 6 }), (source, maxDepth) => {
      const value: unknown = JSON.parse(source);
      const tooDeep = `The request body nests deeper than ${maxDepth} levels.`;
      expect(attempt(source, maxDepth)).toEqual(depthOf(value) > maxDepth ? tooDeep : value);
    }),
  );
});

it('takes brackets in strings, also after escaped quotes, for text', () => {
  const text = String.raw`"[[[\"[[[\\"`;
  expect(parseJson(text, 0)).toBe(JSON.parse(text));
});

it('refuses what is no JSON, whatever it looks like', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom('"', '"\\', '[}', '{"a":"}', '[[', '\\"[')), (source) => {
      const readable = attempt(source, 5);
      if (typeof readable === 'string' && readable.startsWith('Malformed'))
        expect(() => JSON.parse(source) as unknown).toThrow();
    }),
  );
  expect(attempt('{', 5)).toMatch(/^Malformed request body/);
});

it('has no value for no text', () => {
  expect(parseJson(' \n', 5)).toBeUndefined();
});
