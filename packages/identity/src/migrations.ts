import type { Database } from './database.ts';
import { firstSchema } from './schema/0001-first.ts';

interface Migration {
  readonly version: number;
  /** Statements, separated by semicolons. */
  readonly sql: string;
}

/** In order; what has been released is never changed, only added to. */
const migrations: readonly Migration[] = [{ version: 1, sql: firstSchema }];

/** Any constant; that of no other program in the same database, and not that of the store. */
export const lockKey = 7_310_577_443;

/** Brings the schema `identity` to its present form; several processes may do so at once. All or nothing. */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(${lockKey})`);
    await tx.query('create schema if not exists identity');
    await tx.query(`create table if not exists identity.migrations (
      version integer primary key, applied_at timestamptz not null default now())`);
    const applied = await tx.query<{ version: number }>('select version from identity.migrations');
    const done = new Set(applied.map(({ version }) => version));
    for (const { version, sql } of migrations) {
      if (done.has(version)) continue;
      for (const statement of sql.split(';')) await tx.query(statement);
      await tx.query('insert into identity.migrations (version) values ($1)', [version]);
    }
  });
}
