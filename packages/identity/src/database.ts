import { AlcorError, refusal } from '@alcor/network';
import type { ConnectionOptions } from '@alcor/store';
import pg from 'pg';

export type Parameter = string | number | boolean | null;

/** Runs statements: a connection, a transaction or a pool of connections. */
export interface Queryable {
  /** Rejects with AlcorError where the database does not answer, else with DatabaseError. */
  query<Row>(text: string, parameters?: readonly Parameter[]): Promise<readonly Row[]>;
}

export interface Database extends Queryable {
  /** Runs `work` in a transaction, again from the start after a deadlock. */
  transaction<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** A refusal that says something about the data. Never holds the row: rows hold hashes of passwords. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /** SQLSTATE. */
  readonly state: string;
  /** The constraint that refused, if one did. */
  readonly constraint: string;

  constructor({ message, code, constraint }: pg.DatabaseError) {
    super(message);
    this.state = code ?? '';
    this.constraint = constraint ?? '';
  }
}

/** SQLSTATE classes and states that speak of the server and not of the data. */
const unavailable = /^(?:08|28|3D|25P03|25006|53|57|58)/;
const transient = new Set(['40001', '40P01', '55P03']);
const maxAttempts = 8;
const second = 1000;

/** Connections are made when needed, and others when they break. */
export function openDatabase(connection: ConnectionOptions, maxConnections: number): Database {
  const pool = new pg.Pool({
    ...configOf(connection),
    max: maxConnections,
    connectionTimeoutMillis: 10 * second,
    application_name: 'alcor-identity',
    statement_timeout: 30 * second,
    idle_in_transaction_session_timeout: 30 * second,
  });
  // One that breaks while nobody uses it has left the pool already; one in use refuses its next statement.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    ...on(pool),
    transaction: (work) => again(() => inTransaction(pool, work)),
    close: () => (pool.ending ? Promise.resolve() : pool.end()),
  };
}

async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const mayPass = error instanceof DatabaseError && transient.has(error.state);
      if (!mayPass) throw error;
      if (attempt === maxAttempts) {
        throw refusal('ServiceUnavailable', { reason: 'too many concurrent changes' }, { cause: error });
      }
    }
  }
}

async function inTransaction<Result>(pool: pg.Pool, work: (tx: Queryable) => Promise<Result>): Promise<Result> {
  const client = await pool.connect().catch((error: unknown) => {
    throw translated(error);
  });
  const tx = on(client);
  try {
    await tx.query('begin');
    const result = await work(tx);
    await tx.query('commit');
    client.release();
    return result;
  } catch (error) {
    const answered = await tx.query('rollback').then(
      () => true,
      () => false,
    );
    client.release(!answered);
    throw error;
  }
}

function on(runner: Pick<pg.Pool | pg.PoolClient, 'query'>): Queryable {
  return {
    async query<Row>(text: string, parameters: readonly Parameter[] = []) {
      try {
        return (await runner.query({ text, values: [...parameters] })).rows as Row[];
      } catch (error) {
        throw translated(error);
      }
    },
  };
}

function translated(error: unknown): AlcorError | DatabaseError {
  if (error instanceof pg.DatabaseError && !unavailable.test(error.code ?? '')) return new DatabaseError(error);
  return refusal('ServiceUnavailable', { reason: 'the database does not answer' }, { cause: causeOf(error) });
}

/** What is worth a place in the log, without the statement's parameters. */
function causeOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('unknown');
  const { code } = error as { readonly code?: unknown };
  return Object.assign(new Error(error.message), typeof code === 'string' ? { code } : {});
}

function configOf(connection: ConnectionOptions): pg.PoolConfig {
  if (typeof connection === 'string') return { connectionString: connection };
  const { username, ...rest } = connection;
  return { user: username, ...rest };
}
