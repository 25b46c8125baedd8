import { createSchedule, createWorld, seededRandom } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Fetch, FetchRequest, FetchResponse } from './http.ts';
import { type KeystoneIdentityOptions, keystoneIdentity } from './keystone-identity.ts';

/** A Keystone in a few lines, whose every request is counted, on a clock that stands still. */
let asked: { method: string; subject: string; own: string }[];
let answers: (subject: string, own: string) => FetchResponse | Promise<FetchResponse>;
let logins: number;
let wall: number;

const schedule = createSchedule();
const virtual = createWorld(schedule, seededRandom(1), () => {}).start('test').runtime.clock;
const clock = { ...virtual, wall: () => wall, now: () => wall };

const response = (status: number, body: unknown = {}, headers: Record<string, string> = {}): FetchResponse => ({
  status,
  headers: { get: (name) => headers[name] ?? null },
  text: () => Promise.resolve(typeof body === 'string' ? body : JSON.stringify(body)),
});
const tokenUntil = (until: number, roles = ['Admin', 'member']) => ({
  token: {
    expires_at: new Date(until).toISOString(),
    user: { id: 'u', name: 'U', domain: { id: 'd', name: 'D' } },
    project: { id: 'p', name: 'P', domain: { id: 'pd', name: 'PD' } },
    roles: roles.map((name) => ({ id: name, name })),
  },
});
const keystone: Fetch = async (_url: string, { method, headers }: FetchRequest) => {
  if (method === 'POST') {
    logins += 1;
    return response(201, tokenUntil(wall + 3_600_000), { 'x-subject-token': `own-${logins}` });
  }
  const [subject, own] = [headers['x-subject-token'] ?? '', headers['x-auth-token'] ?? ''];
  asked.push({ method, subject, own });
  return answers(subject, own);
};
const hanging: Fetch = (_url, { signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
const identity = (options: Partial<KeystoneIdentityOptions> = {}) => {
  const account = { user: 'neutron', password: 'secret', project: 'service' };
  return keystoneIdentity({ url: 'http://k:5000/', account, clock, fetch: keystone, ...options });
};

beforeEach(() => {
  asked = [];
  logins = 0;
  wall = Date.UTC(2026, 0, 1);
  answers = () => response(200, tokenUntil(wall + 3_600_000));
});

describe('tokens validated by Keystone', () => {
  it('are asked about once by all who come at the same time, and remembered', async () => {
    const one = identity();
    const callers = await Promise.all(Array.from({ length: 50 }, () => one.authenticate('t')));
    expect(asked).toHaveLength(1);
    expect(logins).toBe(1);
    expect(callers[49]).toEqual({
      userId: 'u',
      userName: 'U',
      projectId: 'p',
      projectName: 'P',
      domainId: 'pd',
      roles: ['admin', 'member'],
      isAdmin: true,
    });
    await one.authenticate('t');
    expect(asked).toHaveLength(1);
    wall += 60_000;
    await one.authenticate('t');
    expect(asked).toHaveLength(2);
  });

  it('are not believed beyond their own end, whatever is remembered', async () => {
    const one = identity({ cacheMs: 300_000 });
    answers = () => response(200, tokenUntil(wall + 1_000));
    const end = wall + 1_000;
    await one.authenticate('t');
    wall = end;
    answers = () => response(404);
    await expect(one.authenticate('t')).rejects.toMatchObject({ status: 401 });
    answers = () => response(200, tokenUntil(wall - 1));
    await expect(identity().authenticate('old')).rejects.toMatchObject({ status: 401 });
  });

  it('are not remembered longer than five minutes', async () => {
    const one = identity({ cacheMs: 9_999_999 });
    await one.authenticate('t');
    wall += 300_000;
    await one.authenticate('t');
    expect(asked).toHaveLength(2);
  });

  it('that are bad are refused for a short while without asking', async () => {
    const one = identity();
    answers = () => response(404);
    for (let i = 0; i < 3; i++) await expect(one.authenticate('t')).rejects.toMatchObject({ status: 401 });
    expect(asked).toHaveLength(1);
    wall += 5_000;
    answers = () => response(200, tokenUntil(wall + 3_600_000));
    await expect(one.authenticate('t')).resolves.toMatchObject({ userId: 'u' });
  });

  it('are held in a bounded number', async () => {
    const one = identity({ cacheSize: 2 });
    for (const token of ['a', 'b', 'c', 'a']) await one.authenticate(token);
    expect(asked.map(({ subject }) => subject)).toEqual(['a', 'b', 'c', 'a']);
  });

  it('are never sent on when they could not be one', async () => {
    for (const token of ['', 'a\nb', 'a b', 'ü', 'x'.repeat(8193)]) {
      await expect(identity().authenticate(token)).rejects.toMatchObject({ status: 401 });
    }
    expect(asked).toHaveLength(0);
  });
});

describe('what is not the caller’s fault', () => {
  it('is a 503, is not remembered, and names no token', async () => {
    const troubles: Record<string, typeof answers> = {
      'a server error': () => response(500),
      'a refusal of our user': () => response(403),
      'a service token that is never good': () => response(401),
      'no JSON': () => response(200, '<html>'),
      'no token in it': () => response(200, { token: [] }),
      'no connection': () => Promise.reject(new TypeError('fetch failed')),
    };
    for (const [name, trouble] of Object.entries(troubles)) {
      const one = identity();
      answers = trouble;
      const asking = one.authenticate('t0ken').catch((thrown: unknown) => thrown);
      await schedule.run(751);
      const error = await asking;
      expect(error, name).toMatchObject({ status: 503 });
      expect(`${String(error)}${String((error as Error).cause)}`, name).not.toMatch(/t0ken|secret|own-/);
      answers = () => response(200, tokenUntil(wall + 3_600_000));
      await expect(one.authenticate('t0ken'), name).resolves.toMatchObject({ userId: 'u' });
    }
  });

  it('does not log in again at once after a refused login', async () => {
    const refusing: Fetch = async () => {
      logins += 1;
      return response(401);
    };
    const one = identity({ fetch: refusing });
    for (let i = 0; i < 5; i++) await expect(one.authenticate('t')).rejects.toMatchObject({ status: 503 });
    expect(logins).toBe(1);
    wall += 1_000;
    await expect(one.authenticate('t')).rejects.toMatchObject({ status: 503 });
    expect(logins).toBe(2);
  });

  it('gives up on a Keystone that does not answer', async () => {
    const waiting = identity({ fetch: hanging, timeoutMs: 10_000 }).authenticate('t');
    const outcome = expect(waiting).rejects.toMatchObject({ status: 503 });
    await schedule.run(3 * 10_000 + 750 + 1);
    await outcome;
  });

  it('asks again where a connection broke or the server was in trouble, so that the caller does not have to', async () => {
    const good = answers;
    const troubles = [() => Promise.reject(new TypeError('fetch failed')), () => response(502)];
    answers = (subject, own) => (troubles.shift() ?? good)(subject, own);
    const asking = identity().authenticate('t');
    await schedule.run(751);
    await expect(asking).resolves.toMatchObject({ userId: 'u' });
    expect([asked.length, logins]).toEqual([3, 1]);
  });

  it('renews its own token before its end, and once after a refusal', async () => {
    const one = identity({ cacheMs: 0 });
    await one.authenticate('t');
    wall += 3_600_000 - 59_000;
    await one.authenticate('t');
    expect(logins).toBe(2);
    answers = (_, own) => (own === 'own-2' ? response(401) : response(200, tokenUntil(wall + 3_600_000)));
    await one.authenticate('t');
    expect(asked.map(({ own }) => own)).toEqual(['own-1', 'own-2', 'own-2', 'own-3']);
  });
});
