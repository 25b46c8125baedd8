import type { Change } from './api.ts';
import { applyDifference, decodeValue, defaultValue } from './codec.ts';
import { OvsdbError } from './error.ts';
import { entries, isObject } from './json.ts';
import type { ColumnType } from './schema.ts';
import { sameRow, type Row } from './value.ts';

/** A monitored table: the columns asked for, and the rows as last reported. */
export interface TableCopy {
  readonly columns: ReadonlyMap<string, ColumnType>;
  readonly rows: Map<string, Row>;
}

export type Tables = ReadonlyMap<string, TableCopy>;

/** How a notification tells of a row: `whole` by RFC 7047 4.1.6, `difference` by ovsdb-server(7) 4.1.14. */
export type UpdateForm = 'whole' | 'difference';

/**
 * What an update changes, in whole rows; changes nothing itself, so a malformed update leaves no half-applied copy.
 * A row told again as it is, or a delete of a row that is not there, is no change.
 */
export function decodeUpdates(tables: Tables, form: UpdateForm, json: unknown): Change[] {
  return entries(object(json)).flatMap(([table, rows]) => {
    const copy = tables.get(table);
    if (copy === undefined) throw new OvsdbError('protocol', `update of ${table}, which is not monitored`);
    return entries(object(rows))
      .map(([uuid, update]) => {
        const old = copy.rows.get(uuid);
        return { table, uuid, old, new: rowAfter(copy, form, old, object(update)) };
      })
      .filter(isChange);
  });
}

/** What it takes to come from one state of the tables to another. */
export function difference(from: Tables, to: Tables): Change[] {
  return [...to].flatMap(([table, { rows }]) => {
    const before: ReadonlyMap<string, Row> = from.get(table)?.rows ?? new Map<string, Row>();
    const gone = [...before]
      .filter(([uuid]) => !rows.has(uuid))
      .map(([uuid, old]): Change => ({ table, uuid, old, new: undefined }));
    const come = [...rows].map(([uuid, row]) => ({ table, uuid, old: before.get(uuid), new: row }));
    return gone.concat(come.filter(isChange));
  });
}

/** Makes the copy show the changes. */
export function applyChanges(tables: Tables, changes: readonly Change[]): void {
  for (const change of changes) {
    const rows = tables.get(change.table)?.rows;
    if (change.new === undefined) rows?.delete(change.uuid);
    else rows?.set(change.uuid, change.new);
  }
}

/** False where nothing would be seen to change. */
export function isChange(change: Change): boolean {
  if (change.old === undefined || change.new === undefined) return change.old !== change.new;
  return !sameRow(change.old, change.new);
}

function rowAfter(
  copy: TableCopy,
  form: UpdateForm,
  old: Row | undefined,
  update: Readonly<Record<string, unknown>>,
): Row | undefined {
  if (form === 'whole') return update['new'] === undefined ? undefined : decodeRow(copy, update['new']);
  if ('delete' in update) return undefined;
  if ('modify' in update) return modified(copy, old, update['modify']);
  return decodeRow(copy, 'insert' in update ? update['insert'] : update['initial']);
}

function decodeRow(copy: TableCopy, json: unknown): Row {
  const given = decodeColumns(copy, json);
  const row = [...copy.columns].map(([name, type]) => [name, given.get(name) ?? defaultValue(type)] as const);
  return Object.fromEntries(row);
}

function modified(copy: TableCopy, old: Row | undefined, json: unknown): Row {
  // A difference to a row that we don't have cannot be taken in: the copy is out of step and has to be built anew.
  if (old === undefined) throw new OvsdbError('protocol', 'modification of an unknown row');
  const given = decodeColumns(copy, json);
  const row = [...copy.columns].map(([name, type]) => {
    const before = old[name] ?? defaultValue(type);
    const change = given.get(name);
    return [name, change === undefined ? before : applyDifference(type, before, change)] as const;
  });
  return Object.fromEntries(row);
}

function decodeColumns(copy: TableCopy, json: unknown): ReadonlyMap<string, Row[string]> {
  return new Map(
    entries(object(json)).map(([column, value]) => {
      const type = copy.columns.get(column);
      if (type === undefined) throw new OvsdbError('protocol', `update of column ${column}, which is not monitored`);
      return [column, decodeValue(type, value)];
    }),
  );
}

function object(json: unknown): Readonly<Record<string, unknown>> {
  if (isObject(json)) return json;
  throw new OvsdbError('protocol', 'malformed update');
}
