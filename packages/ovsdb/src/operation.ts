import type { Row, WriteRow, WriteValue } from './value.ts';

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes';

/** `[column, comparison, value]`; all conditions of a list must hold. `_uuid` is a column: `['_uuid', '==', uuid(id)]`. */
export type Condition = readonly [column: string, comparison: Comparison, value: WriteValue];

export type Mutator = '+=' | '-=' | '*=' | '/=' | '%=' | 'insert' | 'delete';

/** `[column, mutator, value]`; deleting from a map takes a set of keys or a map of exact pairs. */
export type Mutation = readonly [column: string, mutator: Mutator, value: WriteValue];

export interface Insert {
  readonly op: 'insert';
  readonly table: string;
  readonly row: WriteRow;
  /** Name for {@link named} references from the same transaction: letters, digits and `_`, not starting with a digit. */
  readonly uuidName?: string;
}

export interface Select {
  readonly op: 'select';
  readonly table: string;
  readonly where: readonly Condition[];
  readonly columns?: readonly string[];
}

export interface Update {
  readonly op: 'update';
  readonly table: string;
  readonly where: readonly Condition[];
  readonly row: WriteRow;
}

export interface Mutate {
  readonly op: 'mutate';
  readonly table: string;
  readonly where: readonly Condition[];
  readonly mutations: readonly Mutation[];
}

export interface Delete {
  readonly op: 'delete';
  readonly table: string;
  readonly where: readonly Condition[];
}

export interface Wait {
  readonly op: 'wait';
  readonly table: string;
  readonly where: readonly Condition[];
  readonly columns: readonly string[];
  readonly until: '==' | '!=';
  readonly rows: readonly WriteRow[];
  /** Milliseconds; 0 tests without waiting. Left out, the server waits for ever. */
  readonly timeout?: number;
}

export interface Comment {
  readonly op: 'comment';
  readonly comment: string;
}

/** One step of a transaction (RFC 7047 section 5.2). */
export type Operation = Insert | Select | Update | Mutate | Delete | Wait | Comment;

export type OperationResult<O extends Operation> = O extends Insert
  ? { readonly uuid: string }
  : O extends Select
    ? { readonly rows: readonly Row[] }
    : O extends Update | Mutate | Delete
      ? { readonly count: number }
      : Readonly<Record<string, never>>;

/** Results in the order of the operations, each typed by its operation. */
export type OperationResults<Ops extends readonly Operation[]> = { readonly [K in keyof Ops]: OperationResult<Ops[K]> };

/** Adds a row. Columns left out take the schema's defaults. */
export function insert(table: string, row: WriteRow, uuidName?: string): Insert {
  return uuidName === undefined ? { op: 'insert', table, row } : { op: 'insert', table, row, uuidName };
}

/** Reads the rows where all conditions hold; all columns unless named. */
export function select(table: string, where: readonly Condition[], columns?: readonly string[]): Select {
  return columns === undefined ? { op: 'select', table, where } : { op: 'select', table, where, columns };
}

/** Replaces the given columns in the rows where all conditions hold. */
export function update(table: string, where: readonly Condition[], row: WriteRow): Update {
  return { op: 'update', table, where, row };
}

/** Changes columns relative to what they hold: adds to a set, removes from a map, counts up. */
export function mutate(table: string, where: readonly Condition[], mutations: readonly Mutation[]): Mutate {
  return { op: 'mutate', table, where, mutations };
}

/** Deletes the rows where all conditions hold. (`delete` is a word of the language.) */
export function remove(table: string, where: readonly Condition[]): Delete {
  return { op: 'delete', table, where };
}

/** Lets the transaction fail with `timed out` unless the selected columns become (or stop being) exactly these rows. */
export function wait(options: Omit<Wait, 'op'>): Wait {
  return { op: 'wait', ...options };
}

/** A remark for the server's log. */
export function comment(text: string): Comment {
  return { op: 'comment', comment: text };
}
