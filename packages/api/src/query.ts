import type { Caller } from '@alcor/identity';
import type { ListQuery, SortBy } from '@alcor/network';
import type { Attribute } from './attribute.ts';
import { badRequest, invalid } from './body.ts';
import type { AnyDefinition, AnyTypes } from './definition.ts';
import { Refusal, flag, integer, shown } from './kinds.ts';

/** A parsed query string: a value, or several where the name came more than once. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a list request asks for. */
export interface ListRequest {
  /** Null: the filters can match nothing. */
  readonly query: ListQuery<AnyTypes> | null;
  /** The attributes wanted; null: all. */
  readonly fields: ReadonlySet<string> | null;
  /** The attributes that it filters or sorts by. */
  readonly names: readonly string[];
}

/** The names that are no filters. */
const controls = new Set(['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse']);
const limitKind = integer(0, Number.MAX_SAFE_INTEGER);
/** The most that one page holds, whatever a client asks for. */
const maxPage = 10_000;

/** What a list request means besides its query string. */
export interface ListFrame {
  /** Conditions that hold whatever is asked for. */
  readonly conditions: object;
  /** Some conditions depend on who asks. */
  readonly caller: Caller;
  readonly maxValues: number;
}

/** Reads the query string of a GET of the collection. */
export function readList(
  definition: AnyDefinition,
  query: Query,
  { conditions, caller, maxValues }: ListFrame,
): ListRequest {
  const count = Object.values(query).reduce((sum, value) => sum + (Array.isArray(value) ? value.length : 1), 0);
  if (count > maxValues) throw badRequest(`At most ${maxValues} values may stand in a query, ${count} were given.`);
  const sort = readSort(definition, query);
  const window = readWindow(definition, query);
  const filter = readFilters(definition, query, caller);
  const asked = filter === null ? null : { filter: { ...filter, ...conditions }, sort, ...window };
  const names = [...Object.keys(query).filter((name) => !controls.has(name)), ...valuesOf(query, 'sort_key')];
  return { query: asked, fields: readFields(query), names };
}

/** The attributes that a GET asks for by `fields`; null: all. Names that are none are passed over, as Neutron does. */
export function readFields(query: Query): ReadonlySet<string> | null {
  const fields = valuesOf(query, 'fields').filter((name) => name !== '');
  return fields.length === 0 ? null : new Set(fields);
}

function valuesOf(query: Query, name: string): readonly string[] {
  const value = query[name];
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function readSort(definition: AnyDefinition, query: Query): readonly SortBy<string>[] {
  const keys = valuesOf(query, 'sort_key').filter((key) => key !== '');
  const directions = valuesOf(query, 'sort_dir').filter((direction) => direction !== '');
  if (directions.length > 0 && directions.length !== keys.length) {
    throw badRequest('The number of sort_keys and sort_dirs must be same');
  }
  const sort = new Map<string, SortBy<string>>();
  for (const [index, name] of keys.entries()) {
    const key = attributeOf(definition, name)?.sort;
    if (typeof key !== 'string') throw badRequest(`[${shown(name)}] is invalid attribute for sort_keys`);
    const direction = directions[index] ?? 'asc';
    if (direction !== 'asc' && direction !== 'desc') {
      throw badRequest(`[${shown(direction)}] is invalid value for sort_dirs, valid value is 'asc' and 'desc'`);
    }
    if (!sort.has(key)) sort.set(key, { key, direction });
  }
  return [...sort.values()];
}

/** Which part of the list: Neutron heeds marker and page_reverse only where there is a limit. */
function readWindow(
  definition: AnyDefinition,
  query: Query,
): Pick<ListQuery<AnyTypes>, 'limit' | 'marker' | 'direction'> {
  const limit = limitKind.parse(lastOf(query, 'limit') ?? 0);
  if (limit instanceof Refusal) throw invalid('limit', limit.reason);
  if (limit === 0) return {};
  const marker = lastOf(query, 'marker') ?? '';
  const backward = flag.parse(lastOf(query, 'page_reverse') ?? false);
  if (backward instanceof Refusal) throw invalid('page_reverse', backward.reason);
  return {
    limit: Math.min(limit, maxPage),
    direction: backward ? 'backward' : 'forward',
    ...(marker === '' ? {} : { marker: markerId(definition, marker) }),
  };
}

function markerId(definition: AnyDefinition, marker: string): string {
  const id = definition.parseId(marker);
  if (id === null) throw definition.notFound(marker);
  return id;
}

function lastOf(query: Query, name: string): string | undefined {
  return valuesOf(query, name).at(-1);
}

/** The store's conditions; null where one of them can match nothing. */
function readFilters(
  definition: AnyDefinition,
  query: Query,
  caller: Caller,
): Record<string, readonly unknown[]> | null {
  const filter: Record<string, readonly unknown[]> = {};
  for (const name of Object.keys(query)) {
    if (controls.has(name)) continue;
    const attribute = attributeOf(definition, name);
    if (attribute === undefined || attribute.filter === null || (!attribute.visible && attribute.filter === 'own')) {
      throw badRequest(`[${shown(name)}] is invalid attribute for filtering`);
    }
    const conditions = conditionsOf(name, attribute, { values: valuesOf(query, name), caller });
    if (conditions === null) return null;
    for (const [field, wanted] of Object.entries(conditions)) {
      const already = filter[field];
      filter[field] = already === undefined ? wanted : wanted.filter((value) => already.includes(value));
      if (filter[field].length === 0) return null;
    }
  }
  return filter;
}

function conditionsOf(
  name: string,
  attribute: Attribute<AnyTypes['view']>,
  { values, caller }: { readonly values: readonly string[]; readonly caller: Caller },
): Readonly<Record<string, readonly unknown[]>> | null {
  const { filter, source } = attribute;
  if (typeof filter === 'function') return filter(values, caller);
  const wanted = values.flatMap((value) => wantedValue(name, attribute, value));
  if (source.from === 'field') return { [source.field]: wanted };
  if (source.from === 'computed') return {};
  const own = JSON.stringify(source.value);
  return wanted.some((value) => JSON.stringify(value) === own) ? {} : null;
}

/** What a filter's value means to the attribute: one that no resource can have matches nothing; no number, or no flag, is an error. */
function wantedValue(name: string, { kind }: Attribute<AnyTypes['view']>, value: string): readonly unknown[] {
  const parsed = kind.parse(value);
  if (!(parsed instanceof Refusal)) return parsed === null ? [] : [parsed];
  const { type } = kind.schema as { readonly type?: unknown };
  const isReadable = type === 'integer' ? /^-?\d+$/.test(value) : type !== 'boolean';
  if (isReadable) return [];
  throw invalid(name, parsed.reason);
}

function attributeOf(definition: AnyDefinition, name: string): Attribute<AnyTypes['view']> | undefined {
  return Object.hasOwn(definition.attributes, name) ? definition.attributes[name] : undefined;
}

/** The links to the pages before and after this one, as Neutron gives them: a full page may have a successor, a marker a predecessor. */
export function pageLinks(
  url: string,
  request: ListRequest,
  ids: { readonly first?: string; readonly last?: string; readonly count: number },
) {
  const { limit, direction } = request.query ?? {};
  if (limit === undefined) return [];
  const full = ids.count >= limit;
  const links: { readonly rel: 'next' | 'previous'; readonly href: string }[] = [];
  if (full || direction === 'backward') links.push({ rel: 'next', href: linkTo(url, ids.last, 'forward') });
  if (full || direction === 'forward') links.push({ rel: 'previous', href: linkTo(url, ids.first, 'backward') });
  return links;
}

function linkTo(url: string, marker: string | undefined, direction: 'forward' | 'backward'): string {
  const [path = '', search = ''] = url.split('?', 2);
  const parameters = new URLSearchParams(search);
  parameters.delete('marker');
  parameters.delete('page_reverse');
  if (marker !== undefined) parameters.set('marker', marker);
  if (direction === 'backward') parameters.set('page_reverse', 'True');
  return `${path}?${parameters.toString()}`;
}
