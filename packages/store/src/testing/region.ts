import { rm } from 'node:fs/promises';
import { realRuntime } from '@alcor/runtime';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../embedded-postgres.ts';
import type { EmbeddedPostgres } from '../embedded-postgres.ts';
import { openStore } from '../store.ts';
import type { Store, StoreOptions } from '../store.ts';
import { copyTemplate, settings } from './template.ts';

export const { clock, random } = realRuntime();

/** A PostgreSQL server for one test file, with as many databases as the tests want. */
export interface TestServer {
  readonly server: EmbeddedPostgres;
  /** A store on a database of its own, closed with the server. */
  openFresh(options?: Partial<StoreOptions>): Promise<TestStore>;
  close(): Promise<void>;
}

export interface TestStore extends Store {
  readonly connection: EmbeddedPostgres['connection'];
  /** Another store on the same database, as another process would have. */
  another(options?: Partial<StoreOptions>): Promise<Store>;
  /** Looks behind the store's back. */
  readonly sql: postgres.Sql;
}

export async function startTestServer(): Promise<TestServer> {
  const stateDir = await copyTemplate();
  const server = await startEmbeddedPostgres({ stateDir, clock, random, settings });
  const closers: (() => Promise<void>)[] = [];
  let databases = 0;
  const create = async (words: string): Promise<void> => {
    const admin = postgres({ ...server.connection, max: 1 });
    await admin.unsafe(`create database ${words}`);
    await admin.end();
  };
  return {
    server,
    async openFresh(options = {}) {
      const database = `test_${++databases}`;
      // The range of VNIs is made by the first limits that a database is opened with.
      await create(options.limits === undefined ? `${database} template migrated` : database);
      const connection = { ...server.connection, database };
      const open = async (more: Partial<StoreOptions>): Promise<Store> => {
        const store = await openStore({ connection, clock, random, maxConnections: 8, ...options, ...more });
        closers.push(() => store.close());
        return store;
      };
      const sql = postgres({ ...connection, max: 2, onnotice: () => {} });
      closers.push(() => sql.end());
      return { ...(await open({})), connection, another: (more = {}) => open(more), sql };
    },
    async close() {
      await Promise.all(closers.map((close) => close()));
      await server.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** Waits until `holds`, for what happens in other processes. */
export async function eventually(holds: () => boolean | Promise<boolean>, within = 60_000): Promise<void> {
  const deadline = clock.now() + within;
  while (!(await holds())) {
    if (clock.now() > deadline) throw new Error('it did not come to pass');
    await clock.sleep(20);
  }
}
