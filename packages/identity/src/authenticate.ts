import type { Queryable } from './database.ts';
import { effectiveRoles } from './effective-roles.ts';
import type { Login, Place, Proof, WantedScope } from './login.ts';
import { unauthorized } from './problem.ts';
import type { Scope } from './scope.ts';
import type { IdentityStore } from './store.ts';
import type { NewToken } from './tokens.ts';
import { findSecret } from './users.ts';

/** Who has proven to be whom, before it is known for what. */
type Proven = Omit<NewToken, 'scope'> & { readonly defaultProjectId: string | null };

/** Checks a login and issues its token. Rejects with 401, whatever was wrong. */
export async function logIn(store: IdentityStore, { proof, scope }: Login): Promise<string> {
  const { defaultProjectId, ...proven } = await prove(store, proof);
  const found = await findScope(store.db, scope, proven.userId, defaultProjectId);
  return store.tokens.issue({ ...proven, scope: found });
}

async function prove(store: IdentityStore, proof: Proof): Promise<Proven> {
  if (proof.method === 'token') return proveByToken(store, proof.token);
  const secret = await findSecret(store.db, proof.user);
  const matches = await store.passwords.verify(proof.password, secret?.passwordHash ?? null);
  if (secret === undefined || !matches || !secret.enabled || !secret.domainEnabled) throw unauthorized();
  const { id, passwordVersion, defaultProjectId } = secret;
  return { userId: id, passwordVersion, methods: ['password'], defaultProjectId };
}

/** The new token ends when the old one would have: nobody stays in for ever by asking again. */
async function proveByToken(store: IdentityStore, token: string): Promise<Proven> {
  const state = await store.tokens.read(token);
  if (state === undefined) throw unauthorized();
  return {
    userId: state.user.id,
    passwordVersion: state.passwordVersion,
    methods: [...new Set([...state.methods, 'token'])],
    chain: state.auditIds.at(-1),
    expiresAt: state.expiresAt,
    defaultProjectId: null,
  };
}

async function findScope(
  db: Queryable,
  wanted: WantedScope,
  userId: string,
  defaultProjectId: string | null,
): Promise<Scope> {
  if (wanted.kind === 'unscoped') return { kind: 'unscoped' };
  if (wanted.kind === 'default') {
    if (defaultProjectId === null) return { kind: 'unscoped' };
    // A default that does not work (any more) is no reason to keep the user out.
    const scope = await findPlace(db, { kind: 'project', place: { id: defaultProjectId } });
    return scope !== undefined && (await hasRoles(db, userId, scope)) ? scope : { kind: 'unscoped' };
  }
  const scope = await findPlace(db, wanted);
  if (scope === undefined || !(await hasRoles(db, userId, scope))) throw unauthorized();
  return scope;
}

async function hasRoles(db: Queryable, userId: string, scope: Scope): Promise<boolean> {
  return (await effectiveRoles(db, userId, scope)).length > 0;
}

/** Undefined where it does not exist or is disabled. */
async function findPlace(db: Queryable, wanted: WantedPlace): Promise<Scope | undefined> {
  if (wanted.kind === 'system') return { kind: 'system' };
  const [where, values] = conditionOf(wanted.place);
  const from =
    wanted.kind === 'project'
      ? 'identity.projects x join identity.domains d on d.id = x.domain_id and d.enabled'
      : 'identity.domains x';
  const [row] = await db.query<{ readonly id: string }>(
    `select x.id from ${from} where x.enabled and ${where}`,
    values,
  );
  return row === undefined ? undefined : { kind: wanted.kind, id: row.id };
}

type WantedPlace = Exclude<WantedScope, { readonly kind: 'default' | 'unscoped' }>;

function conditionOf(place: Place): [string, string[]] {
  if ('id' in place) return ['x.id = $1', [place.id]];
  const { name, domain } = place;
  if (domain === undefined) return ['x.name = $1', [name]];
  return 'id' in domain
    ? ['x.name = $1 and d.id = $2', [name, domain.id]]
    : ['x.name = $1 and d.name = $2', [name, domain.name]];
}
