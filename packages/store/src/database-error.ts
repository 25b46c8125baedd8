import { AlcorError, refusal } from '@alcor/network';
import pg from 'pg';

/** A refusal of the database that says something about the data: which constraint, which key. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /** SQLSTATE. */
  readonly state: string;
  /** The constraint that refused, if one did. */
  readonly constraint: string;
  /** The refused key's values in the order of the constraint's columns. */
  readonly key: readonly string[];

  constructor(error: pg.DatabaseError) {
    super(error.message, { cause: slim(error) });
    this.state = error.code ?? '';
    this.constraint = error.constraint ?? '';
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

/** Bytes that text cannot hold, a number that its column cannot, a value too long for its index. */
const unfit = /^(?:22|54000)/;

export function isTransient(error: unknown): boolean {
  return error instanceof DatabaseError && transientStates.has(error.state);
}

/** Whatever the driver rejects a statement with, as AlcorError (nothing to do with the data) or DatabaseError. */
export function asDatabaseError(error: unknown): AlcorError | DatabaseError {
  if (error instanceof pg.DatabaseError) return asStateError(error);
  // What is not from the server is from the way there: refused, reset, timed out, terminated.
  return refusal('ServiceUnavailable', { reason: 'the database does not answer' }, { cause: error });
}

function asStateError(error: pg.DatabaseError): AlcorError | DatabaseError {
  const cause = slim(error);
  const code = error.code ?? '';
  if (code === '53100') return refusal('ServiceUnavailable', { reason: 'the disk is full' }, { cause });
  if (unavailable.test(code)) {
    return refusal('ServiceUnavailable', { reason: 'the database does not answer' }, { cause });
  }
  if (unfit.test(code)) return refusal('InvalidInput', { reason: error.message }, { cause });
  return new DatabaseError(error);
}

/** What is worth a place in the log. */
function slim({ message, code, detail }: pg.DatabaseError): Error {
  return Object.assign(new Error(message), { code, detail });
}

/** Out of `Key (a, b)=(1, 2) …`, in whatever language: `1` and `2`. No key of ours holds a comma or a parenthesis. */
function keyOf(detail: string): readonly string[] {
  return /\)=\(([^()]*)\)/.exec(detail)?.[1]?.split(', ') ?? [];
}
