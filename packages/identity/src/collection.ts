import type { Queryable } from './database.ts';
import type { ColumnValue, Definition, Input, Values } from './definition.ts';
import type { Json } from './json-shape.ts';
import { notFound } from './problem.ts';

/** A stored resource: its columns, and the client's additional attributes in `extra`. */
export type Row = Readonly<Record<string, unknown>> & { readonly id: string; readonly extra: Json };

/** A condition of a list: the column is the value, or holds it as a part. */
export interface Condition {
  readonly column: string;
  readonly match: 'equals' | 'contains';
  readonly value: string | boolean | null;
}

/** Reads one; rejects with 404. */
export async function fetchOne(db: Queryable, definition: Definition, id: string): Promise<Row> {
  const [row] = await db.query<Row>(`select ${columnsOf(definition)} from ${tableOf(definition)} where id = $1`, [id]);
  if (row === undefined) throw notFound(definition.singular, id);
  return row;
}

/** All that meet every condition, by name or id. Columns are checked against the definition by whoever made the conditions. */
export function fetchAll(
  db: Queryable,
  definition: Definition,
  conditions: readonly Condition[],
): Promise<readonly Row[]> {
  const parameters: (string | boolean)[] = [];
  const clauses = conditions.map(({ column, match, value }) => {
    if (value === null) return `${column} is null`;
    const placeholder = `$${parameters.push(value)}`;
    return match === 'equals' ? `${column} = ${placeholder}` : `position(${placeholder} in ${column}) > 0`;
  });
  const where = clauses.length === 0 ? '' : ` where ${clauses.join(' and ')}`;
  const order = Object.hasOwn(definition.attributes, 'name') ? 'name, id' : 'id';
  return db.query<Row>(
    `select ${columnsOf(definition)} from ${tableOf(definition)}${where} order by ${order}`,
    parameters,
  );
}

/** Stores a new one; columns that `input` does not name take their defaults. */
export async function insertOne(db: Queryable, definition: Definition, id: string, input: Input): Promise<Row> {
  const entries: [string, string | boolean | null][] = [['id', id], ...stored(input.values)];
  entries.push(['extra', JSON.stringify(input.extra)]);
  const names = entries.map(([name]) => name).join(', ');
  const places = entries.map((_, at) => `$${at + 1}`).join(', ');
  const [row] = await db.query<Row>(
    `insert into ${tableOf(definition)} (${names}) values (${places}) returning ${columnsOf(definition)}`,
    entries.map(([, value]) => value),
  );
  return row!;
}

/** Changes what `input` names; an additional attribute that is null goes away. Rejects with 404. */
export async function updateOne(db: Queryable, definition: Definition, id: string, input: Input): Promise<Row> {
  const entries = stored(input.values);
  const changes = entries.map(([name], at) => `${name} = $${at + 3}`);
  changes.push(`extra = jsonb_strip_nulls(extra || $2::text::jsonb)`);
  const [row] = await db.query<Row>(
    `update ${tableOf(definition)} set ${changes.join(', ')} where id = $1 returning ${columnsOf(definition)}`,
    [id, JSON.stringify(input.extra), ...entries.map(([, value]) => value)],
  );
  if (row === undefined) throw notFound(definition.singular, id);
  return row;
}

/** Rejects with 404 where there is none, with 403 where something else needs it. */
export async function deleteOne(db: Queryable, definition: Definition, id: string): Promise<void> {
  const gone = await db.query(`delete from ${tableOf(definition)} where id = $1 returning id`, [id]);
  if (gone.length === 0) throw notFound(definition.singular, id);
}

function tableOf({ plural }: Definition): string {
  return `identity.${plural}`;
}

function columnsOf({ attributes }: Definition): string {
  return ['id', ...Object.keys(attributes), 'extra'].join(', ');
}

/** Lists travel as JSON text. */
function stored(values: Values): [string, string | boolean | null][] {
  return Object.entries(values).map(([name, value]) => [name, isList(value) ? JSON.stringify(value) : value]);
}

function isList(value: ColumnValue): value is readonly string[] {
  return Array.isArray(value);
}
