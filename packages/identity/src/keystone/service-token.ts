import { isRecord } from '../json-shape.ts';
import { type HttpOptions, call, keystoneAway } from './http.ts';
import type { ServiceAccount } from './service-account.ts';

/** Our own token, with which others' are asked about. */
export interface ServiceToken {
  /** Rejects with 503 where none is to be had. */
  get(): Promise<string>;
  /** Keystone does not take this one (any more). */
  drop(token: string): void;
}

interface Held {
  readonly token: string;
  /** By the wall clock, in ms. */
  readonly until: number;
}

/** Renewed this long before it ends. */
const marginMs = 60_000;
/** After a refused login, so that an account is not locked by a storm of requests. */
const pauseMs = 1_000;

/** Logs in when needed: once, whoever asks meanwhile. */
export function createServiceToken(url: string, account: ServiceAccount, http: HttpOptions): ServiceToken {
  const { clock } = http;
  let held: Held | undefined;
  let pending: Promise<Held> | undefined;
  let failed: { readonly error: unknown; readonly until: number } | undefined;

  const renew = async (): Promise<Held> => {
    try {
      held = await logIn(url, account, http);
      failed = undefined;
      return held;
    } catch (error) {
      failed = { error, until: clock.now() + pauseMs };
      throw error;
    } finally {
      pending = undefined;
    }
  };

  return {
    async get() {
      if (held !== undefined && held.until > clock.wall()) return held.token;
      if (pending === undefined && failed !== undefined && failed.until > clock.now()) throw failed.error;
      pending ??= renew();
      return (await pending).token;
    },
    drop(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

async function logIn(url: string, account: ServiceAccount, http: HttpOptions): Promise<Held> {
  const { status, header, body } = await call(http, {
    url: `${url}/auth/tokens?nocatalog`,
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(loginOf(account)),
  });
  const token = header('x-subject-token');
  if (status !== 201 || token === undefined) {
    throw keystoneAway(`Keystone does not let Alcor's service user in (it answered ${status})`);
  }
  const given = isRecord(body) && isRecord(body['token']) ? body['token']['expires_at'] : undefined;
  const expires = typeof given === 'string' ? Date.parse(given) : Number.NaN;
  // One that says nothing of its end is renewed when it is refused.
  return { token, until: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires - marginMs };
}

function loginOf({ user, password, project, userDomain, projectDomain }: ServiceAccount): object {
  return {
    auth: {
      identity: { methods: ['password'], password: { user: { name: user, password, ...inDomain(userDomain) } } },
      scope: { project: { name: project, ...inDomain(projectDomain) } },
    },
  };
}

function inDomain(name: string | undefined): object {
  return { domain: { name: name ?? 'Default' } };
}
