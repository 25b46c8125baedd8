import { realRuntime } from '@alcor/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { passwordLogin } from '../testing/client.ts';
import { type RealKeystone, startRealKeystone, whyNoKeystone } from '../testing/real-keystone.ts';
import { type KeystoneIdentityOptions, keystoneIdentity } from './keystone-identity.ts';

const reason = whyNoKeystone();
if (reason !== undefined) console.warn(reason);

const { clock } = realRuntime();

describe.skipIf(reason !== undefined)('with a real Keystone', () => {
  let keystone: RealKeystone;
  beforeAll(async () => {
    keystone = await startRealKeystone();
  });
  afterAll(() => keystone.close());

  const identity = (options: Partial<KeystoneIdentityOptions> = {}) => {
    const account = { user: 'admin', password: keystone.adminPassword, project: 'admin' };
    return keystoneIdentity({
      url: keystone.url,
      account,
      clock,
      fetch: globalThis.fetch,
      timeoutMs: 120_000,
      ...options,
    });
  };
  const newToken = async (): Promise<string> => {
    const response = await fetch(`${keystone.url}/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(passwordLogin('admin', keystone.adminPassword, 'admin')),
    });
    return response.headers.get('x-subject-token') ?? '';
  };
  const revoke = async (token: string): Promise<number> => {
    const headers = { 'x-auth-token': token, 'x-subject-token': token };
    return (await fetch(`${keystone.url}/auth/tokens`, { method: 'DELETE', headers })).status;
  };

  it('takes its tokens and refuses others', async () => {
    const caller = await identity().authenticate(await newToken());
    expect(caller).toMatchObject({ userName: 'admin', projectName: 'admin', domainId: 'default', isAdmin: true });
    expect([...caller.roles].sort()).toEqual(['admin', 'member', 'reader']);
    for (const token of ['', 'x', 'gAAAAA', 'a b', 'é', 'x'.repeat(9000)]) {
      await expect(identity().authenticate(token), token.slice(0, 9)).rejects.toMatchObject({ status: 401 });
    }
  });

  it('honours a revocation once what it remembers is too old', async () => {
    const remembering = identity({ cacheMs: 1_500 });
    const token = await newToken();
    await remembering.authenticate(token);
    expect(await revoke(token)).toBe(204);
    await expect(identity().authenticate(token)).rejects.toMatchObject({ status: 401 });
    await clock.sleep(1_600);
    await expect(remembering.authenticate(token)).rejects.toMatchObject({ status: 401 });
  });

  it('logs in again when its own token is no longer good', async () => {
    const tokens: string[] = [];
    const watching: typeof fetch = async (url, request) => {
      const response = await fetch(url, request);
      if (request?.method === 'POST') tokens.push(response.headers.get('x-subject-token') ?? '');
      return response;
    };
    const patient = identity({ fetch: watching as KeystoneIdentityOptions['fetch'], cacheMs: 0 });
    const token = await newToken();
    await patient.authenticate(token);
    expect(await revoke(tokens[0] ?? '')).toBe(204);
    await expect(patient.authenticate(token)).resolves.toMatchObject({ userName: 'admin' });
    expect(tokens).toHaveLength(2);
  });

  it('answers 503 while Keystone is away, and recovers', async () => {
    const waiting = identity({ cacheMs: 0 });
    const token = await newToken();
    await waiting.authenticate(token);
    await keystone.stop();
    await expect(waiting.authenticate(token)).rejects.toMatchObject({ status: 503 });
    await expect(identity().authenticate(token)).rejects.toMatchObject({ status: 503 });
    await keystone.start();
    await expect(waiting.authenticate(token)).resolves.toMatchObject({ userName: 'admin' });
    const wrong = identity({ account: { user: 'admin', password: 'wrong', project: 'admin' } });
    await expect(wrong.authenticate(token)).rejects.toMatchObject({ status: 503 });
  });
});
