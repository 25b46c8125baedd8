import type { Parameter } from './database.ts';

/** The text form of a PostgreSQL array (PostgreSQL manual, 8.15.6), to be cast by the statement: `$1::uuid[]`. */
export function arrayLiteral(values: readonly (string | number | boolean)[]): string {
  return `{${values.map((value) => `"${String(value).replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;
}

/** Rows for `jsonb_to_recordset($1::text::jsonb)`. */
export function jsonRows(rows: readonly object[]): string {
  return JSON.stringify(rows);
}

/** Collects the parameters of a statement while its text is put together. */
export interface Parameters {
  readonly values: readonly Parameter[];
  /** Adds a value and gives its placeholder. */
  add(value: Parameter): string;
}

export function createParameters(): Parameters {
  const values: Parameter[] = [];
  return { values, add: (value) => `$${values.push(value)}` };
}
