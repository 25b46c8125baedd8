import { OvsdbError } from './error.ts';
import { isArray } from './json.ts';
import { unreachable } from './unreachable.ts';
import type { AtomicType, ColumnType } from './schema.ts';
import {
  atomKey,
  compareAtoms,
  isMap,
  isSet,
  type Atom,
  type Value,
  type WriteAtom,
  type WriteValue,
} from './value.ts';

const NIL = '00000000-0000-0000-0000-000000000000';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** RFC 7047 section 5.1 `<value>`; needs no schema, since each form says what it is. */
export function encodeValue(value: WriteValue): unknown {
  if (isMap(value)) return ['map', [...value].map(([key, item]) => [encodeAtom(key), encodeAtom(item)])];
  if (isSet(value)) return ['set', value.map(encodeAtom)];
  return encodeAtom(value);
}

function encodeAtom(atom: WriteAtom): unknown {
  if (typeof atom === 'object') return [atom.kind, atom.id];
  if (typeof atom === 'number' && !Number.isFinite(atom)) {
    throw new OvsdbError('refused', `${atom} cannot be written to a column`);
  }
  return atom;
}

/** Reads a column's value as the schema types it. Total: any JSON gives a value or a `protocol` error. */
export function decodeValue(type: ColumnType, json: unknown): Value {
  if (type.value !== undefined) return decodeMap(type.key, type.value, json);
  if (type.min === 1 && type.max === 1) return decodeAtom(type.key, json);
  return sortedSet(elements(json).map((item) => decodeAtom(type.key, item)));
}

/** What a column holds when nobody wrote it (RFC 7047 section 5.2.1); notifications leave such columns out. */
export function defaultValue(type: ColumnType): Value {
  if (type.value !== undefined) {
    return type.min === 0 ? new Map<Atom, Atom>() : new Map([[defaultAtom(type.key), defaultAtom(type.value)]]);
  }
  if (type.min === 1 && type.max === 1) return defaultAtom(type.key);
  return type.min === 0 ? [] : [defaultAtom(type.key)];
}

/** The value after a `modify` of ovsdb-server(7) 4.1.14: symmetric difference of sets, per-key difference of maps. */
export function applyDifference(type: ColumnType, old: Value, difference: Value): Value {
  // A column of at most one element is sent whole.
  if (type.max === 1) return difference;
  if (isMap(difference) && isMap(old)) return mapAfter(old, difference);
  if (isSet(difference) && isSet(old)) return setAfter(old, difference);
  throw mismatch('difference', difference);
}

function mapAfter(old: ReadonlyMap<Atom, Atom>, difference: ReadonlyMap<Atom, Atom>): Value {
  const pairs = new Map([...old].map((pair) => [atomKey(pair[0]), pair]));
  for (const [key, item] of difference) {
    const held = pairs.get(atomKey(key));
    if (held !== undefined && atomKey(held[1]) === atomKey(item)) pairs.delete(atomKey(key));
    else pairs.set(atomKey(key), [key, item]);
  }
  return sortedMap([...pairs.values()]);
}

function setAfter(old: readonly Atom[], difference: readonly Atom[]): Value {
  const held = new Map(old.map((atom) => [atomKey(atom), atom]));
  for (const atom of difference) {
    if (!held.delete(atomKey(atom))) held.set(atomKey(atom), atom);
  }
  return sortedSet([...held.values()]);
}

/** `["set", [...]]`, or a bare atom for a set of one. */
function elements(json: unknown): readonly unknown[] {
  return isArray(json) && json[0] === 'set' && isArray(json[1]) ? json[1] : [json];
}

function decodeMap(key: AtomicType, value: AtomicType, json: unknown): Value {
  if (!isArray(json) || json[0] !== 'map' || !isArray(json[1])) throw mismatch('map', json);
  const pairs = json[1].map((pair): [Atom, Atom] => {
    if (!isArray(pair) || pair.length !== 2) throw mismatch('pair', pair);
    return [decodeAtom(key, pair[0]), decodeAtom(value, pair[1])];
  });
  return sortedMap(pairs);
}

function decodeAtom(type: AtomicType, json: unknown): Atom {
  switch (type) {
    case 'string':
      if (typeof json === 'string') return json;
      break;
    case 'boolean':
      if (typeof json === 'boolean') return json;
      break;
    case 'real':
      if (typeof json === 'number') return json;
      break;
    case 'integer':
      if (Number.isInteger(json)) return json as number;
      break;
    case 'uuid':
      if (isArray(json) && json[0] === 'uuid' && typeof json[1] === 'string' && UUID.test(json[1])) {
        return { kind: 'uuid', id: json[1] };
      }
      break;
  }
  throw mismatch(type, json);
}

function defaultAtom(type: AtomicType): Atom {
  switch (type) {
    case 'string':
      return '';
    case 'boolean':
      return false;
    case 'real':
    case 'integer':
      return 0;
    case 'uuid':
      return { kind: 'uuid', id: NIL };
    default:
      return unreachable(type);
  }
}

function sortedSet(atoms: Atom[]): readonly Atom[] {
  return atoms.sort(compareAtoms);
}

function sortedMap(pairs: [Atom, Atom][]): ReadonlyMap<Atom, Atom> {
  return new Map(pairs.sort(([a], [b]) => compareAtoms(a, b)));
}

function mismatch(expected: string, json: unknown): OvsdbError {
  return new OvsdbError('protocol', `expected ${expected}, got ${(JSON.stringify(json) ?? 'nothing').slice(0, 200)}`);
}
