import { OvsdbError } from './error.ts';
import { isMap, isSet, type Atom, type Row, type Value } from './value.ts';

// Typed looks at a decoded row. Each throws `protocol` where the column is absent or of another type, which can only
// mean that the schema is not the one the caller was written for, or that the column was not asked for.

/** A column that holds exactly one string. */
export function textOf(row: Row, column: string): string {
  return expect(row, column, 'a string', (value) => (typeof value === 'string' ? value : undefined));
}

/** A column that holds exactly one number. */
export function numberOf(row: Row, column: string): number {
  return expect(row, column, 'a number', (value) => (typeof value === 'number' ? value : undefined));
}

/** A column that holds exactly one boolean. */
export function booleanOf(row: Row, column: string): boolean {
  return expect(row, column, 'a boolean', (value) => (typeof value === 'boolean' ? value : undefined));
}

/** A column that holds one string or none. */
export function optionalTextOf(row: Row, column: string): string | undefined {
  return textsOf(row, column)[0];
}

/** A column that holds one number or none. */
export function optionalNumberOf(row: Row, column: string): number | undefined {
  return atoms(row, column, 'numbers', (atom): atom is number => typeof atom === 'number')[0];
}

/** A column that holds any number of strings. */
export function textsOf(row: Row, column: string): readonly string[] {
  return atoms(row, column, 'strings', (atom): atom is string => typeof atom === 'string');
}

/** UUIDs of the rows that a column refers to. */
export function refsOf(row: Row, column: string): readonly string[] {
  return atoms(row, column, 'references', (atom) => typeof atom === 'object').map((ref) => ref.id);
}

/** UUID of the row that a column refers to, if any. */
export function refOf(row: Row, column: string): string | undefined {
  return refsOf(row, column)[0];
}

/** A column that maps strings to strings, such as `external_ids`. */
export function mapOf(row: Row, column: string): ReadonlyMap<string, string> {
  return expect(row, column, 'a map of strings', (value) =>
    isMap(value) && [...value].every((pair) => pair.every((atom) => typeof atom === 'string'))
      ? (value as ReadonlyMap<string, string>)
      : undefined,
  );
}

function atoms<A extends Atom>(row: Row, column: string, what: string, is: (atom: Atom) => atom is A): readonly A[] {
  return expect(row, column, what, (value) => {
    if (isMap(value)) return undefined;
    const all = isSet(value) ? value : [value];
    return all.every(is) ? all : undefined;
  });
}

function expect<T>(row: Row, column: string, what: string, read: (value: Value) => T | undefined): T {
  const value = Object.hasOwn(row, column) ? row[column] : undefined;
  const found = value === undefined ? undefined : read(value);
  if (found === undefined) throw new OvsdbError('protocol', `column ${column} is not ${what}`);
  return found;
}
