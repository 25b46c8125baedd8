import { type AlcorError, refusal } from '@alcor/network';
import type { Clock } from '@alcor/runtime';
import { challengeOf } from '../builtin-identity.ts';
import type { Caller, Identity } from '../identity.ts';
import { createCache } from '../lru.ts';
import { tokenHash } from '../token-text.ts';
import { type Fetch, type HttpOptions, call, keystoneAway } from './http.ts';
import type { ServiceAccount } from './service-account.ts';
import { type ServiceToken, createServiceToken } from './service-token.ts';
import { readValidated } from './token-answer.ts';

export interface KeystoneIdentityOptions {
  /** Of Keystone, with or without `/v3`. */
  readonly url: string;
  readonly account: ServiceAccount;
  readonly clock: Clock;
  readonly fetch: Fetch;
  /** How long an answer is believed, and so how long a revoked token may still be taken. Default: 60 s; at most 5 min. */
  readonly cacheMs?: number | undefined;
  /** How long a refusal is believed. Default: 5 s. */
  readonly refusedMs?: number | undefined;
  /** Tokens remembered, good and bad ones each. Default: 10,000. */
  readonly cacheSize?: number | undefined;
  /** For one request to Keystone, of which up to three are made where none is answered. Default: 10 s. */
  readonly timeoutMs?: number | undefined;
}

const longestCacheMs = 300_000;
/** What may stand in a header. Anything else is no token, and is not sent on. */
const tokenShape = /^[\u0021-\u007e]{1,8192}$/;

/** Asks a Keystone about every token, and remembers its answers for a while. */
export function keystoneIdentity(options: KeystoneIdentityOptions): Identity {
  const { clock } = options;
  const url = v3Of(options.url);
  const http: HttpOptions = { fetch: options.fetch, clock, timeoutMs: options.timeoutMs ?? 10_000 };
  const service = createServiceToken(url, options.account, http);
  const cacheMs = Math.min(options.cacheMs ?? 60_000, longestCacheMs);
  const size = options.cacheSize ?? 10_000;
  const good = createCache<{ readonly caller: Caller; readonly expiresAt: number }>(clock, size);
  const bad = createCache<true>(clock, size);
  const pending = new Map<string, Promise<Caller>>();

  const validate = async (token: string, key: string): Promise<Caller> => {
    const validated = await ask(url, service, http, token);
    const left = validated === undefined ? 0 : validated.expiresAt - clock.wall();
    if (validated === undefined || left <= 0) {
      bad.set(key, true, options.refusedMs ?? 5_000);
      throw notAuthenticated();
    }
    good.set(key, validated, Math.min(cacheMs, left));
    return validated.caller;
  };

  return {
    challenge: challengeOf(url),
    async authenticate(token) {
      const key = tokenShape.test(token) ? tokenHash(token) : undefined;
      if (key === undefined) throw notAuthenticated();
      const known = good.get(key);
      // The clocks of the cache and of the token may go apart: the token's end is its end.
      if (known !== undefined && known.expiresAt > clock.wall()) return known.caller;
      if (bad.get(key) !== undefined) throw notAuthenticated();
      const asked = pending.get(key);
      if (asked !== undefined) return asked;
      const asking = validate(token, key).finally(() => pending.delete(key));
      pending.set(key, asking);
      return asking;
    },
  };
}

/** Undefined where Keystone does not know the token. Rejects with 503 where it cannot be asked. */
async function ask(
  url: string,
  service: ServiceToken,
  http: HttpOptions,
  token: string,
): Promise<ReturnType<typeof readValidated>> {
  for (let attempt = 1; ; attempt++) {
    const own = await service.get();
    const { status, body } = await call(http, {
      url: `${url}/auth/tokens?nocatalog`,
      method: 'GET',
      headers: { 'x-auth-token': own, 'x-subject-token': token, accept: 'application/json' },
    });
    if (status === 200) {
      const validated = readValidated(body);
      if (validated === undefined) throw keystoneAway('Keystone gave an answer that cannot be read');
      return validated;
    }
    if (status === 404) return undefined;
    // Our own token: revoked, or the keys have been rotated away. A fresh one, once.
    if (status === 401) service.drop(own);
    if (status !== 401 || attempt === 2) {
      throw keystoneAway(`Keystone does not say whether the token is good (it answered ${status})`);
    }
  }
}

function notAuthenticated(): AlcorError {
  return refusal('Unauthorized', { reason: 'Authentication required' });
}

function v3Of(url: string): string {
  const base = url.replace(/\/+$/, '');
  return base.endsWith('/v3') ? base : `${base}/v3`;
}
