import type { Clock, Random } from '@alcor/runtime';
import type { Database, Queryable } from './database.ts';
import { effectiveRoles } from './effective-roles.ts';
import { createCache } from './lru.ts';
import { type Named, type Scope, idIn } from './scope.ts';
import { newAuditId, newToken, tokenHash } from './token-text.ts';

export interface Owned extends Named {
  readonly domain: Named;
}

/** What a good token says now: it is read from the tables, not from the token. */
export interface TokenState {
  readonly user: Owned;
  readonly passwordVersion: number;
  readonly scope: Scope;
  readonly project: Owned | undefined;
  readonly domain: Named | undefined;
  readonly roles: readonly Named[];
  readonly methods: readonly string[];
  /** Its own, and that of the first of the chain where it was made of another token. */
  readonly auditIds: readonly string[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** What a new token is to say. */
export interface NewToken {
  readonly userId: string;
  /** Of the password (or token) that was shown: if it has changed since, the token is void from the start. */
  readonly passwordVersion: number;
  readonly scope: Scope;
  readonly methods: readonly string[];
  /** The last of the audit ids of the token that it was made of. */
  readonly chain?: string | undefined;
  readonly expiresAt?: Date | undefined;
}

export interface Tokens {
  /** The token's text: the only time that it is seen. */
  issue(token: NewToken): Promise<string>;
  /** What it says now; undefined where it is not good: unknown, expired, revoked, or its user, project or roles are gone. */
  read(token: string): Promise<TokenState | undefined>;
  /** Voids it at once. */
  revoke(token: string): Promise<void>;
  /** Forgets what was read: something changed. */
  changed(): void;
}

export interface TokensOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly lifetimeMs: number;
  readonly cacheMs: number;
  readonly cacheSize: number;
}

/** Opaque tokens: random text for the holder, its hash in a table. */
export function createTokens(options: TokensOptions): Tokens {
  const { database, clock, random } = options;
  const cache = createCache<TokenState>(clock, options.cacheSize);
  let epoch = 0;
  const changed = (): void => {
    epoch += 1;
    cache.clear();
  };

  return {
    changed,
    async issue(token) {
      const text = newToken(random);
      const now = new Date(clock.wall());
      const expiresAt = token.expiresAt ?? new Date(clock.wall() + options.lifetimeMs);
      const auditIds = [newAuditId(random), ...(token.chain === undefined ? [] : [token.chain])];
      await database.query(insertToken, [
        tokenHash(text) ?? '',
        token.userId,
        token.passwordVersion,
        token.scope.kind,
        idIn(token.scope, 'project'),
        idIn(token.scope, 'domain'),
        token.methods.join(' '),
        auditIds.join(' '),
        now.toISOString(),
        expiresAt.toISOString(),
      ]);
      return text;
    },
    async read(token) {
      const hash = tokenHash(token);
      if (hash === undefined) return undefined;
      const known = cache.get(hash);
      if (known !== undefined && known.expiresAt.getTime() > clock.wall()) return known;
      const before = epoch;
      const state = await readState(database, hash, clock.wall());
      // Something changed while we read: what we read may be of before.
      if (state !== undefined && before === epoch) cache.set(hash, state, options.cacheMs);
      return state;
    },
    async revoke(token) {
      const hash = tokenHash(token);
      if (hash === undefined) return;
      try {
        await database.query('delete from identity.tokens where hash = $1', [hash]);
      } finally {
        changed();
      }
    },
  };
}

/** Deletes tokens that nobody can use any more. */
export async function trimTokens(db: Queryable, now: number): Promise<void> {
  await db.query('delete from identity.tokens where expires_at < $1', [new Date(now).toISOString()]);
}

const insertToken = `insert into identity.tokens
  (hash, user_id, password_version, scope, project_id, domain_id, methods, audit_ids, issued_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

interface TokenRow {
  readonly scope: Scope['kind'];
  readonly user: Owned;
  readonly passwordVersion: number;
  readonly project: Owned | null;
  readonly domain: Named | null;
  readonly methods: string;
  readonly auditIds: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

const named = (alias: string): string => `jsonb_build_object('id', ${alias}.id, 'name', ${alias}.name)`;
const owned = (alias: string, domain: string): string =>
  `jsonb_build_object('id', ${alias}.id, 'name', ${alias}.name, 'domain', ${named(domain)})`;

/** Every condition under which a token is good, but for roles. */
const selectToken = `select t.scope, t.methods, t.audit_ids as "auditIds", t.issued_at as "issuedAt", t.expires_at as "expiresAt",
    t.password_version as "passwordVersion", ${owned('u', 'ud')} as user,
    case when p.id is not null then ${owned('p', 'pd')} end as project,
    case when d.id is not null then ${named('d')} end as domain
  from identity.tokens t
  join identity.users u on u.id = t.user_id join identity.domains ud on ud.id = u.domain_id
  left join identity.projects p on p.id = t.project_id left join identity.domains pd on pd.id = p.domain_id
  left join identity.domains d on d.id = t.domain_id
  where t.hash = $1 and t.expires_at > $2 and t.password_version = u.password_version and u.enabled and ud.enabled
    and (t.project_id is null or (p.enabled and pd.enabled)) and (t.domain_id is null or d.enabled)`;

async function readState(db: Queryable, hash: string, now: number): Promise<TokenState | undefined> {
  const [row] = await db.query<TokenRow>(selectToken, [hash, new Date(now).toISOString()]);
  if (row === undefined) return undefined;
  const scope = scopeOf(row);
  const roles = await effectiveRoles(db, row.user.id, scope);
  if (scope.kind !== 'unscoped' && roles.length === 0) return undefined;
  return {
    user: row.user,
    passwordVersion: row.passwordVersion,
    scope,
    project: row.project ?? undefined,
    domain: row.domain ?? undefined,
    roles,
    methods: row.methods.split(' '),
    auditIds: row.auditIds.split(' '),
    issuedAt: row.issuedAt,
    expiresAt: row.expiresAt,
  };
}

function scopeOf({ scope, project, domain }: TokenRow): Scope {
  if (scope === 'project' && project !== null) return { kind: 'project', id: project.id };
  if (scope === 'domain' && domain !== null) return { kind: 'domain', id: domain.id };
  return { kind: scope === 'system' ? 'system' : 'unscoped' };
}
