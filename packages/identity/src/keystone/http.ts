import { refusal } from '@alcor/network';
import type { Clock } from '@alcor/runtime';

/** What of `fetch` is used; the global one fits. */
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchResponse>;

export interface FetchRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Tokens go where they were meant to go, or nowhere. */
  readonly redirect: 'error';
}

export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

export interface HttpOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** Undefined where the body is not JSON. */
  readonly body: unknown;
}

export type HttpCall = Omit<FetchRequest, 'signal' | 'redirect'> & { readonly url: string };

/** Of a request: Keystone's middleware of other services tries as often. */
const attempts = 3;
/** Before the second attempt; twice as long before the third. */
const pauseMs = 250;

/**
 * One request to Keystone, which has to be one that may be made twice: again where no answer comes within the time limit, or
 * one that speaks of the server (5xx). Rejects with 503 where the last attempt has no answer either.
 */
export async function call(options: HttpOptions, request: HttpCall): Promise<HttpAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await once(options, request);
      if (answer.status < 500 || attempt === attempts) return answer;
    } catch (cause) {
      if (attempt === attempts) throw keystoneAway('Keystone does not answer', cause);
    }
    await options.clock.sleep(pauseMs * attempt);
  }
}

async function once({ fetch, clock, timeoutMs }: HttpOptions, { url, ...request }: HttpCall): Promise<HttpAnswer> {
  const aborting = new AbortController();
  const timer = clock.timer(timeoutMs, () => aborting.abort(new Error(`no answer within ${timeoutMs} ms`)));
  try {
    const response = await fetch(url, { ...request, signal: aborting.signal, redirect: 'error' });
    const text = await response.text();
    return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, body: parse(text) };
  } finally {
    timer.cancel();
  }
}

/** 503: it is not the caller's fault, and the caller may come back. */
export function keystoneAway(reason: string, cause?: unknown): ReturnType<typeof refusal> {
  return refusal('ServiceUnavailable', { reason }, { cause });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
