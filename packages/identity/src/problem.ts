import { AlcorError } from '@alcor/network';
import { DatabaseError } from './database.ts';

export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 414 | 415 | 431 | 500 | 503;

/** What HTTP calls it: the `title` of Keystone's error body. */
export const titles: Readonly<Record<ProblemStatus, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** A refusal of the identity service, in the words that the client reads. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: ProblemStatus;

  constructor(status: ProblemStatus, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.status = status;
  }
}

export function badRequest(message: string): Problem {
  return new Problem(400, message);
}

export function notFound(what: string, id: string): Problem {
  return new Problem(404, `Could not find ${what}: ${shown(id)}.`);
}

/** One text for everything that keeps someone out, so that nothing is learned from it. */
export function unauthorized(): Problem {
  return new Problem(401, 'The request you have made requires authentication.');
}

export function forbidden(action: string): Problem {
  return new Problem(403, `You are not authorized to perform the requested action: ${action}.`);
}

/** Whatever was thrown, as a Problem; what nobody expected is a 500 that says nothing, with its cause kept for the log. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof DatabaseError) return ofDatabase(thrown);
  if (thrown instanceof AlcorError && thrown.status === 503) return new Problem(503, thrown.message, { cause: thrown });
  return new Problem(500, 'An unexpected error prevented the server from fulfilling your request.', { cause: thrown });
}

/** A value as it may appear in a message: short, whatever was sent. */
export function shown(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}

const noDomain = 'the domain does not exist';

/** What each foreign key promises, for the message when a reference names nothing, or something is still referred to. */
const references: Readonly<Record<string, { readonly missing: string; readonly used: string }>> = {
  projects_domain: { missing: noDomain, used: '' },
  users_domain: { missing: noDomain, used: '' },
  groups_domain: { missing: noDomain, used: '' },
  projects_parent: { missing: 'the parent project does not exist', used: 'the project has child projects' },
  regions_parent: { missing: 'the parent region does not exist', used: 'the region has child regions' },
  endpoints_service: { missing: 'the service does not exist', used: '' },
  endpoints_region: { missing: 'the region does not exist', used: 'the region has endpoints' },
};

function ofDatabase(error: DatabaseError): Problem {
  const { state, constraint } = error;
  if (state === '23505') return new Problem(409, 'Conflict occurred: one with the same name or id exists.');
  if (state === '23503') return ofReference(error, references[constraint]);
  // Values that text, JSON or an index cannot hold.
  if (state.startsWith('22') || state === '54000') return badRequest('A value in the request cannot be stored.');
  return new Problem(500, 'An unexpected error prevented the server from fulfilling your request.', { cause: error });
}

function ofReference(
  { message }: DatabaseError,
  words: { readonly missing: string; readonly used: string } | undefined,
): Problem {
  // PostgreSQL says "insert or update on table" where the reference dangles, "update or delete" where it is in the way.
  if (message.startsWith('insert') && words?.missing === noDomain) return new Problem(404, 'Could not find domain.');
  if (message.startsWith('insert')) return badRequest(`Invalid reference: ${words?.missing ?? 'it names nothing'}.`);
  return forbidden(`delete, because ${words?.used ?? 'it is in use'}`);
}
