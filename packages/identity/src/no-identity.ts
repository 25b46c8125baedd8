import { type Caller, type Identity, type RequestHeaders, isAdmin } from './identity.ts';

export interface NoIdentityOptions {
  /** The project of requests that name none. Default: `admin`. */
  readonly projectId?: string | undefined;
}

/**
 * Believes everyone: the caller is the administrator of the project in `x-project-id`, or has the roles in `x-roles`.
 * For loopback only, which whoever starts the server has to see to.
 */
export function noIdentity(options: NoIdentityOptions = {}): Identity {
  const projectId = options.projectId ?? 'admin';
  return {
    challenge: undefined,
    authenticate: (_token, headers = {}) => Promise.resolve(callerOf(headers, projectId)),
  };
}

function callerOf(headers: RequestHeaders, defaultProject: string): Caller {
  const projectId = headerOf(headers, 'x-project-id') ?? defaultProject;
  const roles = rolesOf(headerOf(headers, 'x-roles') ?? 'admin');
  const userId = headerOf(headers, 'x-user-id') ?? 'admin';
  return {
    userId,
    userName: userId,
    projectId,
    projectName: projectId,
    domainId: 'default',
    roles,
    isAdmin: isAdmin(roles),
  };
}

function rolesOf(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  return [...new Set(names.filter((name) => name !== ''))];
}

/** The header's first value; undefined where it is missing or blank. */
function headerOf(headers: RequestHeaders, name: string): string | undefined {
  const value = headers[name];
  const first = typeof value === 'string' ? value : value?.[0];
  return first === undefined || first.trim() === '' ? undefined : first.trim();
}
