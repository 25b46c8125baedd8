import { Readable } from 'node:stream';
import type { Caller } from '@alcor/identity';
import type { Collection, IntentStore } from '@alcor/network';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Action } from './action.ts';
import { badRequest, readAction, readCreate, readUpdate } from './body.ts';
import { type AnyDefinition, type AnyTypes, type Operation, allows, pathOf } from './definition.ts';
import { type Address, conditionsOf, find, parentFields, scopeOf } from './finder.ts';
import type { Limits } from './limits.ts';
import { pagesOf } from './listing.ts';
import { type ListRequest, type Query, pageLinks, readFields, readList } from './query.ts';
import { type RowWriter, rowWriter } from './writer.ts';

/** What the routes of every resource share. */
export interface RouteContext {
  readonly store: IntentStore;
  readonly limits: Limits;
  readonly callerOf: (request: FastifyRequest) => Caller;
}

/** Create, list, show, update, delete and the actions of one resource, as far as its definition has them. */
export function addResourceRoutes(app: FastifyInstance, definition: AnyDefinition, context: RouteContext): void {
  const path = pathOf(definition);
  const handlers = handlersOf(definition, context);
  if (allows(definition, 'create')) app.post(path, handlers.create);
  if (allows(definition, 'list')) app.get(path, handlers.list);
  if (allows(definition, 'show')) app.get(`${path}/:id`, handlers.show);
  if (allows(definition, 'update')) app.put(`${path}/:id`, handlers.update);
  if (allows(definition, 'delete')) app.delete(`${path}/:id`, handlers.delete);
  for (const [name, action] of Object.entries(definition.actions ?? {})) {
    app.route({
      method: action.method,
      url: `${path}/:id/${name}`,
      handler: (request, reply) => handlers.act(action, request, reply),
    });
  }
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

function handlersOf(
  definition: AnyDefinition,
  context: RouteContext,
): Record<Operation, Handler> & {
  readonly act: (action: Action, ...parameters: Parameters<Handler>) => Promise<FastifyReply>;
} {
  const { store, limits, callerOf } = context;
  const collection = definition.collection(store);
  const writeAll = rowWriter(definition, null);
  const found = (request: FastifyRequest): Promise<AnyTypes['view']> =>
    find(definition, store, callerOf(request), addressOf(request));
  const parentOf = (request: FastifyRequest): Promise<Readonly<Record<string, string>>> =>
    parentFields(definition, store, callerOf(request), addressOf(request).parentId);

  return {
    create: async (request, reply) => {
      const fixed = await parentOf(request);
      const asked = readCreate(definition, request.body, {
        caller: callerOf(request),
        fixed,
        maxItems: limits.bulkItems,
      });
      const rows = (await collection.create(asked.inputs)).map((view) => writeAll(view)).join(',');
      const body = asked.bulk ? `{"${definition.plural}":[${rows}]}` : `{"${definition.singular}":${rows}}`;
      return sendJson(reply.code(201), body);
    },
    list: async (request, reply) => {
      const conditions = { ...conditionsOf(await parentOf(request)), ...scopeOf(definition, callerOf(request)) };
      const asked = readList(definition, request.query as Query, { conditions, maxValues: limits.queryValues });
      const url = `${request.protocol}://${request.host}${request.url}`;
      return sendList(reply, listText(definition, collection, asked, url));
    },
    show: async (request, reply) => {
      const view = await found(request);
      const fields = readFields(request.query as Query);
      return sendOne(reply, definition, fields === null ? writeAll : rowWriter(definition, fields), view);
    },
    update: async (request, reply) => {
      const patch = readUpdate(definition, request.body);
      const { id } = await found(request);
      return sendOne(reply, definition, writeAll, await collection.update(id, patch, writeOptions(request)));
    },
    delete: async (request, reply) => {
      const { id } = await found(request);
      await collection.delete(id, writeOptions(request));
      return reply.code(204).send();
    },
    act: async (action, request, reply) => {
      const body = readAction(action, request.body) as never;
      const { id } = await found(request);
      const result = await action.run({ store, caller: callerOf(request), id, body, ...writeOptions(request) });
      if (result === undefined) return reply.code(204).send();
      reply.code(action.status);
      if (action.answers === 'json') return sendJson(reply, JSON.stringify(result));
      if (action.answers === 'bare') return sendJson(reply, writeAll(result as AnyTypes['view']));
      return sendOne(reply, definition, writeAll, result as AnyTypes['view']);
    },
  };
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

function sendOne(
  reply: FastifyReply,
  definition: AnyDefinition,
  write: RowWriter,
  view: AnyTypes['view'],
): FastifyReply {
  return sendJson(reply, `{"${definition.singular}":${write(view)}}`);
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
  collection: Collection<AnyTypes>,
  asked: ListRequest,
  url: string,
): AsyncGenerator<string> {
  const write = rowWriter(definition, asked.fields);
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
