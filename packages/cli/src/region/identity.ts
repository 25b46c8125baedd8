import { timingSafeEqual } from 'node:crypto';
import { hostname } from 'node:os';
import {
  type Caller,
  type Identity,
  buildIdentityApi,
  builtinIdentity,
  keystoneIdentity,
  openIdentityStore,
  serviceAccountFrom,
} from '@alcor/identity';
import type { Runtime } from '@alcor/runtime';
import type { ConnectionOptions } from '@alcor/store';
import type { Logger } from 'pino';
import { isWildcard, type RegionOptions } from './options.ts';

/** Who may speak to the region. */
export interface RegionIdentity {
  /** Undefined: everyone is the administrator. */
  readonly identity: Identity | undefined;
  /** The token by which this process speaks to its own API; undefined where none is asked for. */
  readonly ownToken: string | undefined;
  /** Where one logs in; undefined where nobody does. */
  readonly url: string | undefined;
  /** The administrator's password, where it was made up now. */
  readonly generatedPassword: string | undefined;
  close(): Promise<void>;
}

interface Parts {
  readonly connection: ConnectionOptions;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

/** What `--identity` asks for, with its service listening if it is the built-in one. */
export async function startIdentity(options: RegionOptions, parts: Parts): Promise<RegionIdentity> {
  switch (options.identity) {
    case 'none':
      return {
        identity: undefined,
        ownToken: undefined,
        url: undefined,
        generatedPassword: undefined,
        close: async () => {},
      };
    case 'keystone':
      return asked(options.keystoneUrl, parts);
    case 'builtin':
      return builtIn(options, parts);
    default:
      return options.identity satisfies never;
  }
}

function asked(url: string, { runtime: { clock, random } }: Parts): RegionIdentity {
  const account = serviceAccountFrom(process.env);
  // Keystone is the operator's, outside of what is simulated.
  // oxlint-disable-next-line no-restricted-globals
  const keystone = keystoneIdentity({ url, account, clock, fetch });
  const ownToken = newToken(random);
  return { identity: alsoOwn(keystone, ownToken), ownToken, url, generatedPassword: undefined, close: async () => {} };
}

async function builtIn(options: RegionOptions, { connection, runtime, logger }: Parts): Promise<RegionIdentity> {
  const { listen, port, identityPort } = options;
  const urls = { network: urlOf(listen, port), identity: `${urlOf(listen, identityPort)}/v3` };
  const adminPassword = process.env['ALCOR_ADMIN_PASSWORD'];
  const store = await openIdentityStore({ connection, ...runtime, urls, adminPassword });
  const api = buildIdentityApi({ store, logger: logger.child({ room: 'identity' }, { level: 'warn' }) });
  const close = async (): Promise<void> => {
    await api.close();
    await store.close();
  };
  try {
    await api.listen({ host: listen, port: identityPort });
  } catch (error) {
    await close();
    throw error;
  }
  const ownToken = newToken(runtime.random);
  const identity = alsoOwn(builtinIdentity({ store, url: urls.identity }), ownToken);
  return { identity, ownToken, url: urls.identity, generatedPassword: store.generatedPassword, close };
}

/** Where others find what listens there. */
export function urlOf(listen: string, port: number): string {
  const host = isWildcard(listen) ? hostname() : listen;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Who this process is to its own API. */
const operator: Caller = {
  userId: 'alcor',
  userName: 'alcor',
  projectId: 'alcor',
  projectName: 'alcor',
  domainId: 'default',
  roles: ['admin'],
  isAdmin: true,
};

function newToken(random: Runtime['random']): string {
  return Buffer.from(random.bytes(32)).toString('base64url');
}

/** The identity, and besides its tokens the one that this process speaks to its own API with. It never leaves the process. */
function alsoOwn(identity: Identity, ownToken: string): Identity {
  const own = Buffer.from(ownToken);
  const isOwn = (token: string): boolean => {
    const given = Buffer.from(token);
    return given.length === own.length && timingSafeEqual(given, own);
  };
  return {
    challenge: identity.challenge,
    authenticate: (token, headers) =>
      isOwn(token) ? Promise.resolve(operator) : identity.authenticate(token, headers),
  };
}
