import { Readable } from 'node:stream';
import type { Collection, IntentStore } from '@alcor/network';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, badRequest, readCreate, readUpdate } from './body.ts';
import type { AnyDefinition, AnyTypes } from './definition.ts';
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

/** Create, list, show, update and delete of one resource, from its definition. */
export function addResourceRoutes(app: FastifyInstance, definition: AnyDefinition, context: RouteContext): void {
  const collection = definition.collection(context.store);
  const writeAll = rowWriter(definition, null);
  const path = `${definition.prefix}/${definition.plural}`;
  const idOf = (request: FastifyRequest): string => {
    const { id = '' } = request.params as { readonly id?: string };
    const parsed = definition.parseId(id);
    if (parsed === null) throw definition.notFound(id);
    return parsed;
  };

  app.post(path, async (request, reply) => {
    const { inputs, bulk } = readCreate(definition, request.body, context.callerOf(request), context.limits.bulkItems);
    const views = await collection.create(inputs);
    const rows = views.map((view) => writeAll(view)).join(',');
    return sendJson(
      reply.code(201),
      bulk ? `{"${definition.plural}":[${rows}]}` : `{"${definition.singular}":${rows}}`,
    );
  });

  app.get(path, async (request, reply) => {
    const asked = readList(definition, request.query as Query, context.limits.queryValues);
    const url = `${request.protocol}://${request.host}${request.url}`;
    return sendList(reply, listText(definition, collection, asked, url));
  });

  app.get(`${path}/:id`, async (request, reply) => {
    const view = await collection.get(idOf(request));
    const fields = readFields(request.query as Query);
    return sendOne(reply, definition, fields === null ? writeAll : rowWriter(definition, fields), view);
  });

  app.put(`${path}/:id`, async (request, reply) => {
    const id = idOf(request);
    const view = await collection.update(id, readUpdate(definition, request.body), writeOptions(request));
    return sendOne(reply, definition, writeAll, view);
  });

  app.delete(`${path}/:id`, async (request, reply) => {
    await collection.delete(idOf(request), writeOptions(request));
    return reply.code(204).send();
  });
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
