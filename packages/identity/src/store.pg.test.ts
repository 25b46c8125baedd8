import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logIn } from './authenticate.ts';
import { builtinIdentity } from './builtin-identity.ts';
import { fetchAll } from './collection.ts';
import { endpoint, role, user } from './definitions.ts';
import type { IdentityStore } from './store.ts';
import { type TestIdentity, adminPassword, startTestIdentity, urls } from './testing/service.ts';

let identity: TestIdentity;
beforeAll(async () => {
  identity = await startTestIdentity();
});
afterAll(() => identity.close());

const adminLogin = (store: IdentityStore, password: string): Promise<string> =>
  logIn(store, {
    proof: { method: 'password', user: { name: 'admin', domain: { id: 'default' } }, password },
    scope: { kind: 'project', place: { name: 'admin', domain: { name: 'Default' } } },
  });
const isAdmin = async (store: IdentityStore, token: string): Promise<boolean> =>
  (await builtinIdentity({ store, url: '' }).authenticate(token)).isAdmin;

describe('the first start', () => {
  it('makes up a password once, and never says it again', async () => {
    const first = await identity.open({ adminPassword: undefined });
    const { generatedPassword = '' } = first;
    expect(generatedPassword).toMatch(/^[\w-]{24}$/);
    const token = await adminLogin(first, generatedPassword);
    const second = await first.another();
    expect(second.generatedPassword).toBeUndefined();
    expect(await isAdmin(second, token)).toBe(true);
  });

  it('makes everything once, however many processes start at the same time', async () => {
    const store = await identity.open({ adminPassword: undefined });
    await Promise.all(Array.from({ length: 4 }, () => store.another({ adminPassword })));
    expect((await fetchAll(store.db, user, [])).map(({ name }) => name)).toEqual(['admin']);
    expect((await fetchAll(store.db, role, [])).map(({ name }) => name)).toEqual([
      'admin',
      'member',
      'reader',
      'service',
    ]);
    expect(await fetchAll(store.db, endpoint, [])).toHaveLength(6);
  });
});

describe('a later start', () => {
  it('with the same password leaves tokens alone; with another one voids them and lets back in', async () => {
    const store = await identity.open();
    const token = await adminLogin(store, adminPassword);
    expect(await isAdmin(await store.another(), token)).toBe(true);
    await store.write((tx) => tx.query('update identity.users set enabled = false'));
    await store.write((tx) => tx.query('delete from identity.assignments'));
    const renewed = await store.another({ adminPassword: 'another' });
    await expect(isAdmin(renewed, token)).rejects.toMatchObject({ status: 401 });
    await expect(adminLogin(renewed, adminPassword)).rejects.toMatchObject({ status: 401 });
    expect(await isAdmin(renewed, await adminLogin(renewed, 'another'))).toBe(true);
  });

  it('points the catalogue at where the services are now', async () => {
    const store = await identity.open();
    await store.another({ urls: { ...urls, network: 'http://elsewhere:9696' } });
    const found = await fetchAll(store.db, endpoint, [{ column: 'url', match: 'contains', value: 'elsewhere' }]);
    expect(found).toHaveLength(3);
    expect(await fetchAll(store.db, endpoint, [])).toHaveLength(6);
  });

  it('refuses an empty password rather than believe that there is one', async () => {
    await expect(identity.open({ adminPassword: '' })).rejects.toThrow('empty');
  });
});

it('answers 503 when the database is gone', async () => {
  const store = await identity.open();
  const token = await adminLogin(store, adminPassword);
  await store.close();
  await expect(isAdmin(store, token)).rejects.toMatchObject({ status: 503 });
});
