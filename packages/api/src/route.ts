import type { Caller } from '@alcor/identity';
import type { Kind } from './kinds.ts';
import type { Who } from './policy.ts';

type Members = Readonly<Record<string, Kind<unknown>>>;
type ValueOf<K> = K extends Kind<infer T> ? T : never;
type Wanted<M extends Members> = { readonly [N in keyof M]: ValueOf<M[N]> };
type Possible<M extends Members> = { readonly [N in keyof M]?: ValueOf<M[N]> };

/** What a route is given; all of it is checked. */
export interface RouteRequest<Query, Body> {
  readonly caller: Caller;
  /** The last part of the path, where it is an id; else empty. */
  readonly id: string;
  readonly query: Query;
  readonly body: Body;
  /** Aborts when the client is gone or the server stops. */
  readonly signal: AbortSignal;
}

/** A JSON value, or one line of JSON after another for as long as there are some, pulled only as fast as the client reads; null: nothing. */
export type RouteAnswer = { readonly json: object } | { readonly lines: AsyncIterable<readonly object[]> } | null;

/** Something under the API's roof that is no resource of the store. The API gives it its caller, policy, checks and documentation. */
export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** `/alcor/v1/topics/:id` */
  readonly path: string;
  readonly about: string;
  /** The heading in the document that it stands under. */
  readonly tag: string;
  /** The rule of policy that it is under, and who may do it where no file says otherwise. */
  readonly rule: string;
  readonly who: Who;
  readonly query: Members;
  /** The key that the body's attributes stand under; null: the body is they. */
  readonly root: string | null;
  readonly required: Members;
  readonly optional: Members;
  readonly status: 200 | 202 | 204;
  /** What the answer is, as a JSON schema: of the value, or of each line. */
  readonly answers: { readonly each: 'answer' | 'line'; readonly schema: Readonly<Record<string, unknown>> };
  readonly run: (request: RouteRequest<never, never>) => Promise<RouteAnswer>;
}

interface RouteParts<Q extends Members, R extends Members, O extends Members> {
  readonly method: Route['method'];
  readonly path: string;
  readonly about: string;
  readonly tag: string;
  readonly rule: string;
  /** Default: the administrator. */
  readonly who?: Who;
  readonly query?: Q;
  readonly root?: string;
  readonly required?: R;
  readonly optional?: O;
  /** Default: 200. */
  readonly status?: Route['status'];
  readonly answers?: Route['answers'];
  readonly run: (request: RouteRequest<Possible<Q>, Wanted<R> & Possible<O>>) => Promise<RouteAnswer>;
}

/** States a route; `run` is checked against the kinds of what it takes. */
export function route<
  const Q extends Members = Members,
  const R extends Members = Members,
  const O extends Members = Members,
>(parts: RouteParts<Q, R, O>): Route {
  return {
    who: 'admin',
    query: {},
    root: null,
    required: {},
    optional: {},
    status: 200,
    answers: { each: 'answer', schema: { type: 'object' } },
    ...parts,
  } as Route;
}
