/** A reference to a row by its UUID. */
export interface Ref {
  readonly kind: 'uuid';
  readonly id: string;
}

/** A reference to a row that the same transaction inserts under this name. */
export interface NamedRef {
  readonly kind: 'named-uuid';
  readonly id: string;
}

/** One scalar of a column (RFC 7047 section 5.1). Integers beyond ±2^53 lose precision, as in all of JSON in this language. */
export type Atom = string | number | boolean | Ref;

/**
 * A column's value as read: an atom where the schema says exactly one, else a set as an array (an optional column has none
 * or one element) or a map. Sets and maps are in ascending order of their elements, so equal values look equal.
 */
export type Value = Atom | readonly Atom[] | ReadonlyMap<Atom, Atom>;

/** A row as read, by column; the key `_uuid` is not among them unless selected. */
export type Row = Readonly<Record<string, Value>>;

export type WriteAtom = Atom | NamedRef;

/** A column's value as written; a map is a `Map`, most easily by {@link map}. */
export type WriteValue = WriteAtom | readonly WriteAtom[] | ReadonlyMap<WriteAtom, WriteAtom>;

export type WriteRow = Readonly<Record<string, WriteValue>>;

/** Refers to an existing row. */
export function uuid(id: string): Ref {
  return { kind: 'uuid', id };
}

/** Refers to the row that the same transaction inserts with `uuidName: name`. */
export function named(name: string): NamedRef {
  return { kind: 'named-uuid', id: name };
}

/** A map column's value from a plain record: `map({ 'iface-id': id })`. */
export function map<V extends WriteAtom>(entries: Readonly<Record<string, V>>): ReadonlyMap<string, V> {
  return new Map(Object.entries(entries));
}

/** Tells one atom from another; equal atoms have equal keys, whatever objects hold them. */
export function atomKey(atom: WriteAtom): string {
  return typeof atom === 'object' ? `${atom.kind} ${atom.id}` : `${typeof atom} ${atom}`;
}

/** Orders atoms of one type: numbers by size, all else by its text. */
export function compareAtoms(a: Atom, b: Atom): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [atomKey(a), atomKey(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** True where both are the same set, map or atom. Relies on the order that decoding establishes. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return JSON.stringify(flat(a)) === JSON.stringify(flat(b));
}

/** True where both rows have the same columns with the same values. */
export function sameRow(a: Row, b: Row): boolean {
  const columns = Object.keys(a);
  return columns.length === Object.keys(b).length && columns.every((column) => sameValue(a[column], b[column]));
}

function flat(value: Value): unknown {
  if (isMap(value)) return ['map', ...[...value].flatMap(([key, item]) => [atomKey(key), atomKey(item)])];
  if (isSet(value)) return ['set', ...value.map(atomKey)];
  return atomKey(value);
}

/** Narrowing for readonly arrays, which `Array.isArray` alone does not do. */
export function isSet<A extends WriteAtom>(value: A | readonly A[] | ReadonlyMap<A, A>): value is readonly A[] {
  return Array.isArray(value);
}

export function isMap<A extends WriteAtom>(value: A | readonly A[] | ReadonlyMap<A, A>): value is ReadonlyMap<A, A> {
  return value instanceof Map;
}
