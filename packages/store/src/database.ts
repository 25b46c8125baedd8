import { refusal } from '@alcor/network';
import type { Clock, Random } from '@alcor/runtime';
import postgres from 'postgres';
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

/** Connections are made when needed, and again when they break: no connection is made here. */
export function openDatabase(options: DatabaseOptions): Database {
  const sql = connect(options);

  const again = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (thrown) {
        const error = asDatabaseError(thrown);
        if (!isTransient(error)) throw error;
        if (attempt === maxAttempts) {
          throw refusal('ServiceUnavailable', { reason: 'too many concurrent changes' }, { cause: error });
        }
        await options.clock.sleep(options.random.next() * 5 * 2 ** attempt);
      }
    }
  };

  return {
    ...on(sql),
    write: (text, parameters) => again(() => on(sql).query(text, parameters)),
    transaction: (work) => again(() => sql.begin((tx) => work(on(tx))) as ReturnType<typeof work>),
    async freeze() {
      const reserved = await sql.reserve().catch((error: unknown) => {
        throw asDatabaseError(error);
      });
      const view = on(reserved);
      try {
        await view.query('begin isolation level repeatable read read only');
      } catch (error) {
        reserved.release();
        throw error;
      }
      return {
        ...view,
        async release() {
          // A broken connection has no transaction left to end.
          await view.query('rollback').catch(() => {});
          reserved.release();
        },
      };
    },
    close: () => sql.end({ timeout: 5 }),
  };
}

/** What a pool, a transaction and a reserved connection have in common. */
type Runner = Pick<postgres.Sql, 'unsafe'>;

function on(runner: Runner): Queryable {
  return {
    async query<Row>(text: string, parameters: readonly Parameter[] = [], plan: Plan = 'kept') {
      try {
        return (await runner.unsafe(text, [...parameters], { prepare: plan === 'kept' })) as unknown as readonly Row[];
      } catch (error) {
        throw asDatabaseError(error);
      }
    },
  };
}

function connect({ connection, maxConnections }: DatabaseOptions): postgres.Sql {
  const common: postgres.Options<Record<string, never>> = {
    max: maxConnections ?? 16,
    // Seconds.
    connect_timeout: 5,
    backoff: () => 0.1,
    // Types of lists are never needed: lists travel as literals.
    fetch_types: false,
    onnotice: () => {},
    connection: {
      application_name: 'alcor',
      // A stuck database answers 503 in the end, and a stuck client lets go of its locks.
      statement_timeout: 60 * milliseconds,
      idle_in_transaction_session_timeout: 60 * milliseconds,
    },
  };
  return typeof connection === 'string' ? postgres(connection, common) : postgres({ ...connection, ...common });
}
