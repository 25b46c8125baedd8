import { AlcorError } from '@alcor/network';
import type { Collection, CollectionTypes } from '@alcor/network';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import { DatabaseError } from './database-error.ts';
import type { Queryable } from './database.ts';
import { checkQuota } from './quotas.ts';
import { lockRow, readPage, readView, readViews } from './reader.ts';
import type { Resource } from './resource.ts';
import { isTagged } from './tag-query.ts';
import { retag } from './tags.ts';
import { changedFields, deleteRow, insertAll, updateRow } from './writer.ts';

/** A row in the store's hands. Before it is written, what is composed of other tables may be missing from it. */
export type Row<T extends CollectionTypes> = T['view'] & { readonly id: T['id']; readonly revision: number };

/** What a constraint's objection means, by the values of the refused key and the rows that were written. */
export type Conflict = (key: readonly string[], rows: readonly { readonly id: string }[]) => AlcorError;

/**
 * What is special about a kind of resource. Hooks throw refusals; those that take `tx` run in the transaction of the write (which
 * may be begun again), so that what they read under a lock stays true until it is committed.
 */
export interface CollectionRules<T extends CollectionTypes> {
  /** Of fields that an input leaves out. */
  readonly defaults: Partial<T['view']>;
  /** Checks an input by itself and completes its row. */
  readonly complete?: (row: Row<T>, input: T['create']) => Row<T>;
  /** Before new rows go in: locks, checks against other rows, values that follow from them. */
  readonly beforeInsert?: (
    tx: Queryable,
    rows: readonly Row<T>[],
    inputs: readonly T['create'][],
  ) => Promise<readonly Row<T>[]>;
  /** After they went in: what lies in other tables. */
  readonly afterInsert?: (tx: Queryable, rows: readonly Row<T>[], inputs: readonly T['create'][]) => Promise<void>;
  /** Checks a patch by itself, and puts it into canonical form. */
  readonly checkPatch?: (patch: T['update']) => T['update'];
  /** What a patch makes of the locked row: the fields wanted, those included that are composed of other tables. */
  readonly change?: (tx: Queryable, row: Row<T>, patch: T['update']) => Promise<Partial<T['view']>>;
  /** After a change was written (and only then): what lies in other tables. `fields` are those that differ. */
  readonly afterUpdate?: (tx: Queryable, before: Row<T>, fields: Partial<T['view']>) => Promise<void>;
  /** Before the locked row goes. */
  readonly beforeDelete?: (tx: Queryable, row: Row<T>) => Promise<void>;
  readonly afterDelete?: (tx: Queryable, row: Row<T>) => Promise<void>;
  /** When the delete is committed. */
  readonly deleted?: (row: Row<T>) => void;
  /** Refusals of inserts and updates by the name of the constraint that objects. */
  readonly conflicts?: Readonly<Record<string, Conflict>>;
  /** Refusal of a delete where another row refers to this one; `constraint` is that of the referring table. */
  readonly inUse?: (id: T['id'], constraint: string) => AlcorError;
}

/** The collection of a resource whose rows are plain: one transaction a call, all or nothing. */
export function createCollection<T extends CollectionTypes>(
  context: StoreContext,
  resource: Resource<T>,
  rules: CollectionRules<T>,
): Collection<T> {
  const { database } = context;
  return {
    create: (inputs) => insert(context, resource, rules, inputs),
    get: (id) => readView(database, resource, id),
    list: (query) => readPage(database, resource, query),
    ...(isTagged(resource) ? { retag: (id, change) => retag(context, resource, id, change) } : {}),
    async update(id, patch, options = {}) {
      const checked = rules.checkPatch?.(patch) ?? patch;
      const view = await database
        .transaction(async (tx) => {
          const row = (await lockRow(tx, resource, id, { ...options, strength: 'for no key update' })) as Row<T>;
          const wanted = rules.change === undefined ? checked : await rules.change(tx, row, checked);
          const fields = changedFields(row, wanted);
          if (Object.keys(fields).length > 0) {
            await updateRow(tx, resource, row, { fields, now: nowOf(context) });
            await rules.afterUpdate?.(tx, row, fields as Partial<T['view']>);
          }
          return readView(tx, resource, id);
        })
        .catch((error: unknown) => {
          throw refusalOf(rules, error, [{ id, ...checked }]);
        });
      context.committed();
      return view;
    },
    async delete(id, options = {}) {
      const gone = await database
        .transaction(async (tx) => {
          const row = (await lockRow(tx, resource, id, { ...options, strength: 'for update' })) as Row<T>;
          await rules.beforeDelete?.(tx, row);
          await deleteRow(tx, resource, row, nowOf(context));
          await rules.afterDelete?.(tx, row);
          return row;
        })
        .catch((error: unknown) => {
          if (rules.inUse === undefined || !isReferred(error)) throw error;
          throw withCause(rules.inUse(id, error.constraint), error);
        });
      rules.deleted?.(gone);
      context.committed();
    },
  };
}

/** Someone refers to the row that was to go. */
export function isReferred(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && (error.state === '23503' || error.state === '23001');
}

/** Does `work` for each, in order; what it throws says which one. */
export function forEachItem<In, Out>(items: readonly In[], work: (item: In, index: number) => Out): readonly Out[] {
  return items.map((item, index) => {
    try {
      return work(item, index);
    } catch (error) {
      throw error instanceof AlcorError ? error.forItem(index) : error;
    }
  });
}

/** Does `work`, which is about that item of a request; what it throws says so. */
export async function forItem<Result>(item: number, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AlcorError ? error.forItem(item) : error;
  }
}

async function insert<T extends CollectionTypes>(
  context: StoreContext,
  resource: Resource<T>,
  rules: CollectionRules<T>,
  inputs: readonly T['create'][],
): Promise<readonly T['view'][]> {
  const now = nowOf(context);
  const blank = forEachItem(inputs, (input) => {
    const row = newRow(context, rules.defaults, input, now) as Row<T>;
    return rules.complete?.(row, input) ?? row;
  });
  const views = await context.database
    .transaction(async (tx) => {
      const rows = (await rules.beforeInsert?.(tx, blank, inputs)) ?? blank;
      await checkQuota(tx, resource.table, rows);
      await insertAll(tx, resource, rows, now);
      await rules.afterInsert?.(tx, rows, inputs);
      return readViews(
        tx,
        resource,
        rows.map(({ id }) => id),
      );
    })
    .catch((error: unknown) => {
      throw refusalOf(rules, error, blank);
    });
  context.committed();
  return views;
}

function newRow(context: StoreContext, defaults: object, input: object, now: Date): object {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  return { id: context.newId(), ...defaults, ...given, revision: 1, createdAt: now, updatedAt: now };
}

/** The rules' word for what the database objects to; anything else as it is. */
function refusalOf<T extends CollectionTypes>(
  { conflicts = {} }: CollectionRules<T>,
  error: unknown,
  rows: readonly { readonly id: string }[],
): unknown {
  if (!(error instanceof DatabaseError) || !Object.hasOwn(conflicts, error.constraint)) return error;
  const refused = conflicts[error.constraint]?.(error.key, rows);
  return refused === undefined ? error : withCause(refused, error);
}

function withCause(error: AlcorError, cause: unknown): AlcorError {
  return new AlcorError(error.code, error.message, { cause, item: error.item });
}
