import { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { challengeOf } from '../builtin-identity.ts';
import { definitions } from '../definitions.ts';
import { checkShape } from '../json-shape.ts';
import { Problem, type ProblemStatus, badRequest, problemOf, titles } from '../problem.ts';
import type { IdentityStore } from '../store.ts';
import { addAssignmentRoutes } from './assignment-routes.ts';
import { addAuthRoutes } from './auth-routes.ts';
import { addGrantRoutes } from './grant-routes.ts';
import { addImpliedRoleRoutes } from './implied-role-routes.ts';
import { baseOf } from './render.ts';
import { addResourceRoutes } from './resource-routes.ts';
import { addUserRoutes } from './user-routes.ts';
import { addVersionRoutes } from './versions.ts';

export interface IdentityApiOptions {
  readonly store: IdentityStore;
  /** Default: nothing is logged. Neither tokens nor passwords reach it. */
  readonly logger?: FastifyBaseLogger | undefined;
  /** Bytes of a request body. Default: 114,688, as in Keystone. */
  readonly bodyBytes?: number | undefined;
  /** Milliseconds in which a whole request must have arrived. Default: 30 s. */
  readonly requestMs?: number | undefined;
}

/** The part of Keystone's v3 API that clients of a network region use. Listens to nothing until told. */
export function buildIdentityApi(options: IdentityApiOptions): FastifyInstance {
  const app = newServer(options);
  const context = { store: options.store };
  addVersionRoutes(app);
  addAuthRoutes(app, context);
  for (const definition of definitions) addResourceRoutes(app, definition, context);
  addUserRoutes(app, context);
  addGrantRoutes(app, context);
  addAssignmentRoutes(app, context);
  addImpliedRoleRoutes(app, context);
  return app;
}

function newServer({ logger, bodyBytes, requestMs }: IdentityApiOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: bodyBytes ?? 114_688,
    requestTimeout: requestMs ?? 30_000,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 255 },
    clientErrorHandler: (error, socket) => {
      if (socket.writable) socket.end(onTheWire(error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400));
    },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply as FastifyReply, problemOfServer(error)),
    ...(logger === undefined ? {} : { loggerInstance: logger }),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, parse(text as string));
    } catch (error) {
      done(error as Error);
    }
  });
  // Some clients name a type for a body that they do not send.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => {
    if (text === '') done(null, undefined);
    else done(new Problem(415, 'A request body must be application/json.'));
  });
  // Before anything else sees it: PostgreSQL's text has no zero character.
  app.addHook('onRequest', async (request) => {
    if (/%00/.test(request.url)) throw badRequest('The request path holds a zero character.');
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOfServer(error);
    if (problem.status >= 500) request.log.error({ err: problem.cause ?? problem }, 'a request failed');
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new Problem(404, 'The resource could not be found.')));
  return app;
}

function parse(text: string): unknown {
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest('The request body is not JSON.');
  }
  checkShape(value);
  return value;
}

function sendProblem(reply: FastifyReply, { status, message }: Problem): FastifyReply {
  if (status === 401) void reply.header('www-authenticate', challengeOf(`${baseOf(reply.request)}/v3`));
  return reply.code(status).send(bodyOf(status, message));
}

function bodyOf(status: ProblemStatus, message: string): object {
  return { error: { code: status, message, title: titles[status] } };
}

const serverErrors: Readonly<Record<string, readonly [ProblemStatus, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'The request body is too large.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'A request body must be application/json.'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'The request path is too long.'],
};

/** Errors of the HTTP server have codes of their own; all others are ours. */
function problemOfServer(error: unknown): Problem {
  const { code, statusCode } = (error ?? {}) as { readonly code?: unknown; readonly statusCode?: unknown };
  if (typeof code !== 'string' || !code.startsWith('FST_')) return problemOf(error);
  const [status, message] = serverErrors[code] ?? [undefined, ''];
  if (status !== undefined) return new Problem(status, message);
  return typeof statusCode === 'number' && statusCode < 500
    ? badRequest('The request could not be read.')
    : problemOf(error);
}

/** An answer where there is no request to reply to. */
function onTheWire(status: ProblemStatus): string {
  const text = JSON.stringify(bodyOf(status, 'The request could not be read.'));
  const head = [
    `HTTP/1.1 ${status} ${titles[status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
}
