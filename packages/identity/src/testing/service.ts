import { realRuntime } from '@alcor/runtime';
import { type IdentityStore, type IdentityStoreOptions, openIdentityStore } from '../store.ts';
import { type TestServer, startTestServer } from '../../../store/src/testing/region.ts';

export const { clock, random } = realRuntime();
export const adminPassword = 'correct horse battery';
export const urls = { identity: 'http://127.0.0.1:5000/v3', network: 'http://127.0.0.1:9696' };

/** Identity stores on databases of their own, closed with the server. */
export interface TestIdentity {
  readonly server: TestServer;
  /** On a fresh database. */
  open(options?: Partial<IdentityStoreOptions>): Promise<TestIdentityStore>;
  close(): Promise<void>;
}

export interface TestIdentityStore extends IdentityStore {
  readonly connection: IdentityStoreOptions['connection'];
  /** Another one on the same database, as another process or the next start would have. */
  another(options?: Partial<IdentityStoreOptions>): Promise<IdentityStore>;
}

export async function startTestIdentity(): Promise<TestIdentity> {
  const server = await startTestServer();
  const stores: IdentityStore[] = [];
  return {
    server,
    async open(options = {}) {
      const { connection } = await server.openFresh();
      const another = async (more: Partial<IdentityStoreOptions> = {}): Promise<IdentityStore> => {
        const store = await openIdentityStore({ connection, clock, random, urls, adminPassword, ...options, ...more });
        stores.push(store);
        return store;
      };
      return { ...(await another()), connection, another };
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      await server.close();
    },
  };
}
