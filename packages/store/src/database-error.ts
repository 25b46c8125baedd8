import { AlcorError, refusal } from '@alcor/network';
import postgres from 'postgres';

/** A refusal of the database that says something about the data: which constraint, which key. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /** SQLSTATE. */
  readonly state: string;
  /** The constraint that refused, if one did. */
  readonly constraint: string;
  /** The refused key's values in the order of the constraint's columns. */
  readonly key: readonly string[];

  constructor(error: postgres.PostgresError) {
    super(error.message, { cause: withoutParameters(error) });
    this.state = error.code;
    this.constraint = error.constraint_name ?? '';
    this.key = keyOf(error.detail ?? '');
  }
}

/** Deadlock, serialisation failure, or a lock not had in time: the same again may succeed. */
const transientStates = new Set(['40001', '40P01', '55P03']);

/**
 * SQLSTATE classes (and states) that speak of the server and not of the data: connection, authorisation, no such database,
 * transaction lost to a time limit or a read-only standby, resources (disk full, memory, connections), intervention (shutdown,
 * crash, cancelled), system error.
 */
const unavailable = /^(?:08|28|3D|25P03|25006|53|57|58)/;

/** Bytes that text cannot hold, or a number that its column cannot. */
const unfit = /^22/;

export function isTransient(error: unknown): boolean {
  return error instanceof DatabaseError && transientStates.has(error.state);
}

/** Whatever a statement was refused with, as AlcorError (nothing to do with the data) or DatabaseError. */
export function asDatabaseError(error: unknown): unknown {
  if (error instanceof AlcorError || error instanceof DatabaseError) return error;
  if (error instanceof postgres.PostgresError) return asStateError(error);
  // What is not from the server but has a code is from the wire: ECONNREFUSED, CONNECTION_CLOSED, …
  if (error instanceof Error && 'code' in error) {
    return refusal('ServiceUnavailable', { reason: 'the database does not answer' }, { cause: error });
  }
  return error;
}

function asStateError(error: postgres.PostgresError): AlcorError | DatabaseError {
  const cause = withoutParameters(error);
  if (error.code === '53100') return refusal('ServiceUnavailable', { reason: 'the disk is full' }, { cause });
  if (unavailable.test(error.code)) {
    return refusal('ServiceUnavailable', { reason: 'the database does not answer' }, { cause });
  }
  if (unfit.test(error.code)) return refusal('InvalidInput', { reason: error.message }, { cause });
  return new DatabaseError(error);
}

/** The driver hangs statement and parameters on its errors: megabytes, and tenants' data in the log. */
function withoutParameters({ message, code, detail }: postgres.PostgresError): Error {
  return Object.assign(new Error(message), { code, detail });
}

/** Out of `Key (a, b)=(1, 2) …`, in whatever language: `1` and `2`. No key of ours holds a comma or a parenthesis. */
function keyOf(detail: string): readonly string[] {
  return /\)=\(([^()]*)\)/.exec(detail)?.[1]?.split(', ') ?? [];
}
