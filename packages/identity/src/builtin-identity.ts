import { AlcorError, refusal } from '@alcor/network';
import { DatabaseError } from './database.ts';
import { type Caller, type Identity, isAdmin } from './identity.ts';
import type { IdentityStore } from './store.ts';
import type { TokenState } from './tokens.ts';

export interface BuiltinIdentityOptions {
  readonly store: Pick<IdentityStore, 'tokens'>;
  /** Where one logs in, for the challenge. */
  readonly url: string;
}

/** Takes the tokens of the identity service that runs in the same process. */
export function builtinIdentity({ store, url }: BuiltinIdentityOptions): Identity {
  return {
    challenge: challengeOf(url),
    async authenticate(token) {
      const state = await store.tokens.read(token).catch((error: unknown) => {
        throw error instanceof DatabaseError ? unavailable(error) : AlcorError.from(error);
      });
      if (state === undefined) throw refusal('Unauthorized', { reason: 'Authentication required' });
      return callerOf(state);
    },
  };
}

/** What a 401 tells a client: where to log in. */
export function challengeOf(url: string): string {
  return `Keystone uri="${url.replaceAll(/["\\\r\n]/g, '')}"`;
}

function callerOf({ user, project, domain, roles }: TokenState): Caller {
  const names = [...new Set(roles.map(({ name }) => name.toLowerCase()))];
  return {
    userId: user.id,
    userName: user.name,
    projectId: project?.id ?? '',
    projectName: project?.name ?? '',
    domainId: (project?.domain ?? domain ?? user.domain).id,
    roles: names,
    isAdmin: isAdmin(names),
  };
}

function unavailable(cause: DatabaseError): AlcorError {
  return refusal('ServiceUnavailable', { reason: 'the identity service does not answer' }, { cause });
}
