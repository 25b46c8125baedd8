import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logIn } from './authenticate.ts';
import { builtinIdentity } from './builtin-identity.ts';
import { type TestIdentity, adminPassword, startTestIdentity } from './testing/service.ts';

let identity: TestIdentity;
beforeAll(async () => {
  identity = await startTestIdentity();
});
afterAll(() => identity.close());

const asAdmin = (password = adminPassword) =>
  ({
    proof: { method: 'password', user: { name: 'admin', domain: { id: 'default' } }, password },
    scope: { kind: 'project', place: { name: 'admin', domain: { id: 'default' } } },
  }) as const;

describe('the built-in identity', () => {
  it('bootstraps an administrator who can log in and is one', async () => {
    const store = await identity.open();
    const token = await logIn(store, asAdmin());
    const caller = await builtinIdentity({ store, url: 'http://x/v3' }).authenticate(token);
    expect(caller).toMatchObject({ userName: 'admin', projectName: 'admin', domainId: 'default', isAdmin: true });
    expect(caller.roles).toEqual(['admin', 'member', 'reader']);
  });
});
