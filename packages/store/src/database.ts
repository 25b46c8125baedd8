import { refusal } from '@alcor/network';
import type { Clock, Random } from '@alcor/runtime';
import pg from 'pg';
import { asDatabaseError, isTransient } from './database-error.ts';

/** What a statement's `$1`, `$2` … stand for. Lists travel as array literals, rows as JSON text (`sql.ts`). */
export type Parameter = string | number | boolean | null;

export interface Queryable {
  /** Runs one statement. Rejects with AlcorError where the database does not answer, else with DatabaseError. */
  query<Row>(text: string, parameters?: readonly Parameter[], plan?: Plan): Promise<readonly Row[]>;
}

/** `kept`: the statement is prepared once. `fresh`: planned for its parameters each time, where they decide which plan is good. */
export type Plan = 'kept' | 'fresh';

/** A place in PostgreSQL and the connections to it. */
export interface Database extends Queryable {
  /** Runs `work` in a transaction, again from the start where the database asks for it (deadlock, serialisation). */
  transaction<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result>;
  /** Runs one statement, again where the database asks for it. */
  write<Row>(text: string, parameters: readonly Parameter[]): Promise<readonly Row[]>;
  /** Opens a read-only transaction that sees one instant until it is released. */
  freeze(): Promise<FrozenView>;
  close(): Promise<void>;
}

export interface FrozenView extends Queryable {
  release(): Promise<void>;
}

export interface DatabaseOptions {
  /** `postgres://…`, or as `embedded-postgres.ts` gives it. */
  readonly connection: ConnectionOptions;
  readonly clock: Clock;
  readonly random: Random;
  /** Connections kept to the server. Default: 16. */
  readonly maxConnections?: number | undefined;
}

/** Where the server is and who we are: a URL, or the parts (a host that begins with `/` is the directory of a socket). */
export type ConnectionOptions =
  | string
  | {
      readonly host: string;
      readonly port: number;
      readonly database: string;
      readonly username: string;
      readonly password: string;
    };

/** How often a transaction is begun again before the caller is told to come back later. */
const maxAttempts = 8;
const milliseconds = 1000;

/** Connections are made when needed, and others when they break: no connection is made here. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = connect(options);
  const run = on(pool);

  const again = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isTransient(error)) throw error;
        if (attempt === maxAttempts) {
          throw refusal('ServiceUnavailable', { reason: 'too many concurrent changes' }, { cause: error });
        }
        await options.clock.sleep(options.random.next() * 5 * 2 ** attempt);
      }
    }
  };

  return {
    ...run,
    write: (text, parameters) => again(() => run.query(text, parameters)),
    transaction: (work) => again(() => inTransaction(pool, work)),
    async freeze() {
      const client = await take(pool);
      const view = on(client);
      await view.query('begin isolation level repeatable read read only').catch((error: unknown) => {
        client.release(true);
        throw error;
      });
      return { ...view, release: () => end(client, 'rollback') };
    },
    close: () => (pool.ending ? Promise.resolve() : pool.end()),
  };
}

async function inTransaction<Result>(pool: pg.Pool, work: (tx: Queryable) => Promise<Result>): Promise<Result> {
  const client = await take(pool);
  try {
    await on(client).query('begin');
    const result = await work(on(client));
    await on(client).query('commit');
    client.release();
    return result;
  } catch (error) {
    await end(client, 'rollback');
    throw error;
  }
}

/** Ends what a connection was doing and gives it back; one that does not answer is thrown away. */
async function end(client: pg.PoolClient, statement: 'rollback'): Promise<void> {
  const answered = await on(client)
    .query(statement)
    .then(
      () => true,
      () => false,
    );
  client.release(!answered);
}

async function take(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw asDatabaseError(error);
  }
}

/** What a pool and a connection have in common. */
type Runner = Pick<pg.Pool | pg.PoolClient, 'query'>;

/** Statements by the name they are prepared under. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `s${names.size}`;
  names.set(text, name);
  return name;
}

function on(runner: Runner): Queryable {
  return {
    async query<Row>(text: string, parameters: readonly Parameter[] = [], plan: Plan = 'kept') {
      const values = [...parameters];
      const prepared = plan === 'kept' && values.length > 0 ? { name: nameOf(text) } : {};
      try {
        return (await runner.query({ text, values, ...prepared })).rows as Row[];
      } catch (error) {
        throw asDatabaseError(error);
      }
    },
  };
}

function connect({ connection, maxConnections }: DatabaseOptions): pg.Pool {
  const where = typeof connection === 'string' ? { connectionString: connection } : toConfig(connection);
  const pool = new pg.Pool({
    ...where,
    max: maxConnections ?? 16,
    // Also how long one waits for a connection while others have them all.
    connectionTimeoutMillis: 10 * milliseconds,
    application_name: 'alcor',
    // A stuck database answers 503 in the end, and a stuck client lets go of its locks.
    statement_timeout: 60 * milliseconds,
    idle_in_transaction_session_timeout: 60 * milliseconds,
  });
  // A connection that breaks while nobody uses it: the pool has dropped it already.
  pool.on('error', () => {});
  // One that breaks between two statements of a transaction: the next statement is refused.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** In the driver's words. */
export function toConfig({ username, ...rest }: Exclude<ConnectionOptions, string>): pg.ClientConfig {
  return { user: username, ...rest };
}
