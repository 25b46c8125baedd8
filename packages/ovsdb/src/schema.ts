import { OvsdbError } from './error.ts';
import { entries, isObject } from './json.ts';

export type AtomicType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

/** RFC 7047 section 3.2 `<type>`: exactly one atom where min = max = 1 and there is no value type. */
export interface ColumnType {
  readonly key: AtomicType;
  /** Present where the column is a map. */
  readonly value?: AtomicType;
  readonly min: number;
  /** `Infinity` where the schema says `unlimited`. */
  readonly max: number;
  /** The table that references of the key point into. */
  readonly refTable?: string;
}

export interface TableSchema {
  readonly columns: ReadonlyMap<string, ColumnType>;
  readonly isRoot: boolean;
}

export interface DatabaseSchema {
  readonly name: string;
  readonly version: string | undefined;
  readonly tables: ReadonlyMap<string, TableSchema>;
}

/** Reads what `get_schema` answers. */
export function parseSchema(json: unknown): DatabaseSchema {
  const schema = object(json, 'schema');
  if (typeof schema['name'] !== 'string') throw malformed('schema without a name');
  const tables = entries(object(schema['tables'], 'tables')).map(
    ([name, table]) => [name, parseTable(name, table)] as const,
  );
  return {
    name: schema['name'],
    version: typeof schema['version'] === 'string' ? schema['version'] : undefined,
    tables: new Map(tables),
  };
}

/** The schema of one table; a `refused` error where there is none of that name. */
export function tableSchema(schema: DatabaseSchema, table: string): TableSchema {
  const found = schema.tables.get(table);
  if (found === undefined) throw new OvsdbError('refused', `database ${schema.name} has no table ${table}`);
  return found;
}

function parseTable(name: string, json: unknown): TableSchema {
  const table = object(json, `table ${name}`);
  const columns = entries(object(table['columns'], `columns of ${name}`)).map(
    ([column, definition]) =>
      [column, parseType(object(definition, `column ${name}.${column}`)['type'], `${name}.${column}`)] as const,
  );
  return { columns: new Map(columns), isRoot: table['isRoot'] === true };
}

function parseType(json: unknown, where: string): ColumnType {
  if (typeof json === 'string') return { key: atomicType(json, where), min: 1, max: 1 };
  const type = object(json, `type of ${where}`);
  const refTable = isObject(type['key']) ? type['key']['refTable'] : undefined;
  return {
    key: baseType(type['key'], where),
    ...(type['value'] === undefined ? {} : { value: baseType(type['value'], where) }),
    min: bound(type['min'], where),
    max: type['max'] === 'unlimited' ? Infinity : bound(type['max'], where),
    ...(typeof refTable === 'string' ? { refTable } : {}),
  };
}

function baseType(json: unknown, where: string): AtomicType {
  return atomicType(isObject(json) ? json['type'] : json, where);
}

function atomicType(json: unknown, where: string): AtomicType {
  switch (json) {
    case 'integer':
    case 'real':
    case 'boolean':
    case 'string':
    case 'uuid':
      return json;
    default:
      throw malformed(`type of ${where}`);
  }
}

function bound(json: unknown, where: string): number {
  if (json === undefined) return 1;
  if (typeof json === 'number' && Number.isInteger(json) && json >= 0) return json;
  throw malformed(`bounds of ${where}`);
}

function object(json: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isObject(json)) return json;
  throw malformed(what);
}

function malformed(what: string): OvsdbError {
  return new OvsdbError('protocol', `malformed ${what}`);
}
