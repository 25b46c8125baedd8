import { encodeValue, decodeValue } from './codec.ts';
import { OvsdbError, TransactionError } from './error.ts';
import { entries, isArray, isObject } from './json.ts';
import type { Condition, Mutation, Operation, OperationResults } from './operation.ts';
import { tableSchema, type ColumnType, type DatabaseSchema } from './schema.ts';
import { unreachable } from './unreachable.ts';
import type { Row, WriteRow } from './value.ts';

const REFERENCE: ColumnType = { key: 'uuid', min: 1, max: 1 };

/** RFC 7047 section 5.2: an operation as it goes over the wire. */
export function encodeOperation(operation: Operation): unknown {
  switch (operation.op) {
    case 'insert':
      return {
        op: 'insert',
        table: operation.table,
        row: encodeRow(operation.row),
        ...(operation.uuidName === undefined ? {} : { 'uuid-name': operation.uuidName }),
      };
    case 'select':
    case 'delete':
      return { ...operation, where: encodeConditions(operation.where) };
    case 'update':
      return { ...operation, where: encodeConditions(operation.where), row: encodeRow(operation.row) };
    case 'mutate':
      return {
        ...operation,
        where: encodeConditions(operation.where),
        mutations: encodeConditions(operation.mutations),
      };
    case 'wait':
      return { ...operation, where: encodeConditions(operation.where), rows: operation.rows.map(encodeRow) };
    case 'comment':
      return operation;
    default:
      return unreachable(operation);
  }
}

/** Conditions and mutations have one shape. */
export function encodeConditions(triples: readonly (Condition | Mutation)[]): unknown[] {
  return triples.map(([column, verb, value]) => [column, verb, encodeValue(value)]);
}

/**
 * Results by operation, or the first failure. The answer has one element per operation, `null` for those after a failed one,
 * and one element more where all went well but the commit did not (RFC 7047 section 4.1.3).
 */
export function decodeResults<Ops extends readonly Operation[]>(
  operations: Ops,
  schema: DatabaseSchema | undefined,
  json: unknown,
): OperationResults<Ops> {
  if (!isArray(json)) throw unexpected(json);
  for (const [index, result] of json.entries()) {
    if (isObject(result) && typeof result['error'] === 'string') throw failure(operations[index], index, result);
  }
  if (json.length < operations.length) throw unexpected(json);
  return operations.map((operation, index) => decodeResult(operation, schema, json[index])) as OperationResults<Ops>;
}

function failure(
  operation: Operation | undefined,
  index: number,
  result: Readonly<Record<string, unknown>>,
): TransactionError {
  return new TransactionError({
    index: operation === undefined ? undefined : index,
    operation: operation === undefined ? 'commit' : describe(operation),
    error: String(result['error']),
    details: typeof result['details'] === 'string' ? result['details'] : undefined,
  });
}

function describe(operation: Operation): string {
  switch (operation.op) {
    case 'insert':
      return `insert into ${operation.table}`;
    case 'select':
    case 'delete':
      return `${operation.op} from ${operation.table}`;
    case 'update':
    case 'mutate':
      return `${operation.op} ${operation.table}`;
    case 'wait':
      return `wait for ${operation.table}`;
    case 'comment':
      return 'comment';
    default:
      return unreachable(operation);
  }
}

function decodeResult(operation: Operation, schema: DatabaseSchema | undefined, json: unknown): unknown {
  if (!isObject(json)) throw unexpected(json);
  switch (operation.op) {
    case 'insert': {
      const id = decodeValue(REFERENCE, json['uuid']);
      return { uuid: typeof id === 'object' && 'id' in id ? id.id : '' };
    }
    case 'select': {
      const { rows } = json;
      if (!isArray(rows) || schema === undefined) throw unexpected(json);
      const { columns } = tableSchema(schema, operation.table);
      return { rows: rows.map((row) => decodeSelected(columns, row)) };
    }
    case 'update':
    case 'mutate':
    case 'delete':
      if (typeof json['count'] !== 'number') throw unexpected(json);
      return { count: json['count'] };
    case 'wait':
    case 'comment':
      return {};
    default:
      return unreachable(operation);
  }
}

function decodeSelected(columns: ReadonlyMap<string, ColumnType>, json: unknown): Row {
  if (!isObject(json)) throw unexpected(json);
  return Object.fromEntries(
    entries(json).map(([column, value]) => {
      // Every row also has `_uuid` and `_version`, which no schema lists.
      const type = columns.get(column) ?? (column.startsWith('_') ? REFERENCE : undefined);
      if (type === undefined) throw new OvsdbError('protocol', `unknown column ${column}`);
      return [column, decodeValue(type, value)] as const;
    }),
  );
}

function encodeRow(row: WriteRow): unknown {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, encodeValue(value)]));
}

function unexpected(json: unknown): OvsdbError {
  return new OvsdbError('protocol', `unexpected result ${(JSON.stringify(json) ?? 'nothing').slice(0, 200)}`);
}
