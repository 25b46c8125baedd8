import type { FastifyRequest } from 'fastify';
import { forbidden, unauthorized } from '../problem.ts';
import type { IdentityStore } from '../store.ts';
import type { TokenState } from '../tokens.ts';

export interface Context {
  readonly store: IdentityStore;
}

/** Who sent the request. Rejects with 401. */
export async function callerOf({ store }: Context, request: FastifyRequest): Promise<TokenState> {
  const state = await store.tokens.read(headerOf(request, 'x-auth-token'));
  if (state === undefined) throw unauthorized();
  return state;
}

/** By Keystone's rule: the role `admin`, wherever the token has it. */
export function isAdministrator({ roles }: TokenState): boolean {
  return roles.some(({ name }) => name === 'admin');
}

/** Rejects with 401 or 403. */
export async function administrator(context: Context, request: FastifyRequest, action: string): Promise<TokenState> {
  const caller = await callerOf(context, request);
  if (!isAdministrator(caller)) throw forbidden(action);
  return caller;
}

/** Who may read everything: administrators, and readers of the whole system. */
export async function reader(context: Context, request: FastifyRequest, action: string): Promise<TokenState> {
  const caller = await callerOf(context, request);
  if (!mayReadAll(caller)) throw forbidden(action);
  return caller;
}

export function mayReadAll(caller: TokenState): boolean {
  const readsSystem = caller.scope.kind === 'system' && caller.roles.some(({ name }) => name === 'reader');
  return readsSystem || isAdministrator(caller);
}

/** The user itself, or whoever may read everything. */
export async function selfOrReader(
  context: Context,
  request: FastifyRequest,
  userId: string,
  action: string,
): Promise<TokenState> {
  const caller = await callerOf(context, request);
  if (caller.user.id !== userId && !mayReadAll(caller)) throw forbidden(action);
  return caller;
}

/** The header's value; empty where it is missing. */
export function headerOf(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return (typeof value === 'string' ? value : value?.[0]) ?? '';
}

/** The value in the query; undefined where it is missing. Of several, the first. */
export function queryOf(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, unknown>>)[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}

/** Is the name in the query, with no value or one that says yes? */
export function flagOf(request: FastifyRequest, name: string): boolean {
  const value = queryOf(request, name);
  return value !== undefined && !['0', 'false', 'no', 'off'].includes(value.toLowerCase());
}

export function paramOf(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? '';
}
