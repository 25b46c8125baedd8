import type { AlcorError, Change, CollectionTypes } from '@alcor/network';
import type { Sharing } from './sharing.ts';
import { isTagged, tagsView } from './tag-query.ts';

export type ColumnType =
  | 'uuid'
  | 'text'
  | 'boolean'
  | 'integer'
  | 'smallint'
  | 'inet'
  | 'cidr'
  | 'macaddr'
  | 'jsonb'
  | 'timestamptz';

/** A field of a row and the column that keeps it. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** May be null: sorts as if it had this value (an SQL literal), so that the order stays total. */
  readonly nullsAs?: string;
}

/**
 * How one kind of resource lies in its table: the one place that knows. Reading, listing, inserting and updating follow from it.
 * In all SQL fragments the table is called `t`.
 */
export interface Resource<T extends CollectionTypes> {
  /** What the change feed calls it; null: it is not in the feed. */
  readonly kind: Change['kind'] | null;
  readonly table: string;
  /** The stored fields, by the name they have in the row. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Fields of the row that are put together from other tables: SQL expressions. */
  readonly composed: Readonly<Record<string, string>>;
  /** Fields that only a reader of the API sees: SQL expressions. */
  readonly viewed: Readonly<Record<string, string>>;
  /** Joined for `viewed`, `filters` and `sortKeys`. */
  readonly join: string;
  /** Conditions other than "the column is one of"; `values` is a text[]. */
  readonly filters: Readonly<Record<string, (values: string) => string>>;
  /** What may be sorted by: SQL expressions that are never null. */
  readonly sortKeys: Readonly<Record<T['sortKey'], string>>;
  /** What the project at the placeholder may see; null where projects see all or nothing. */
  readonly visibleTo: ((project: string) => string) | null;
  /** How it is shared with other projects; absent: it is not. */
  readonly sharing?: Sharing;
  readonly notFound: (id: T['id']) => AlcorError;
  /** Puts what PostgreSQL writes otherwise into canonical form. */
  readonly canonical: (raw: T['view']) => T['view'];
}

/** `t.project_id as "projectId", …`: the row as the feed gives it. */
export function rowFields<T extends CollectionTypes>({ columns, composed }: Resource<T>): string {
  const stored = Object.entries(columns).map(([field, { name, type }]) => `${textOf(`t.${name}`, type)} as "${field}"`);
  return [...stored, ...expressions(composed)].join(', ');
}

/** The row and what only a reader of the API sees. */
export function viewFields<T extends CollectionTypes>(resource: Resource<T>): string {
  const tags = isTagged(resource) ? expressions({ tags: tagsView }) : [];
  return [rowFields(resource), ...expressions(resource.viewed), ...tags].join(', ');
}

/** What an index on the column would be asked for. */
export function sortExpression({ name, nullsAs }: Column): string {
  return nullsAs === undefined ? `t.${name}` : `coalesce(t.${name}, ${nullsAs})`;
}

/** The columns' own sort expressions, for those of `fields`. */
export function sortKeysOf<Key extends string>(
  columns: Readonly<Record<Key, Column>>,
  fields: readonly Key[],
): Record<Key, string> {
  return Object.fromEntries(fields.map((field) => [field, sortExpression(columns[field])])) as Record<Key, string>;
}

/** `insert into … select …` of JSON rows at `rows` (a placeholder), in an order of fields that keeps two of them from deadlock. */
export function insertRows<T extends CollectionTypes>(
  resource: Resource<T>,
  rows: string,
  order: readonly string[],
): string {
  const columns = Object.entries(resource.columns);
  const names = columns.map(([, { name }]) => name).join(', ');
  const fields = columns.map(([field]) => `x."${field}"`).join(', ');
  const types = columns.map(([field, { type }]) => `"${field}" ${type}`).join(', ');
  return `insert into ${resource.table} (${names})
    select ${fields} from jsonb_to_recordset(${rows}::text::jsonb) as x(${types}) order by ${order.map((field) => `x."${field}"`).join(', ')}`;
}

/** An address without its prefix length. */
function textOf(column: string, type: ColumnType): string {
  return type === 'inet' ? `host(${column})` : column;
}

function expressions(fields: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(fields).map(([field, expression]) => `${expression} as "${field}"`);
}
