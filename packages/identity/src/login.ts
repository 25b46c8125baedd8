import { type Json, isRecord, optionalText, requiredRecord } from './json-shape.ts';
import { badRequest, unauthorized } from './problem.ts';
import { type UserReference, readPassword } from './users.ts';

type NamedOrId = { readonly id: string } | { readonly name: string };

/** A project or a domain as a login names it. The name of a project says nothing without its domain. */
export type Place = NamedOrId & { readonly domain?: NamedOrId };

/** The scope that a login asks for; `default`: it says nothing. */
export type WantedScope =
  | { readonly kind: 'default' }
  | { readonly kind: 'unscoped' }
  | { readonly kind: 'system' }
  | { readonly kind: 'domain' | 'project'; readonly place: Place };

/** What the client shows to prove who it is. */
export type Proof =
  | { readonly method: 'password'; readonly user: UserReference; readonly password: string }
  | { readonly method: 'token'; readonly token: string };

export interface Login {
  readonly proof: Proof;
  readonly scope: WantedScope;
}

/** Reads the body of `POST /v3/auth/tokens`. */
export function readLogin(body: unknown): Login {
  const auth = requiredRecord(body, 'auth');
  return { proof: readProof(requiredRecord(auth, 'identity')), scope: readScope(auth['scope']) };
}

function readProof(identity: Json): Proof {
  const { methods } = identity;
  if (!Array.isArray(methods)) throw badRequest("Invalid input for 'methods': it must be a list.");
  // Of several, every one would have to be proven. There are two, and each stands for itself.
  if (methods.length !== 1) throw unauthorized();
  if (methods[0] === 'password') return readPasswordProof(requiredRecord(identity, 'password'));
  if (methods[0] === 'token') {
    const token = optionalText(requiredRecord(identity, 'token'), 'id');
    if (token === undefined) throw badRequest("Invalid input: 'id' is a required property.");
    return { method: 'token', token };
  }
  throw unauthorized();
}

function readPasswordProof(given: Json): Proof {
  const user = requiredRecord(given, 'user');
  const password = readPassword(user['password']);
  const id = optionalText(user, 'id');
  if (id !== undefined) return { method: 'password', user: { id }, password };
  const name = optionalText(user, 'name');
  if (name === undefined) throw badRequest("Invalid input for 'user': give its id, or its name and domain.");
  return { method: 'password', user: { name, domain: readNamed(requiredRecord(user, 'domain'), 'domain') }, password };
}

function readScope(scope: unknown): WantedScope {
  if (scope === undefined || scope === null) return { kind: 'default' };
  if (scope === 'unscoped') return { kind: 'unscoped' };
  if (!isRecord(scope)) throw badRequest("Invalid input for 'scope': it must be an object.");
  const kinds = ['project', 'domain', 'system', 'unscoped'].filter((kind) => scope[kind] !== undefined);
  if (kinds.length !== 1) throw badRequest("Invalid input for 'scope': name one of project, domain and system.");
  const [kind = ''] = kinds;
  if (kind === 'unscoped') return { kind };
  const inner = requiredRecord(scope, kind);
  if (kind === 'system') return readSystem(inner);
  if (kind === 'domain') return { kind, place: readNamed(inner, kind) };
  return { kind: 'project', place: readProject(inner) };
}

function readSystem({ all }: Json): WantedScope {
  if (all !== true) throw badRequest("Invalid input for 'system': 'all' must be true.");
  return { kind: 'system' };
}

function readProject(given: Json): Place {
  const named = readNamed(given, 'project');
  if ('id' in named) return named;
  return { ...named, domain: readNamed(requiredRecord(given, 'domain'), 'domain') };
}

function readNamed(given: Json, what: string): NamedOrId {
  const id = optionalText(given, 'id');
  if (id !== undefined) return { id };
  const name = optionalText(given, 'name');
  if (name !== undefined) return { name };
  throw badRequest(`Invalid input for '${what}': give its id or its name.`);
}
