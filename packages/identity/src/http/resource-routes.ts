import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Condition, deleteOne, fetchAll, fetchOne, insertOne, updateOne } from '../collection.ts';
import { type Definition, readCreate, readUpdate } from '../definition.ts';
import { type Json, requiredRecord } from '../json-shape.ts';
import { Problem, badRequest, forbidden } from '../problem.ts';
import type { TokenState } from '../tokens.ts';
import { readPassword, setPassword } from '../users.ts';
import { type Context, administrator, callerOf, mayReadAll, paramOf } from './context.ts';
import { baseOf, list, render, selfOf } from './render.ts';
import { changeCompletions, checkDelete, checkMutable, completions } from './rules.ts';

/** Create, list, show, update and delete of one kind of resource. */
export function addResourceRoutes(app: FastifyInstance, definition: Definition, context: Context): void {
  const { singular, plural } = definition;
  const { store } = context;
  const path = `/v3/${plural}`;

  const create = async (request: FastifyRequest, id: string | undefined): Promise<Json> => {
    const caller = await administrator(context, request, `create_${singular}`);
    const sent = requiredRecord(request.body, singular);
    const read = readCreate(definition, sent);
    const hash = await passwordIn(context, definition, sent);
    const row = await store.write(async (tx) => {
      const complete = completions[singular];
      const input = complete === undefined ? read : await complete(tx, read, sent, caller);
      const made = await insertOne(tx, definition, id ?? idFor(context, definition, sent), input);
      if (hash !== undefined) await setPassword(tx, made.id, hash);
      return made;
    });
    return { [singular]: render(definition, row, baseOf(request)) };
  };

  app.post(path, async (request, reply) => reply.code(201).send(await create(request, undefined)));
  if (definition.id === 'given') {
    app.put(`${path}/:id`, async (request, reply) =>
      reply.code(201).send(await create(request, checkedId(paramOf(request, 'id')))),
    );
  }
  app.get(path, async (request) => {
    const caller = await callerOf(context, request);
    if (!mayReadAll(caller) && singular !== 'region') throw forbidden(`list_${plural}`);
    const rows = await fetchAll(store.db, definition, conditionsOf(definition, request));
    return list(
      plural,
      rows.map((row) => render(definition, row, baseOf(request))),
      selfOf(request),
    );
  });
  app.get(`${path}/:id`, async (request) => {
    const id = paramOf(request, 'id');
    const caller = await callerOf(context, request);
    if (!mayReadAll(caller) && !isOwn(definition, caller, id)) throw forbidden(`get_${singular}`);
    return { [singular]: render(definition, await fetchOne(store.db, definition, id), baseOf(request)) };
  });
  app.patch(`${path}/:id`, async (request) => {
    const caller = await administrator(context, request, `update_${singular}`);
    const id = paramOf(request, 'id');
    const sent = requiredRecord(request.body, singular);
    const read = readUpdate(definition, sent, id);
    const hash = await passwordIn(context, definition, sent);
    const row = await store.write(async (tx) => {
      await checkMutable(tx, definition, id);
      const input = (await changeCompletions[singular]?.(tx, read, sent, caller)) ?? read;
      const changed = await updateOne(tx, definition, id, input);
      if (hash !== undefined) await setPassword(tx, id, hash);
      return changed;
    });
    return { [singular]: render(definition, row, baseOf(request)) };
  });
  app.delete(`${path}/:id`, async (request, reply) => {
    await administrator(context, request, `delete_${singular}`);
    const id = paramOf(request, 'id');
    await store.write(async (tx) => {
      await checkDelete(tx, definition, id);
      await deleteOne(tx, definition, id);
    });
    return reply.code(204).send();
  });
}

/** The hash of the password that a user is to have; undefined where none is sent. */
async function passwordIn({ store }: Context, { special }: Definition, sent: Json): Promise<string | undefined> {
  const { password } = sent;
  if (!special.includes('password') || password === undefined || password === null) return undefined;
  return store.passwords.hash(readPassword(password));
}

function idFor({ store }: Context, definition: Definition, { id }: Json): string {
  if (definition.id === 'made' || id === undefined || id === null || id === '') return store.newId();
  if (typeof id !== 'string') throw badRequest("Invalid input for 'id': it must be a string.");
  return checkedId(id);
}

function checkedId(id: string): string {
  if (id.length > 255) throw badRequest("Invalid input for 'id': it must have 1 to 255 characters.");
  return id;
}

/** What anyone may see: oneself, and the place that one's token is for. */
function isOwn({ singular }: Definition, { user, project, domain }: TokenState, id: string): boolean {
  switch (singular) {
    case 'user':
      return id === user.id;
    case 'project':
      return id === project?.id;
    case 'domain':
      return id === (project?.domain ?? domain ?? user.domain).id;
    case 'region':
      return true;
    default:
      return false;
  }
}

const contains = '__contains';

/** The list's conditions out of the query; names that say nothing about this resource are passed over, as Keystone does. */
function conditionsOf({ attributes }: Definition, request: FastifyRequest): readonly Condition[] {
  const conditions: Condition[] = [];
  for (const [key, given] of Object.entries(request.query as Readonly<Record<string, unknown>>)) {
    const column = key.endsWith(contains) ? key.slice(0, -contains.length) : key;
    const attribute = Object.hasOwn(attributes, column) ? attributes[column] : undefined;
    const value: unknown = Array.isArray(given) ? given[0] : given;
    if (attribute === undefined || attribute.kind.is === 'tags' || typeof value !== 'string') continue;
    if (value.includes('\0')) throw new Problem(400, `Invalid value for the filter '${column}'.`);
    if (attribute.kind.is === 'flag') conditions.push({ column, match: 'equals', value: isYes(value) });
    else conditions.push({ column, match: key === column ? 'equals' : 'contains', value });
  }
  return conditions;
}

function isYes(value: string): boolean {
  return !['0', 'false', 'no', 'off'].includes(value.toLowerCase());
}
