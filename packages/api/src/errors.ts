import { AlcorError } from '@alcor/network';
import type { FastifyReply } from 'fastify';

/** What an HTTP error answers with, as Neutron's clients read it. */
export interface ErrorBody {
  readonly NeutronError: { readonly type: string; readonly message: string; readonly detail: string };
}

export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
}

/** A refusal that only HTTP knows: no resource is concerned. */
interface HttpProblem {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

const unreadable: HttpProblem = { status: 400, type: 'HTTPBadRequest', message: 'The request could not be read.' };
const tooLarge: HttpProblem = {
  status: 413,
  type: 'HTTPRequestEntityTooLarge',
  message: 'The request body is too large.',
};
const uriTooLong: HttpProblem = {
  status: 414,
  type: 'HTTPRequestURITooLong',
  message: 'The request path is too long.',
};
const headersTooLarge: HttpProblem = {
  status: 431,
  type: 'HTTPRequestHeaderFieldsTooLarge',
  message: 'The request line and headers are too large.',
};
const tooSlow: HttpProblem = {
  status: 408,
  type: 'HTTPRequestTimeout',
  message: 'The request did not arrive in time.',
};

/** Errors of the HTTP server, by their code. */
const problems: Readonly<Record<string, HttpProblem>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: tooLarge,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    type: 'HTTPUnsupportedMediaType',
    message: 'A request body must be application/json.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: unreadable,
  FST_ERR_BAD_URL: { status: 400, type: 'HTTPBadRequest', message: 'The request path is not valid.' },
  FST_ERR_MAX_PARAM_LENGTH: uriTooLong,
  HPE_HEADER_OVERFLOW: headersTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: tooSlow,
};

/** Whatever a handler threw, as status and body. What nobody expected becomes a plain 500: no internals leave the process. */
export function answerTo(thrown: unknown): ErrorAnswer {
  const problem = thrown instanceof AlcorError ? undefined : problemOf(thrown);
  if (problem !== undefined) return answer(problem);
  const error = AlcorError.from(thrown);
  return answer(error, error.item === undefined ? '' : `Item ${error.item} of the request, counted from 0.`);
}

/** The answer to bytes that are no HTTP request. */
export function answerToWire(code: string): ErrorAnswer {
  return answer(problems[code] ?? unreadable);
}

/** 404 where what is missing is none of the store's resources. */
export function notFound(message: string): ErrorAnswer {
  return answer({ status: 404, type: 'HTTPNotFound', message });
}

/** The answer where the path is known but the method is not among `allowed`. */
export function noSuchMethod(method: string): ErrorAnswer {
  return answer({
    status: 405,
    type: 'HTTPMethodNotAllowed',
    message: `The method ${method} is not allowed for this resource.`,
  });
}

/** Answers a request with an error. */
export function sendError(reply: FastifyReply, { status, body }: ErrorAnswer): FastifyReply {
  return reply.code(status).send(body);
}

function answer({ status, type, message }: HttpProblem, detail = ''): ErrorAnswer {
  return { status, body: { NeutronError: { type, message, detail } } };
}

function problemOf(thrown: unknown): HttpProblem | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code, statusCode } = thrown as { readonly code?: unknown; readonly statusCode?: unknown };
  if (typeof code !== 'string' || !code.startsWith('FST_')) return undefined;
  const isClients = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return problems[code] ?? (isClients ? { ...unreadable, status: statusCode } : undefined);
}
