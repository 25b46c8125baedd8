import type { Queryable } from './database.ts';
import { longestPassword } from './passwords.ts';
import { badRequest } from './problem.ts';

/** What logging in needs to know of a user. */
export interface UserSecret {
  readonly id: string;
  readonly enabled: boolean;
  readonly domainEnabled: boolean;
  readonly defaultProjectId: string | null;
  readonly passwordHash: string | null;
  readonly passwordVersion: number;
}

/** A user as a login names it: by id, or by name within a domain. */
export type UserReference =
  | { readonly id: string }
  | { readonly name: string; readonly domain: { readonly id: string } | { readonly name: string } };

/** Undefined where there is none. */
export async function findSecret(db: Queryable, reference: UserReference): Promise<UserSecret | undefined> {
  const [where, values] = conditionOf(reference);
  const [row] = await db.query<UserSecret>(
    `select u.id, u.enabled, d.enabled as "domainEnabled", u.default_project_id as "defaultProjectId",
       u.password_hash as "passwordHash", u.password_version as "passwordVersion"
     from identity.users u join identity.domains d on d.id = u.domain_id where ${where}`,
    values,
  );
  return row;
}

/** Sets the password; all tokens that were had by the old one are void. */
export async function setPassword(db: Queryable, userId: string, hash: string): Promise<void> {
  await db.query(
    'update identity.users set password_hash = $2, password_version = password_version + 1 where id = $1',
    [userId, hash],
  );
  await db.query('delete from identity.tokens where user_id = $1', [userId]);
}

/** The password in a request. Its text never gets into a message. */
export function readPassword(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw badRequest("Invalid input for 'password': it must be a string.");
  if (value.length > longestPassword) throw badRequest("Invalid input for 'password': it is too long.");
  return value;
}

function conditionOf(reference: UserReference): [string, string[]] {
  if ('id' in reference) return ['u.id = $1', [reference.id]];
  const { name, domain } = reference;
  return 'id' in domain
    ? ['u.name = $1 and d.id = $2', [name, domain.id]]
    : ['u.name = $1 and d.name = $2', [name, domain.name]];
}
