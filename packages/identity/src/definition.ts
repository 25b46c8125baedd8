import { type Json, isRecord } from './json-shape.ts';
import { badRequest } from './problem.ts';

export type ColumnValue = string | boolean | null | readonly string[];

/** What values an attribute takes. Each is a column of the same name. */
export type AttributeKind =
  | { readonly is: 'text'; readonly from: number; readonly to: number; readonly null: 'yes' | 'no' }
  | { readonly is: 'flag' }
  | { readonly is: 'tags' }
  | { readonly is: 'choice'; readonly of: readonly string[] };

export interface Attribute {
  readonly kind: AttributeKind;
  /** Must a create request name it? Where not, the column's default holds. */
  readonly need: 'required' | 'optional';
  /** May an update change it? */
  readonly change: 'allowed' | 'never';
}

/** One kind of resource: its path, its table, what it consists of. Everything generic follows from it. */
export interface Definition {
  readonly singular: string;
  readonly plural: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** May the client choose the id? */
  readonly id: 'given' | 'made';
  /** Attributes that are no columns and are dropped when sent: the server's own, echoed by clients that send back what they got. */
  readonly ignored: readonly string[];
  /** Names that are never taken as additional attributes; whoever knows them reads them before. */
  readonly special: readonly string[];
  /** What an answer has besides the columns. */
  readonly constant: Json;
}

export type Values = Readonly<Record<string, ColumnValue>>;

/** Columns, and what else the client sent: Keystone keeps attributes that it does not know. */
export interface Input {
  readonly values: Values;
  readonly extra: Json;
}

/** The body of a create request, checked. */
export function readCreate(definition: Definition, item: Json): Input {
  for (const [name, { need }] of Object.entries(definition.attributes)) {
    if (need === 'required' && item[name] === undefined) {
      throw badRequest(`Invalid input for ${definition.singular}: '${name}' is a required property.`);
    }
  }
  return read(definition, item);
}

/** The body of an update request, checked: what it leaves out stays as it is. */
export function readUpdate(definition: Definition, item: Json, id: string): Input {
  for (const [name, { change }] of Object.entries(definition.attributes)) {
    if (change === 'never' && item[name] !== undefined) {
      throw badRequest(`Invalid input for ${definition.singular}: '${name}' cannot be changed.`);
    }
  }
  if (item['id'] !== undefined && item['id'] !== id) throw badRequest('Cannot change the ID.');
  return read(definition, item);
}

function read(definition: Definition, item: Json): Input {
  const values: Record<string, ColumnValue> = {};
  const extra: [string, unknown][] = [];
  for (const [name, value] of Object.entries(item)) {
    const attribute = Object.hasOwn(definition.attributes, name) ? definition.attributes[name] : undefined;
    if (attribute !== undefined) values[name] = parse(name, attribute.kind, value);
    else if (name === 'options') refuseOptions(value);
    else if (name !== 'id' && !definition.ignored.includes(name) && !definition.special.includes(name)) {
      if (name === '' || name.length > 255) throw badRequest('The name of an attribute is empty or too long.');
      extra.push([name, value]);
    }
  }
  return { values, extra: Object.fromEntries(extra) };
}

/** Keystone's options change what the service does; none is offered, so none is taken. */
function refuseOptions(value: unknown): void {
  if (!isRecord(value)) throw badRequest("Invalid input for 'options': it must be an object.");
  const name = Object.keys(value).find((key) => value[key] !== null && value[key] !== false);
  if (name !== undefined) throw badRequest(`The resource option '${name.slice(0, 64)}' is not supported.`);
}

function parse(name: string, kind: AttributeKind, value: unknown): ColumnValue {
  const refuse = (reason: string): never => {
    throw badRequest(`Invalid input for '${name}': ${reason}.`);
  };
  switch (kind.is) {
    case 'text': {
      if (value === null && kind.null === 'yes') return null;
      if (typeof value !== 'string') return refuse('it must be a string');
      const fits = value.trim().length >= kind.from && value.length <= kind.to;
      return fits ? value : refuse(`it must have ${kind.from} to ${kind.to} characters`);
    }
    case 'flag':
      return typeof value === 'boolean' ? value : refuse('it must be true or false');
    case 'choice':
      return typeof value === 'string' && kind.of.includes(value)
        ? value
        : refuse(`it must be one of ${kind.of.join(', ')}`);
    case 'tags':
      return isTags(value) ? value : refuse('it must be a list of at most 80 different names, without / and ,');
  }
}

function isTags(value: unknown): value is readonly string[] {
  if (!Array.isArray(value) || value.length > 80 || new Set(value).size !== value.length) return false;
  return value.every((tag) => typeof tag === 'string' && /^[^,/]{1,255}$/.test(tag));
}
