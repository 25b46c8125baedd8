import { type Caller, isAdmin } from '../identity.ts';
import { type Json, isRecord } from '../json-shape.ts';

/** What Keystone says of a good token. */
export interface Validated {
  readonly caller: Caller;
  /** By the wall clock, in ms. */
  readonly expiresAt: number;
}

/** Reads the answer to a validation; undefined where it is not one. */
export function readValidated(body: unknown): Validated | undefined {
  const token = memberOf(body, 'token');
  const user = memberOf(token, 'user');
  if (token === undefined || user === undefined) return undefined;
  const expiresAt = Date.parse(textOf(token, 'expires_at'));
  const userId = textOf(user, 'id');
  if (userId === '' || Number.isNaN(expiresAt)) return undefined;
  const project = memberOf(token, 'project');
  const domain = memberOf(project, 'domain') ?? memberOf(token, 'domain') ?? memberOf(user, 'domain');
  const roles = rolesOf(token['roles']);
  const caller: Caller = {
    userId,
    userName: textOf(user, 'name'),
    projectId: textOf(project, 'id'),
    projectName: textOf(project, 'name'),
    domainId: textOf(domain, 'id'),
    roles,
    isAdmin: isAdmin(roles),
  };
  return { caller, expiresAt };
}

function rolesOf(value: unknown): readonly string[] {
  const roles: readonly unknown[] = Array.isArray(value) ? value : [];
  const names = roles.map((role) => (isRecord(role) ? textOf(role, 'name').toLowerCase() : ''));
  return [...new Set(names.filter((name) => name !== ''))];
}

function memberOf(parent: unknown, name: string): Json | undefined {
  const value = isRecord(parent) ? parent[name] : undefined;
  return isRecord(value) ? value : undefined;
}

function textOf(parent: Json | undefined, name: string): string {
  const value = parent?.[name];
  return typeof value === 'string' ? value : '';
}
