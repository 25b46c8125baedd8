import type { CollectionTypes } from '@alcor/network';
import { recordChanges } from './context.ts';
import type { Parameter, Queryable } from './database.ts';
import { insertRows } from './resource.ts';
import type { Column, Resource } from './resource.ts';
import { changeGrants, dropGrants, grantNew } from './sharing.ts';
import { arrayLiteral, createParameters, jsonRows } from './sql.ts';
import { isDeepStrictEqual } from 'node:util';

/** A row that has an id and a revision, as all have. */
interface Revisioned {
  readonly id: string;
  readonly revision: number;
}

/** Inserts the rows and their changes. */
export async function insertAll<T extends CollectionTypes>(
  tx: Queryable,
  resource: Resource<T>,
  rows: readonly (object & Revisioned)[],
  now: Date,
): Promise<void> {
  await tx.query(insertRows(resource, '$1', ['id']), [jsonRows(rows)]);
  await grantNew(tx, resource, rows, now);
  await recordChanges(
    tx,
    now,
    rows.map(({ id, revision }) => ({ kind: resource.kind, id, revision, deleted: false })),
  );
}

/** The fields of `wanted` that are given and differ from those of `row`. */
export function changedFields(row: object, wanted: object): Readonly<Record<string, unknown>> {
  const before = row as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(wanted).filter(([field, value]) => value !== undefined && !isDeepStrictEqual(value, before[field])),
  );
}

/** Changes a locked row and what follows from its fields in other tables. */
export async function updateRow<T extends CollectionTypes>(
  tx: Queryable,
  resource: Resource<T>,
  row: Revisioned,
  change: { readonly fields: Readonly<Record<string, unknown>>; readonly now: Date },
): Promise<void> {
  await changeGrants(tx, resource, row, change);
  await writeRow(tx, resource, row, change);
}

/** Writes those fields of a locked row that its table keeps, the next revision, and the change. */
export async function writeRow<T extends CollectionTypes>(
  tx: Queryable,
  resource: Resource<T>,
  row: Revisioned,
  { fields, now }: { readonly fields: Readonly<Record<string, unknown>>; readonly now: Date },
): Promise<void> {
  const parameters = createParameters();
  const sets = Object.entries({ ...fields, revision: row.revision + 1, updatedAt: now.toISOString() }).flatMap(
    ([field, value]) => {
      const column = resource.columns[field];
      return column === undefined
        ? []
        : [`${column.name} = ${parameters.add(asText(column, value))}::text::${column.type}`];
    },
  );
  await tx.query(
    `update ${resource.table} set ${sets.join(', ')} where id = ${parameters.add(row.id)}`,
    parameters.values,
  );
  await recordChanges(tx, now, [{ kind: resource.kind, id: row.id, revision: row.revision + 1, deleted: false }]);
}

/** A change of a part is one of the whole: gives the rows of these ids, those there are, their next revision. Locks them. */
export async function growRevisions<T extends CollectionTypes>(
  tx: Queryable,
  resource: Resource<T>,
  ids: readonly string[],
  now: Date,
): Promise<void> {
  if (ids.length === 0) return;
  const grown = await tx.query<Revisioned>(
    `update ${resource.table} set revision = revision + 1, updated_at = $2::timestamptz
     where id in (select id from ${resource.table} where id = any($1::uuid[]) order by id for no key update)
     returning id, revision`,
    [arrayLiteral([...new Set(ids)]), now.toISOString()],
  );
  await recordChanges(
    tx,
    now,
    grown.map(({ id, revision }) => ({ kind: resource.kind, id, revision, deleted: false })),
  );
}

/** Deletes a locked row and records it. */
export async function deleteRow<T extends CollectionTypes>(
  tx: Queryable,
  resource: Resource<T>,
  row: Revisioned,
  now: Date,
): Promise<void> {
  await tx.query(`delete from ${resource.table} where id = $1`, [row.id]);
  await dropGrants(tx, resource, row.id);
  await recordChanges(tx, now, [{ kind: resource.kind, id: row.id, revision: row.revision + 1, deleted: true }]);
}

function asText({ type }: Column, value: unknown): Parameter {
  if (value === null) return null;
  return type === 'jsonb' || typeof value !== 'string' ? JSON.stringify(value) : value;
}
