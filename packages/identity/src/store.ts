import type { Clock, Random } from '@alcor/runtime';
import type { ConnectionOptions } from '@alcor/store';
import { type ServiceUrls, adminSecret, bootstrap } from './bootstrap.ts';
import { type Database, type Queryable, openDatabase } from './database.ts';
import { lockKey, migrate } from './migrations.ts';
import { type PasswordLimits, type Passwords, createPasswords, longestPassword } from './passwords.ts';
import { newId } from './token-text.ts';
import { type Tokens, createTokens, trimTokens } from './tokens.ts';

export interface IdentityStoreOptions {
  readonly connection: ConnectionOptions;
  readonly clock: Clock;
  /** Makes tokens and ids: must be unpredictable. */
  readonly random: Random;
  /** What the catalogue says; it is corrected at every start. */
  readonly urls: ServiceUrls;
  /** Default: `RegionOne`. */
  readonly region?: string | undefined;
  /** The administrator has it from this start on. Without one, the first start makes one up (`generatedPassword`) and later ones leave it alone. */
  readonly adminPassword?: string | undefined;
  /** How long a token is good. Default: an hour. */
  readonly tokenLifetimeMs?: number | undefined;
  /** How long other processes may go on believing a token that this one revoked. In this process it is void at once. Default: 2 s. */
  readonly cacheMs?: number | undefined;
  /** Connections kept to the server. Default: 4. */
  readonly maxConnections?: number | undefined;
  readonly passwordLimits?: PasswordLimits | undefined;
}

/** Users, projects, roles and tokens in PostgreSQL. */
export interface IdentityStore {
  /** The administrator's password where this start made it up: to be shown once. It is kept nowhere. */
  readonly generatedPassword: string | undefined;
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  /** For reading only. */
  readonly db: Queryable;
  /** Changes something, all or nothing; what tokens say is read anew from then on. */
  write<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result>;
  newId(): string;
  close(): Promise<void>;
}

const minute = 60_000;
const hour = 60 * minute;
const tokensKeptInMemory = 10_000;

/** Connects, brings the schema up to date, and makes what a region begins with. Any number of processes may do so. */
export async function openIdentityStore(options: IdentityStoreOptions): Promise<IdentityStore> {
  const database = openDatabase(options.connection, options.maxConnections ?? 4);
  const passwords = createPasswords(options.passwordLimits);
  try {
    await migrate(database);
    const generatedPassword = await begin(database, passwords, options);
    return openedStore(options, { database, passwords, generatedPassword });
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Opened {
  readonly database: Database;
  readonly passwords: Passwords;
  readonly generatedPassword: string | undefined;
}

function openedStore(options: IdentityStoreOptions, { database, passwords, generatedPassword }: Opened): IdentityStore {
  const { clock, random } = options;
  const tokens = createTokens({
    database,
    clock,
    random,
    lifetimeMs: options.tokenLifetimeMs ?? hour,
    cacheMs: options.cacheMs ?? 2_000,
    cacheSize: tokensKeptInMemory,
  });
  const closing = new AbortController();
  void trimRepeatedly(database, clock, closing.signal);
  return {
    generatedPassword,
    tokens,
    passwords,
    db: database,
    async write(work) {
      try {
        return await database.transaction(work);
      } finally {
        // Also after a failure: whether a commit went through is not known when the connection breaks.
        tokens.changed();
      }
    },
    newId: () => newId(random),
    close() {
      closing.abort();
      return database.close();
    },
  };
}

/** Returns the password that it made up, if it did. */
async function begin(
  database: Database,
  passwords: Passwords,
  options: IdentityStoreOptions,
): Promise<string | undefined> {
  const given = options.adminPassword;
  if (given === '' || (given !== undefined && given.length > longestPassword)) {
    throw new Error('the password of the administrator is empty or too long');
  }
  const password = given ?? Buffer.from(options.random.bytes(18)).toString('base64url');
  const hash = await passwords.hash(password);
  return database.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(${lockKey})`);
    const present = await adminSecret(tx);
    // Setting the same password again would void the administrator's tokens at every start.
    const isSame = given !== undefined && present !== undefined && (await passwords.verify(given, present));
    const isNew = present === undefined || (given !== undefined && !isSame);
    await bootstrap(tx, {
      region: options.region ?? 'RegionOne',
      urls: options.urls,
      admin: present === undefined || given !== undefined ? 'restored' : 'kept',
      adminHash: isNew ? hash : undefined,
      newId: () => newId(options.random),
    });
    return present === undefined && given === undefined ? password : undefined;
  });
}

async function trimRepeatedly(database: Database, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(minute, signal).catch(() => {});
    // Not trimmed now is trimmed the next time.
    if (!signal.aborted) await trimTokens(database, clock.wall()).catch(() => {});
  }
}
