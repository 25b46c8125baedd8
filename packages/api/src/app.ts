import { type Identity, noIdentity } from '@alcor/identity';
import type { IntentStore } from '@alcor/network';
import { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { addRoutes } from './added-routes.ts';
import { addAuthentication } from './authentication.ts';
import { parseCsv } from './csv.ts';
import { type AnyDefinition, type Operation, allows, pathOf } from './definition.ts';
import { definitions } from './definitions/index.ts';
import { type ErrorAnswer, answerTo, answerToWire, noSuchMethod, notFound, sendError } from './errors.ts';
import { type HostQuestions, noHosts } from './host-questions.ts';
import { parseJson } from './json.ts';
import { type Limits, defaultLimits } from './limits.ts';
import { openApi } from './openapi.ts';
import type { PolicyOverrides } from './policy.ts';
import { autoTopologyRoutes } from './auto-topology-routes.ts';
import { type RouteContext, addResourceRoutes } from './resource-routes.ts';
import { addQuotaRoutes } from './quota-routes.ts';
import { addTagRoutes } from './tag-routes.ts';
import type { Route } from './route.ts';
import { addVersionRoutes } from './versions.ts';

export interface ApiOptions {
  readonly store: IntentStore;
  /** Default: nothing is logged. */
  readonly logger?: FastifyBaseLogger | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Who the callers are. Default: everyone is the administrator, which is for loopback only. */
  readonly identity?: Identity | undefined;
  /** Rules instead of the defaults, as `readPolicy` gives them. */
  readonly policy?: PolicyOverrides | undefined;
  /** Whom to ask what only hosts know. Default: nobody. */
  readonly hosts?: HostQuestions | undefined;
  /** What else is served under the same roof. */
  readonly routes?: readonly Route[] | undefined;
}

/** The HTTP server of the region's API. It listens to nothing until told; `inject` tries it without a socket. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const app = newServer(limits, options.logger);
  const callerOf = addAuthentication(app, options.identity ?? noIdentity());
  const context: RouteContext = {
    store: options.store,
    hosts: options.hosts ?? noHosts,
    limits,
    callerOf,
    overrides: options.policy ?? new Map(),
  };

  for (const definition of definitions) {
    addResourceRoutes(app, definition, context);
    addTagRoutes(app, definition, context);
  }
  addQuotaRoutes(app, context);
  addVersionRoutes(app, definitions);
  const routes = [...autoTopologyRoutes(options.store), ...(options.routes ?? [])];
  addRoutes(app, routes, context);
  const document = openApi(definitions, routes);
  app.get('/openapi.json', () => document);
  answerOtherMethods(app, definitions);
  return app;
}

function newServer(limits: Limits, logger: FastifyBaseLogger | undefined): FastifyInstance {
  const app = fastify({
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 255 },
    clientErrorHandler: (error, socket) => {
      if (socket.writable) socket.end(onTheWire(answerToWire(error.code ?? '')));
    },
    frameworkErrors: (error, _request, reply) => {
      sendError(reply as FastifyReply, answerTo(error));
    },
    ...(logger === undefined ? {} : { loggerInstance: logger }),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, parseJson(text as string, limits.jsonDepth));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, parseCsv(text as string));
    } catch (error) {
      done(error as Error);
    }
  });
  // Neutron takes a body that does not say its type for JSON, and clients rely on it.
  app.addHook('onRequest', (request, _reply, done) => {
    request.headers['content-type'] ??= 'application/json';
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = answerTo(error);
    if (answer.status >= 500) request.log.error({ err: error }, 'a request failed');
    return sendError(reply, answer);
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, notFound('The resource could not be found.')));
  return app;
}

/** An answer where there is no request to reply to. */
function onTheWire({ status, body }: ErrorAnswer): string {
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} Error`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
}

/** 405, not 404, where a path exists but the method does not. */
function answerOtherMethods(app: FastifyInstance, all: readonly AnyDefinition[]): void {
  for (const definition of all) {
    const path = pathOf(definition);
    for (const [url, served] of [
      [path, { POST: 'create', GET: 'list' }],
      [`${path}/:id`, { GET: 'show', PUT: 'update', DELETE: 'delete' }],
    ] as const satisfies readonly (readonly [string, Readonly<Record<string, Operation>>])[]) {
      const known: Readonly<Record<string, Operation>> = served;
      const isServed = (method: string): boolean => method in known && allows(definition, known[method] as Operation);
      app.route({
        url,
        method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !isServed(method)),
        handler: (request, reply) => sendError(reply, noSuchMethod(request.method)),
      });
    }
  }
}
