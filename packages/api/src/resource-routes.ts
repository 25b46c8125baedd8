import { Readable } from 'node:stream';
import type { Caller } from '@alcor/identity';
import type { Collection, IntentStore } from '@alcor/network';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, errorCodes } from 'fastify';
import type { Action } from './action.ts';
import { badRequest, readAction, readCreate, readUpdate } from './body.ts';
import { CsvTable } from './csv.ts';
import { type AnyDefinition, type AnyTypes, allows, pathOf } from './definition.ts';
import { type Address, find, findParent, parentCondition, parentInput, scopeOf } from './finder.ts';
import { judge, judgeCreate, judgeUpdate } from './judge.ts';
import type { HostQuestions } from './host-questions.ts';
import type { Limits } from './limits.ts';
import { pagesOf } from './listing.ts';
import { type ListRequest, type Query, pageLinks, readFields, readList } from './query.ts';
import { type Policy, type PolicyOverrides, type Target, holds, policyOf, refuse } from './policy.ts';
import { type RowWriter, rowWriter } from './writer.ts';

/** What the routes of every resource share. */
export interface RouteContext {
  readonly store: IntentStore;
  readonly hosts: HostQuestions;
  readonly limits: Limits;
  readonly overrides: PolicyOverrides;
  readonly callerOf: (request: FastifyRequest) => Caller;
}

/** Create, list, show, update, delete and the actions of one resource, as far as its definition has them. */
export function addResourceRoutes(app: FastifyInstance, definition: AnyDefinition, context: RouteContext): void {
  const path = pathOf(definition);
  const handlers = { ...readersOf(definition, context), ...writersOf(definition, context) };
  if (allows(definition, 'create')) app.post(path, handlers.create);
  if (allows(definition, 'list')) app.get(path, handlers.list);
  if (allows(definition, 'show')) app.get(`${path}/:id`, handlers.show);
  if (allows(definition, 'update')) app.put(`${path}/:id`, handlers.update);
  if (allows(definition, 'delete')) app.delete(`${path}/:id`, handlers.delete);
  for (const [name, action] of Object.entries(definition.actions ?? {})) {
    app.route({
      method: action.method,
      url: `${path}/:id/${name}`,
      handler: actorOf(definition, context, name, action),
    });
  }
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

function readersOf(definition: AnyDefinition, context: RouteContext): Record<'list' | 'show', Handler> {
  const { store, limits, callerOf } = context;
  const policy = policyOf(definition, context.overrides);
  const writerFor = cachedWriter(definition, policy);
  return {
    list: async (request, reply) => {
      const caller = callerOf(request);
      const parent = await findParent(definition, store, caller, addressOf(request).parentId);
      const conditions = { ...parentCondition(definition, parent), ...scopeOf(definition, caller) };
      const asked = readList(definition, request.query as Query, { conditions, caller, maxValues: limits.queryValues });
      checkReadable(definition, policy, caller, asked.names);
      const seen = holds(policy.of('list'), caller, parent ?? {}) ? asked : { ...asked, query: null };
      const write = writerFor(asked.fields ?? definition.inLists ?? null);
      const url = `${request.protocol}://${request.host}${request.url}`;
      const rows = { write: (view: AnyTypes['view']) => write(view, caller), collection: definition.collection(store) };
      return sendList(reply, listText(definition, rows, seen, url));
    },
    show: async (request, reply) => {
      const caller = callerOf(request);
      const address = addressOf(request);
      const { view } = await find(definition, store, caller, address);
      if (!holds(policy.of('show'), caller, view)) throw definition.notFound(address.id);
      if (!holds(definition.policy?.show ?? 'anyone', caller, view)) refuse([`get_${definition.singular}`]);
      const write = writerFor(readFields(request.query as Query));
      return sendOne(reply, definition, write(view, caller));
    },
  };
}

function writersOf(definition: AnyDefinition, context: RouteContext): Record<'create' | 'update' | 'delete', Handler> {
  const { store, limits, callerOf } = context;
  const collection = definition.collection(store);
  const policy = policyOf(definition, context.overrides);
  const write = rowWriter(definition, policy, null);
  return {
    create: async (request, reply) => {
      const caller = callerOf(request);
      const frame = { caller, maxItems: limits.bulkItems };
      const { wishes: read, bulk } = readCreate(definition, contentOf(definition, request.body), frame);
      // Who could not make one of their own is told so, whatever the path says.
      if (!holds(policy.of('create'), caller, ownTarget(caller))) refuse([`create_${definition.singular}`]);
      const parent = await findParent(definition, store, caller, addressOf(request).parentId);
      const fixed = parentInput(definition, parent);
      const wishes = read.map(({ input, given }) => ({ input: { ...input, ...fixed }, given }));
      await judgeCreate({ definition, policy, store, caller }, wishes, parent);
      const views = await collection.create(wishes.map(({ input }) => input));
      const rows = views.map((view) => write(view, caller)).join(',');
      const body = bulk ? `{"${definition.plural}":[${rows}]}` : `{"${definition.singular}":${rows}}`;
      return sendJson(reply.code(201), body);
    },
    update: async (request, reply) => {
      const caller = callerOf(request);
      const wish = readUpdate(definition, request.body);
      const located = await find(definition, store, caller, addressOf(request));
      await judgeUpdate({ definition, policy, store, caller }, wish, located);
      const view = await collection.update(located.view.id, wish.input, writeOptions(request));
      return sendOne(reply, definition, write(view, caller));
    },
    delete: async (request, reply) => {
      const caller = callerOf(request);
      const located = await find(definition, store, caller, addressOf(request));
      await judge({ definition, policy, store, caller }, 'delete', located);
      await collection.delete(located.view.id, writeOptions(request));
      return reply.code(204).send();
    },
  };
}

function ownTarget({ projectId }: Caller): Target {
  return { projectId, networkProjectId: projectId };
}

/** The body; a file of resources as the list that it is. */
function contentOf({ plural, files }: AnyDefinition, body: unknown): unknown {
  if (body instanceof CsvTable) {
    if (files === undefined) throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE('text/csv');
    return { [plural]: body.items() };
  }
  return files !== undefined && Array.isArray(body) ? { [plural]: body } : body;
}

function actorOf(definition: AnyDefinition, context: RouteContext, name: string, action: Action): Handler {
  const { store, hosts, callerOf } = context;
  const policy = policyOf(definition, context.overrides);
  const write = rowWriter(definition, policy, null);
  return async (request, reply) => {
    const caller = callerOf(request);
    const body = readAction(action, request.body) as never;
    const located = await find(definition, store, caller, addressOf(request));
    await judge({ definition, policy, store, caller }, { action: name }, located);
    const result = await action.run({ store, hosts, caller, id: located.view.id, body, ...writeOptions(request) });
    if (result === undefined) return reply.code(204).send();
    reply.code(action.status);
    if (action.answers === 'json') return sendJson(reply, JSON.stringify(result));
    if (action.answers === 'bare') return sendJson(reply, write(result as AnyTypes['view'], caller));
    return sendOne(reply, definition, write(result as AnyTypes['view'], caller));
  };
}

/** The writer of whole rows is made once. */
function cachedWriter(definition: AnyDefinition, policy: Policy): (fields: ReadonlySet<string> | null) => RowWriter {
  const whole = rowWriter(definition, policy, null);
  return (fields) => (fields === null ? whole : rowWriter(definition, policy, fields));
}

/** A list must not be filtered or sorted by what its reader may not see: it would tell. */
function checkReadable(definition: AnyDefinition, policy: Policy, caller: Caller, names: readonly string[]): void {
  for (const name of names) {
    if (!holds(policy.attribute('get', name), caller, caller)) refuse([`get_${definition.singular}:${name}`]);
  }
}

function addressOf(request: FastifyRequest): Address {
  const { id = '', parentId } = request.params as Partial<Address>;
  return { id, parentId };
}

/** `If-Match: revision_number=3` makes a write conditional. */
function writeOptions(request: FastifyRequest): { readonly ifRevision?: number } {
  const condition = request.headers['if-match'];
  if (condition === undefined) return {};
  const [, digits] = /^\s*"?revision_number=(\d{1,15})"?\s*$/.exec(condition) ?? [];
  if (digits === undefined) throw badRequest('If-Match must be of the form revision_number=NUMBER.');
  return { ifRevision: Number(digits) };
}

function sendJson(reply: FastifyReply, body: string | Readable): FastifyReply {
  return reply.type('application/json').send(body);
}

function sendOne(reply: FastifyReply, { singular }: AnyDefinition, row: string): FastifyReply {
  return sendJson(reply, `{"${singular}":${row}}`);
}

/** Has the first piece before it answers, so that what is wrong with the request, or the database, is still a status. */
async function sendList(reply: FastifyReply, pieces: AsyncGenerator<string>): Promise<FastifyReply> {
  const first = await pieces.next();
  const second = await pieces.next();
  if (second.done === true) return sendJson(reply, first.value ?? '');
  return sendJson(reply, Readable.from(rejoined([first.value ?? '', second.value], pieces), { objectMode: false }));
}

async function* rejoined(begun: readonly string[], rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield* begun;
  yield* rest;
}

/** The answer to a list request: one piece where the rows came as one page. */
async function* listText(
  definition: AnyDefinition,
  {
    collection,
    write,
  }: { readonly collection: Collection<AnyTypes>; readonly write: (view: AnyTypes['view']) => string },
  asked: ListRequest,
  url: string,
): AsyncGenerator<string> {
  const ids: { first?: string; last?: string; count: number } = { count: 0 };
  let text = `{"${definition.plural}":[`;
  for await (const rows of asked.query === null ? [] : pagesOf(collection, asked.query)) {
    if (ids.count > 0) {
      yield text;
      text = '';
    }
    for (const row of rows) {
      text += ids.count === 0 ? write(row) : `,${write(row)}`;
      ids.first ??= row.id;
      ids.last = row.id;
      ids.count += 1;
    }
  }
  const links = pageLinks(url, asked, ids);
  yield links.length === 0 ? `${text}]}` : `${text}],"${definition.plural}_links":${JSON.stringify(links)}}`;
}
