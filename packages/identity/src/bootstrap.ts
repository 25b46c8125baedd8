import { type Grant, grant } from './assignments.ts';
import { type Row, fetchAll, insertOne } from './collection.ts';
import type { Queryable } from './database.ts';
import type { Definition, Values } from './definition.ts';
import { domain, endpoint, project, region, role, service, user } from './definitions.ts';
import { findSecret, setPassword } from './users.ts';

/** Where the services are that the catalogue names. */
export interface ServiceUrls {
  /** With its `/v3`. */
  readonly identity: string;
  readonly network: string;
}

export interface Bootstrap {
  readonly region: string;
  readonly urls: ServiceUrls;
  /** `restored`: enabled, and with the roles of one. `kept`: as it is, and made if there is none. */
  readonly admin: 'restored' | 'kept';
  /** Hash of the password to give to the administrator; undefined: leave the one that there is. */
  readonly adminHash: string | undefined;
  readonly newId: () => string;
}

/** The domain that everything is in unless it says otherwise; its id is the same everywhere, as in Keystone. */
export const defaultDomain = 'default';
const adminName = 'admin';
/** A role brings those after it. */
const implications = ['admin', 'member', 'reader'] as const;
/** What everything hangs on: they stay, under their names. */
export const ownRoles: readonly string[] = [...implications, 'service'];

/** Hash of the administrator's password; undefined where there is none yet: then `bootstrap` needs one. */
export async function adminSecret(db: Queryable): Promise<string | undefined> {
  const secret = await findSecret(db, { name: adminName, domain: { id: defaultDomain } });
  return secret?.passwordHash ?? undefined;
}

/**
 * Makes what a region begins with, where it is missing, and points the catalogue at `urls`. It can also make sure that the
 * administrator can log in and is one: the way back in for whoever locked themselves out.
 */
export async function bootstrap(db: Queryable, options: Bootstrap): Promise<void> {
  const { newId } = options;
  await ensure(db, domain, defaultDomain, { name: 'Default', description: 'The default domain' }, ['name']);
  const inDefault = { name: adminName, domain_id: defaultDomain };
  const adminProject = await ensure(db, project, newId(), inDefault, ['name', 'domain_id']);
  const adminUser = await ensure(db, user, newId(), inDefault, ['name', 'domain_id']);
  const ids = new Map<string, string>();
  for (const name of ownRoles) ids.set(name, (await ensure(db, role, newId(), { name }, ['name'])).id);
  for (const [at, prior] of implications.entries()) {
    const implied = implications[at + 1];
    if (implied !== undefined) await imply(db, ids.get(prior) ?? '', ids.get(implied) ?? '');
  }
  if (options.adminHash !== undefined) await setPassword(db, adminUser.id, options.adminHash);
  if (options.admin === 'restored') {
    await db.query('update identity.users set enabled = true where id = $1', [adminUser.id]);
    await makeAdmin(db, adminUser.id, adminProject.id, ids.get('admin') ?? '');
  }
  await fillCatalog(db, options);
}

async function makeAdmin(db: Queryable, userId: string, projectId: string, roleId: string): Promise<void> {
  const actor = { kind: 'user', id: userId } as const;
  const targets: readonly Grant['target'][] = [{ kind: 'project', id: projectId }, { kind: 'system' }];
  for (const target of targets) await grant(db, { actor, target, spread: 'here' }, roleId);
}

async function imply(db: Queryable, prior: string, implied: string): Promise<void> {
  await db.query('insert into identity.implied_roles (prior_id, implied_id) values ($1, $2) on conflict do nothing', [
    prior,
    implied,
  ]);
}

async function fillCatalog(db: Queryable, options: Bootstrap): Promise<void> {
  await ensure(db, region, options.region, {}, []);
  const named = { identity: 'keystone', network: 'neutron' } as const;
  for (const type of ['identity', 'network'] as const) {
    const { id } = await ensure(db, service, options.newId(), { type, name: named[type] }, ['type']);
    for (const offered of ['public', 'internal', 'admin']) {
      const place = { service_id: id, region_id: options.region, interface: offered };
      const url = options.urls[type];
      const made = await ensure(db, endpoint, options.newId(), { ...place, url }, [
        'service_id',
        'region_id',
        'interface',
      ]);
      await db.query('update identity.endpoints set url = $2 where id = $1 and url <> $2', [made.id, url]);
    }
  }
}

/** The one that has the same values in the columns of `by` (or the same id, where there are none); made if there is none. */
async function ensure(
  db: Queryable,
  definition: Definition,
  id: string,
  values: Values,
  by: readonly string[],
): Promise<Row> {
  const conditions = by.map((column) => ({ column, match: 'equals', value: values[column] as string }) as const);
  const wanted = by.length === 0 ? [{ column: 'id', match: 'equals', value: id } as const] : conditions;
  const [found] = await fetchAll(db, definition, wanted);
  return found ?? insertOne(db, definition, id, { values, extra: {} });
}
