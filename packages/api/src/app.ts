import type { IntentStore } from '@alcor/network';
import { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { AnyDefinition } from './definition.ts';
import { definitions } from './definitions/index.ts';
import { type ErrorAnswer, answerTo, answerToWire, noSuchMethod, notFound, sendError } from './errors.ts';
import { parseJson } from './json.ts';
import { type Limits, defaultLimits } from './limits.ts';
import { openApi } from './openapi.ts';
import { type RouteContext, addResourceRoutes } from './resource-routes.ts';
import { addVersionRoutes } from './versions.ts';

export interface ApiOptions {
  readonly store: IntentStore;
  /** Default: nothing is logged. */
  readonly logger?: FastifyBaseLogger | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** The project of requests that name none. There is no identity yet: every caller is the administrator. Default: `admin`. */
  readonly projectId?: string | undefined;
}

/** The HTTP server of the region's API. It listens to nothing until told; `inject` tries it without a socket. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const caller = { projectId: options.projectId ?? 'admin' };
  const app = newServer(limits, options.logger);
  const context: RouteContext = { store: options.store, limits, callerOf: () => caller };

  for (const definition of definitions) addResourceRoutes(app, definition, context);
  addVersionRoutes(app, definitions);
  const document = openApi(definitions);
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
  for (const { prefix, plural } of all) {
    for (const [url, methods] of [
      [`${prefix}/${plural}`, ['PUT', 'PATCH', 'DELETE']],
      [`${prefix}/${plural}/:id`, ['POST', 'PATCH']],
    ] as const) {
      app.route({
        url,
        method: [...methods],
        handler: (request, reply) => sendError(reply, noSuchMethod(request.method)),
      });
    }
  }
}
