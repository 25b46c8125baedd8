import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyDifference, decodeValue, defaultValue, encodeValue } from './codec.ts';
import { OvsdbError } from './error.ts';
import type { AtomicType, ColumnType } from './schema.ts';
import { atomKey, compareAtoms, isMap, isSet, map, named, sameValue, uuid, type Atom, type Value } from './value.ts';

const atoms: Record<AtomicType, fc.Arbitrary<Atom>> = {
  string: fc.string({ unit: 'binary' }),
  boolean: fc.boolean(),
  integer: fc.integer(),
  real: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
  uuid: fc.uuid().map((id) => uuid(id)),
};
const atomicType = fc.constantFrom<AtomicType>('string', 'boolean', 'integer', 'real', 'uuid');

const set = (type: AtomicType): fc.Arbitrary<Value> =>
  fc.uniqueArray(atoms[type], { selector: atomKey }).map((list) => list.sort(compareAtoms));
const dictionary = (key: AtomicType, value: AtomicType): fc.Arbitrary<Value> =>
  fc
    .uniqueArray(fc.tuple(atoms[key], atoms[value]), { selector: ([atom]) => atomKey(atom) })
    .map((pairs) => new Map(pairs.sort(([a], [b]) => compareAtoms(a, b))));

interface Typed {
  readonly type: ColumnType;
  readonly values: fc.Arbitrary<Value>;
}

const column: fc.Arbitrary<Typed> = fc.oneof(
  atomicType.map((key) => ({ type: { key, min: 1, max: 1 }, values: atoms[key] })),
  atomicType.map((key) => ({ type: { key, min: 0, max: Infinity }, values: set(key) })),
  fc
    .tuple(atomicType, atomicType)
    .map(([key, value]) => ({ type: { key, value, min: 0, max: Infinity }, values: dictionary(key, value) })),
);

test('every value comes back from the wire as it was written', () => {
  fc.assert(
    fc.property(
      column.chain(({ type, values }) => fc.tuple(fc.constant(type), values)),
      ([type, value]) => {
        const wire: unknown = JSON.parse(JSON.stringify(encodeValue(value)));
        expect(decodeValue(type, wire)).toEqual(value);
      },
    ),
  );
});

/** The server's side of ovsdb-server(7) 4.1.14, written from its definition. */
function differenceOf(old: Value, now: Value): Value {
  if (isMap(old) && isMap(now)) {
    const gone = [...old].filter(([key]) => !lookUp(now, key));
    const come = [...now].filter(([key, item]) => lookUp(old, key)?.[1] !== atomKey(item));
    return new Map([...gone, ...come]);
  }
  if (isSet(old) && isSet(now)) {
    const [before, after] = [new Set(old.map(atomKey)), new Set(now.map(atomKey))];
    return [...old.filter((a) => !after.has(atomKey(a))), ...now.filter((a) => !before.has(atomKey(a)))];
  }
  return now;
}

function lookUp(of: ReadonlyMap<Atom, Atom>, key: Atom): readonly [string, string] | undefined {
  const found = [...of].find(([held]) => atomKey(held) === atomKey(key));
  return found && [atomKey(found[0]), atomKey(found[1])];
}

test('the old value and the difference give the new value', () => {
  fc.assert(
    fc.property(
      column.chain(({ type, values }) => fc.tuple(fc.constant(type), values, values)),
      ([type, old, now]) => {
        expect(applyDifference(type, old, differenceOf(old, now))).toEqual(now);
      },
    ),
  );
});

test('an optional column is sent whole, not as a difference', () => {
  const optional: ColumnType = { key: 'integer', min: 0, max: 1 };
  expect(applyDifference(optional, [1], decodeValue(optional, 2))).toEqual([2]);
  expect(applyDifference(optional, [1], decodeValue(optional, ['set', []]))).toEqual([]);
});

test('any JSON is a value of the type or a protocol error', () => {
  const nearly = fc.oneof(
    fc.jsonValue(),
    fc.tuple(fc.constantFrom('set', 'map', 'uuid'), fc.jsonValue()),
    fc.tuple(fc.constantFrom('set', 'map'), fc.array(fc.tuple(fc.jsonValue(), fc.jsonValue()))),
  );
  fc.assert(
    fc.property(column, nearly, ({ type }, json) => {
      try {
        const value = decodeValue(type, json);
        expect(sameValue(decodeValue(type, encodeValue(value)), value)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(OvsdbError);
        expect(error).toHaveProperty('code', 'protocol');
      }
    }),
    { numRuns: 2000 },
  );
});

test('sets of one element arrive bare, and equal sets look equal in any order', () => {
  const strings: ColumnType = { key: 'string', min: 0, max: Infinity };
  expect(decodeValue(strings, 'one')).toEqual(['one']);
  expect(decodeValue(strings, ['set', ['b', 'a']])).toEqual(['a', 'b']);
});

test('values are written in the notation of RFC 7047 section 5.1', () => {
  expect(encodeValue(map({ 'iface-id': 'p1' }))).toEqual(['map', [['iface-id', 'p1']]]);
  expect(encodeValue([named('bridge'), uuid('x')])).toEqual([
    'set',
    [
      ['named-uuid', 'bridge'],
      ['uuid', 'x'],
    ],
  ]);
  expect(() => encodeValue(Number.NaN)).toThrow('cannot be written');
});

test('columns nobody wrote hold the defaults of RFC 7047 section 5.2.1', () => {
  expect(defaultValue({ key: 'integer', min: 1, max: 1 })).toBe(0);
  expect(defaultValue({ key: 'string', min: 0, max: 1 })).toEqual([]);
  expect(defaultValue({ key: 'boolean', min: 1, max: 3 })).toEqual([false]);
  expect(defaultValue({ key: 'string', value: 'string', min: 0, max: Infinity })).toEqual(new Map());
});
