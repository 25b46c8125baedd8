import { canonicalIp, canonicalMac, formatCidr, parseCidr, refusal } from '@alcor/network';
import type { CollectionTypes, ListQuery, SortBy } from '@alcor/network';
import type { Parameter } from './database.ts';
import { viewFields } from './resource.ts';
import type { ColumnType, Resource } from './resource.ts';
import { grantFilters } from './sharing.ts';
import { arrayLiteral, createParameters } from './sql.ts';
import type { Parameters } from './sql.ts';
import { commonFilters } from './tag-query.ts';
import { isUuid } from './uuid7.ts';

export interface Statement {
  readonly text: string;
  readonly parameters: readonly Parameter[];
}

type Scalar = string | number | boolean;

/** The statement that reads one row more than the page asked for; backward pages come in reverse order. */
export function listStatement<T extends CollectionTypes>(resource: Resource<T>, query: ListQuery<T>): Statement {
  const parameters = createParameters();
  const backward = query.direction === 'backward';
  const keys = orderOf(resource, query.sort ?? [], backward);
  const conditions = conditionsOf(resource, query.filter ?? {}, parameters);
  const marker = query.marker === undefined ? null : markerOf(resource, keys, query.marker, parameters);
  const where = [...conditions, ...(marker === null ? [] : [marker.condition])];
  return {
    text: `${marker === null ? '' : marker.prelude}
      select ${viewFields(resource)} from ${resource.table} t ${resource.join}
      ${where.length === 0 ? '' : `where ${where.join(' and ')}`}
      order by ${keys.map(({ expression, direction }) => `${expression} ${direction}`).join(', ')}
      ${query.limit === undefined ? '' : `limit ${parameters.add(query.limit + 1)}`}`,
    parameters: parameters.values,
  };
}

interface OrderKey {
  readonly expression: string;
  readonly direction: 'asc' | 'desc';
}

/** The keys asked for, then the id; all turned round to read backward. */
function orderOf<T extends CollectionTypes>(
  resource: Resource<T>,
  sort: readonly SortBy<T['sortKey']>[],
  backward: boolean,
): readonly OrderKey[] {
  const sorted = sort.some(({ key }) => key === 'id') ? sort : [...sort, { key: 'id', direction: 'asc' } as const];
  return sorted.map(({ key, direction }) => {
    const expression = own<string>(resource.sortKeys, key);
    if (expression === undefined) throw refusal('InvalidInput', { reason: `cannot sort by '${key}'` });
    return { expression, direction: (direction === 'desc') === backward ? 'asc' : 'desc' };
  });
}

/** The rows after the marker: its keys are read once, in a sub-select. */
function markerOf<T extends CollectionTypes>(
  resource: Resource<T>,
  keys: readonly OrderKey[],
  marker: T['id'],
  parameters: Parameters,
): { readonly prelude: string; readonly condition: string } {
  const names = keys.map((_, index) => `k${index}`);
  const fields = keys.map(({ expression }, index) => `${expression} as ${names[index]}`).join(', ');
  const idType = resource.columns['id']?.type ?? 'uuid';
  const prelude = `with marker as materialized (select ${fields} from ${resource.table} t ${resource.join}
    where t.id = ${parameters.add(marker)}::${idType})`;
  const values = names.map((name) => `(select ${name} from marker)`);
  return { prelude, condition: afterCondition(keys, values) };
}

/** Lexicographic comparison; as a row where the directions agree, because an index serves that whole. */
function afterCondition(keys: readonly OrderKey[], values: readonly string[]): string {
  const directions = new Set(keys.map(({ direction }) => direction));
  if (directions.size === 1) {
    const operator = directions.has('asc') ? '>' : '<';
    return `(${keys.map(({ expression }) => expression).join(', ')}) ${operator} (${values.join(', ')})`;
  }
  const steps = keys.map(({ expression, direction }, index) => {
    const equal = keys.slice(0, index).map((key, before) => `${key.expression} = ${values[before]}`);
    return `(${[...equal, `${expression} ${direction === 'asc' ? '>' : '<'} ${values[index]}`].join(' and ')})`;
  });
  const [first] = keys;
  // Implied by the steps, but said so that an index on the first key is entered at the marker.
  const bound =
    first === undefined ? '' : `${first.expression} ${first.direction === 'asc' ? '>=' : '<='} ${values[0]} and `;
  return `(${bound}(${steps.join(' or ')}))`;
}

function conditionsOf<T extends CollectionTypes>(
  resource: Resource<T>,
  filter: object,
  parameters: Parameters,
): readonly string[] {
  const conditions: string[] = [];
  for (const [field, wanted] of Object.entries(filter) as [string, readonly Scalar[] | string | undefined][]) {
    if (wanted === undefined || addressFields.has(field)) continue;
    if (typeof wanted === 'string') conditions.push(visibility(resource, field, wanted, parameters));
    else conditions.push(oneOf(resource, field, wanted, parameters));
  }
  const address = addressCondition(filter as AddressFilter, parameters);
  return address === null ? conditions : [...conditions, address];
}

function visibility<T extends CollectionTypes>(
  resource: Resource<T>,
  field: string,
  project: string,
  parameters: Parameters,
): string {
  if (field !== 'visibleTo' || resource.visibleTo === null) {
    throw refusal('InvalidInput', { reason: `cannot filter by '${field}'` });
  }
  return resource.visibleTo(`${parameters.add(project)}::text`);
}

function oneOf<T extends CollectionTypes>(
  resource: Resource<T>,
  field: string,
  wanted: readonly Scalar[],
  parameters: Parameters,
): string {
  const shared = resource.sharing === undefined ? {} : grantFilters;
  const special = own(resource.filters, field) ?? own(commonFilters, field) ?? own(shared, field);
  if (special !== undefined) return special(`${parameters.add(arrayLiteral(wanted))}::text[]`);
  const column = own(resource.columns, field);
  if (column === undefined) throw refusal('InvalidInput', { reason: `cannot filter by '${field}'` });
  const values = wanted.map((value) => readable(value, column.type)).filter((value) => value !== null);
  // Only of an equality does the planner know that an index on the column and the id gives the rows in order.
  const [only] = values;
  if (values.length === 1 && only !== undefined) return `t.${column.name} = ${parameters.add(only)}::${column.type}`;
  return `t.${column.name} = any(${parameters.add(arrayLiteral(values))}::${column.type}[])`;
}

/** Of a port's addresses, not of a column. */
const addressFields: ReadonlySet<string> = new Set<keyof AddressFilter>([
  'fixedIpAddress',
  'fixedIpPart',
  'fixedIpSubnetId',
]);

/** Conditions that leave few ports in a large region. */
const narrowing: readonly string[] = ['id', 'visibleTo', 'projectId', 'networkId', 'deviceId', 'hostId', 'mac', 'name'];

interface AddressFilter {
  readonly fixedIpAddress?: readonly string[] | undefined;
  readonly fixedIpPart?: readonly string[] | undefined;
  readonly fixedIpSubnetId?: readonly string[] | undefined;
}

/** All conditions speak of the same address. */
function addressCondition(filter: AddressFilter, parameters: Parameters): string | null {
  const conditions: string[] = [];
  const add = (column: string, type: ColumnType, values: readonly string[] | undefined): void => {
    if (values === undefined) return;
    const known = values.map((value) => readable(value, type)).filter((value) => value !== null);
    conditions.push(`a.${column} = any(${parameters.add(arrayLiteral(known))}::${type}[])`);
  };
  add('ip', 'inet', filter.fixedIpAddress);
  add('subnet_id', 'uuid', filter.fixedIpSubnetId);
  if (filter.fixedIpPart !== undefined) {
    // What no address is written with matches none, and needs no escaping.
    const parts = filter.fixedIpPart.filter((part) => /^[0-9a-f.:]+$/i.test(part));
    const patterns = parts.map((part) => `%${part.toLowerCase()}%`);
    conditions.push(`host(a.ip) like any(${parameters.add(arrayLiteral(patterns))}::text[])`);
  }
  if (conditions.length === 0) return null;
  const where = conditions.join(' and ');
  // No index knows the parts of addresses. Where the rest leaves few ports, theirs are looked at one by one (the offset keeps the
  // planner from going through all others first); else all are, once.
  const isIndexed = filter.fixedIpAddress !== undefined || filter.fixedIpSubnetId !== undefined;
  if (!isIndexed && narrowing.some((field) => Object.hasOwn(filter, field))) {
    return `exists (select 1 from (select * from ip_allocations where port_id = t.id offset 0) a where ${where})`;
  }
  return `t.id in (select a.port_id from ip_allocations a where ${where})`;
}

/** What the table itself says of a name that a caller gave: not what every object has, like `toString`. */
function own<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The value as the column's type reads it; null for what no row can have. */
function readable(value: Scalar, type: ColumnType): Scalar | null {
  switch (type) {
    case 'uuid':
      return isUuid(String(value)) ? value : null;
    case 'inet':
      return canonicalIp(String(value));
    case 'macaddr':
      return canonicalMac(String(value));
    case 'cidr': {
      const cidr = parseCidr(String(value));
      return cidr === null ? null : formatCidr(cidr);
    }
    case 'integer':
    case 'smallint':
      return Number.isSafeInteger(value) && Math.abs(Number(value)) < 2 ** 31 ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'text':
    case 'jsonb':
    case 'timestamptz':
      return value;
    default:
      return type satisfies never;
  }
}
