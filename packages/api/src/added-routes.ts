import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { badRequest, invalid, readAction } from './body.ts';
import { noSuchMethod, sendError } from './errors.ts';
import { Refusal, shown } from './kinds.ts';
import { checkRule } from './policy.ts';
import type { RouteContext } from './resource-routes.ts';
import type { Route, RouteRequest } from './route.ts';

/** Serves routes that are no resources. Those that go on without an end are ended when the server closes. */
export function addRoutes(app: FastifyInstance, routes: readonly Route[], context: RouteContext): void {
  const closing = new AbortController();
  app.addHook('preClose', (done) => {
    closing.abort();
    done();
  });
  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.path,
      handler: (request, reply) => serve(route, context, { request, reply, closing: closing.signal }),
    });
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const served = routes.filter((route) => route.path === path).map(({ method }): string => method);
    app.route({
      url: path,
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !served.includes(method)),
      handler: (request, reply) => sendError(reply, noSuchMethod(request.method)),
    });
  }
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly closing: AbortSignal;
}

async function serve(
  route: Route,
  { callerOf, overrides, limits }: RouteContext,
  { request, reply, closing }: Exchange,
): Promise<FastifyReply> {
  const caller = callerOf(request);
  checkRule(route.rule, route.who, { caller, overrides });
  const { id = '' } = request.params as { readonly id?: string };
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, closing]);
  const query = readQuery(route, request.query as Readonly<Record<string, unknown>>, limits.queryValues);
  const body = readAction(route, request.body);
  const answer = await route.run({ caller, id, query, body, signal } as RouteRequest<never, never>);
  reply.code(route.status);
  if (answer === null) return reply.send();
  if ('json' in answer) return reply.type('application/json').send(JSON.stringify(answer.json));
  return sendLines(reply, answer.lines);
}

/** Has the first lines before it answers, so that what is wrong with the request is still a status. */
async function sendLines(reply: FastifyReply, lines: AsyncIterable<readonly object[]>): Promise<FastifyReply> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* text(): AsyncGenerator<string> {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield textOf(next.value);
    } finally {
      await iterator.return?.();
    }
  }
  // Made as the client reads: one batch in the hand, and none behind it.
  return reply.type('application/x-ndjson').send(Readable.from(text(), { objectMode: false, highWaterMark: 1 }));
}

function textOf(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function readQuery(
  { query: kinds }: Route,
  given: Readonly<Record<string, unknown>>,
  maxValues: number,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(given);
  if (entries.length > maxValues) throw badRequest(`At most ${maxValues} query parameters are taken.`);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
      if (kind === undefined) throw badRequest(`Unrecognized query parameter ${shown(name)}`);
      if (typeof value !== 'string') throw invalid(name, 'one value is wanted');
      const parsed = kind.parse(value);
      if (parsed instanceof Refusal) throw invalid(name, parsed.reason);
      return [name, parsed];
    }),
  );
}
