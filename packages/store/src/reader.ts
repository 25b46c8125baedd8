import type { CollectionTypes, ListQuery, Page, WriteOptions } from '@alcor/network';
import { refusal } from '@alcor/network';
import type { Queryable } from './database.ts';
import { listStatement } from './list-query.ts';
import { rowFields, viewFields } from './resource.ts';
import type { ColumnType, Resource } from './resource.ts';
import { arrayLiteral } from './sql.ts';
import { isUuid } from './uuid7.ts';

/** One resource with its view, or its `…NotFound`. */
export async function readView<T extends CollectionTypes>(
  on: Queryable,
  resource: Resource<T>,
  id: T['id'],
): Promise<T['view']> {
  if (!couldBe(resource, id)) throw resource.notFound(id);
  const text = `select ${viewFields(resource)} from ${resource.table} t ${resource.join} where t.id = $1`;
  const [row] = await on.query<T['view']>(text, [id]);
  if (row === undefined) throw resource.notFound(id);
  return resource.canonical(row);
}

/** The resources with their views in the order of `ids`, as many of them as exist. */
export async function readViews<T extends CollectionTypes>(
  on: Queryable,
  resource: Resource<T>,
  ids: readonly T['id'][],
): Promise<readonly T['view'][]> {
  if (ids.length === 0) return [];
  const text = `select ${viewFields(resource)} from ${resource.table} t ${resource.join}
    join unnest($1::${idType(resource)}[]) with ordinality as wanted(id, place) on wanted.id = t.id order by wanted.place`;
  const rows = await on.query<T['view']>(text, [arrayLiteral(ids)]);
  return rows.map((row) => resource.canonical(row));
}

export async function readPage<T extends CollectionTypes>(
  on: Queryable,
  resource: Resource<T>,
  query: ListQuery<T>,
): Promise<Page<T['view']>> {
  if (query.marker !== undefined) await readView(on, resource, query.marker);
  const { text, parameters } = listStatement(resource, query);
  // Which index gives the first of the rows soonest depends on what is asked for and how many are wanted.
  const found = await on.query<T['view']>(text, parameters, query.limit === undefined ? 'kept' : 'fresh');
  const more = query.limit !== undefined && found.length > query.limit;
  const rows = (more ? found.slice(0, query.limit) : found).map((row) => resource.canonical(row));
  return { rows: query.direction === 'backward' ? rows.toReversed() : rows, more };
}

/** The rows that exist of `ids`, as the feed gives them, in no order. */
export async function readRows<T extends CollectionTypes>(
  on: Queryable,
  resource: Resource<T>,
  ids: readonly string[],
): Promise<readonly T['view'][]> {
  if (ids.length === 0) return [];
  const text = `select ${rowFields(resource)} from ${resource.table} t where t.id = any($1::${idType(resource)}[])`;
  const rows = await on.query<T['view']>(text, [arrayLiteral(ids)]);
  return rows.map((row) => resource.canonical(row));
}

/** How long the row is to be kept from others: an update lets rows that refer to it be made, a removal does not. */
export type LockStrength = 'for no key update' | 'for update';

/** The row, locked until the end of the transaction, of the revision asked for. */
export async function lockRow<T extends CollectionTypes>(
  tx: Queryable,
  resource: Resource<T>,
  id: T['id'],
  { strength, ifRevision }: WriteOptions & { readonly strength: LockStrength },
): Promise<T['view'] & { readonly revision: number }> {
  if (!couldBe(resource, id)) throw resource.notFound(id);
  const lock = `select t.revision from ${resource.table} t where t.id = $1 ${strength}`;
  const [locked] = await tx.query<{ revision: number }>(lock, [id]);
  if (locked === undefined) throw resource.notFound(id);
  if (ifRevision !== undefined && ifRevision !== locked.revision) {
    throw refusal('RevisionNumberConstraintFailed', { expected: ifRevision, current: locked.revision });
  }
  // Read after the lock was had, so that what is composed of other tables is as new as the row.
  const [row] = await tx.query<T['view'] & { revision: number }>(
    `select ${rowFields(resource)} from ${resource.table} t where t.id = $1`,
    [id],
  );
  if (row === undefined) throw resource.notFound(id);
  return resource.canonical(row) as T['view'] & { readonly revision: number };
}

function idType<T extends CollectionTypes>({ columns }: Resource<T>): ColumnType {
  return columns['id']?.type ?? 'uuid';
}

function couldBe<T extends CollectionTypes>(resource: Resource<T>, id: string): boolean {
  return idType(resource) !== 'uuid' || isUuid(id);
}
