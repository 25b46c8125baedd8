import type { Caller } from '@alcor/identity';
import { AlcorError, refusal } from '@alcor/network';
import type { Action } from './action.ts';
import type { Attribute } from './attribute.ts';
import type { AnyDefinition, AnyTypes } from './definition.ts';
import { Refusal, isRecord, shown } from './kinds.ts';

type Item = Readonly<Record<string, unknown>>;

/** What the store is given for one resource. */
export type Input = Record<string, unknown>;

/** What a request says of one resource. */
export interface Wish {
  readonly input: Input;
  /** The attributes as the client gave them, without those of a new resource that ask for what is the default anyway. */
  readonly given: ReadonlyMap<string, unknown>;
}

/** The items of a create request, and whether they came as a list. */
export interface CreateRequest {
  readonly wishes: readonly Wish[];
  readonly bulk: boolean;
}

/** What a create request means besides its body. */
export interface CreateFrame {
  readonly caller: Caller;
  readonly maxItems: number;
}

/** Reads the body of a POST to the collection: one resource, or a list of them. */
export function readCreate(definition: AnyDefinition, body: unknown, frame: CreateFrame): CreateRequest {
  const { maxItems } = frame;
  const { singular, plural } = definition;
  const root = rootOf(body);
  if (!Object.hasOwn(root, plural)) {
    return { wishes: [createInput(definition, itemOf(root, singular), frame)], bulk: false };
  }
  noOtherKeys(root, plural);
  const items = root[plural];
  if (!Array.isArray(items)) throw badRequest(`'${plural}' is not a list.`);
  if (items.length === 0) throw badRequest('Resources required.');
  if (items.length > maxItems)
    throw badRequest(`At most ${maxItems} ${plural} are made by one request, ${items.length} were given.`);
  return { wishes: items.map((item: unknown, index) => bulkInput(definition, item, index, frame)), bulk: true };
}

/** Reads the body of an action: its attributes and no other. */
export function readAction(
  { method, root, required, optional }: Pick<Action, 'method' | 'root' | 'required' | 'optional'>,
  body: unknown,
): Input {
  if (method === 'GET' || (body === undefined && Object.keys(required).length === 0)) return {};
  const item = root === null ? rootOf(body) : itemOf(rootOf(body), root);
  const missing = Object.keys(required).find((name) => !Object.hasOwn(item, name));
  if (missing !== undefined) throw badRequest(`Failed to parse request. Required attribute '${missing}' not specified`);
  const kinds = { ...optional, ...required };
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => {
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
      if (kind === undefined) throw badRequest(`Unrecognized attribute(s) ${shown(name)}`);
      const parsed = kind.parse(value);
      if (parsed instanceof Refusal) throw invalid(name, parsed.reason);
      return [name, parsed];
    }),
  );
}

/** Reads the body of a PUT: what it leaves out stays as it is. */
export function readUpdate(definition: AnyDefinition, body: unknown): Wish {
  const item = itemOf(rootOf(body), definition.singular);
  known(definition, item);
  const input = fields(definition, item, (name, attribute) => {
    if (!attribute.put) throw badRequest(`Cannot update read-only attribute ${name}`);
  });
  return { input, given: new Map(Object.entries(item)) };
}

function bulkInput(definition: AnyDefinition, item: unknown, index: number, frame: CreateFrame): Wish {
  try {
    // A list's items come bare, or each wrapped like a single one.
    if (!isRecord(item)) throw badRequest(`'${definition.singular}' is not a dictionary.`);
    const wrapped = item[definition.singular];
    return createInput(definition, isRecord(wrapped) && Object.keys(item).length === 1 ? wrapped : item, frame);
  } catch (thrown) {
    throw AlcorError.from(thrown).forItem(index);
  }
}

function createInput(definition: AnyDefinition, given: Item, { caller }: CreateFrame): Wish {
  known(definition, given);
  const item = definition.complete?.(given) ?? given;
  const initial: Input = definition.tenancy === 'project' ? { projectId: caller.projectId } : {};
  for (const [name, { post, source }] of Object.entries(definition.attributes)) {
    if (Object.hasOwn(item, name)) continue;
    if (post.rule === 'required')
      throw badRequest(`Failed to parse request. Required attribute '${name}' not specified`);
    if (post.rule === 'initial' && source.from === 'field') initial[source.field] = post.value;
  }
  const written = fields(definition, item, (name, attribute) => {
    if (attribute.post.rule === 'never') throw badRequest(`Attribute '${name}' not allowed in POST`);
  });
  checkProject(caller, written);
  const wanted = Object.entries(item).filter(([name, value]) => !asksForDefault(definition.attributes[name], value));
  return { input: { ...initial, ...written }, given: new Map(wanted) };
}

function asksForDefault(attribute: Attribute<AnyTypes['view']> | undefined, value: unknown): boolean {
  if (attribute?.post.rule !== 'initial') return false;
  return JSON.stringify(attribute.kind.parse(value)) === JSON.stringify(attribute.post.value);
}

/** Only the administrator makes resources for others. */
function checkProject({ isAdmin, projectId }: Caller, { projectId: wanted }: Input): void {
  if (isAdmin || wanted === undefined || wanted === projectId) return;
  const what = "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request";
  throw badRequest(`${what} requires admin privileges`);
}

/** The attributes of `item` as fields of the store. */
function fields(
  definition: AnyDefinition,
  item: Item,
  allow: (name: string, attribute: Attribute<AnyTypes['view']>) => void,
): Input {
  const input: Input = {};
  const namedBy: Record<string, string> = {};
  for (const [name, value] of Object.entries(item)) {
    const attribute = definition.attributes[name] as Attribute<AnyTypes['view']>;
    allow(name, attribute);
    const parsed = parse(name, attribute, value);
    const { source } = attribute;
    if (source.from !== 'field') continue;
    const other = namedBy[source.field];
    if (other !== undefined && input[source.field] !== parsed)
      throw badRequest(`'${other}' and '${name}' do not match`);
    namedBy[source.field] = name;
    input[source.field] = parsed;
  }
  return input;
}

function parse(name: string, { kind, source }: Attribute<AnyTypes['view']>, value: unknown): unknown {
  const parsed = kind.parse(value);
  if (parsed instanceof Refusal) throw invalid(name, parsed.reason);
  if (source.from === 'constant' && JSON.stringify(parsed) !== JSON.stringify(source.value)) {
    throw invalid(name, `${shown(value)} is not supported: ${source.because}`);
  }
  return parsed;
}

function known(definition: AnyDefinition, item: Item): void {
  const unknown = Object.keys(item).filter((name) => !Object.hasOwn(definition.attributes, name));
  if (unknown.length > 0) throw badRequest(`Unrecognized attribute(s) ${shown(unknown.join(', '))}`);
}

function rootOf(body: unknown): Item {
  if (body === undefined || body === null) throw badRequest('Resource body required');
  if (!isRecord(body)) throw badRequest('The request body is not a dictionary.');
  return body;
}

function itemOf(root: Item, key: string): Item {
  if (!Object.hasOwn(root, key)) throw badRequest(`Unable to find '${key}' in request body`);
  noOtherKeys(root, key);
  const item = root[key];
  if (!isRecord(item)) throw badRequest(`'${key}' is not a dictionary.`);
  return item;
}

function noOtherKeys(root: Item, key: string): void {
  const others = Object.keys(root).filter((name) => name !== key);
  if (others.length > 0) throw badRequest(`Unexpected ${shown(others.join(', '))} beside '${key}' in request body`);
}

/** Neutron's words for a value that an attribute does not take. */
export function invalid(name: string, reason: string): AlcorError {
  return badRequest(`Invalid input for ${name}. Reason: ${reason}.`);
}

/** 400 with this message. */
export function badRequest(reason: string): AlcorError {
  return refusal('HTTPBadRequest', { reason });
}
