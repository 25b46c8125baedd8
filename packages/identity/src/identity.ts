/** Who asks: what the API decides by. */
export interface Caller {
  readonly userId: string;
  readonly userName: string;
  /** Empty where the token has no project: such a caller owns nothing. */
  readonly projectId: string;
  readonly projectName: string;
  /** The domain of the project, of the scope, or of the user: the first that there is. */
  readonly domainId: string;
  /** Names, lower case: `admin`, `member`, `reader`, `service` and whatever else was granted. */
  readonly roles: readonly string[];
  readonly isAdmin: boolean;
}

/** Headers of a request, names in lower case, as Node gives them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Tells who sent a request. */
export interface Identity {
  /**
   * Who holds `token`, the value of `X-Auth-Token` (empty where there is none). Rejects with AlcorError: `Unauthorized` (401)
   * where the token is not good, `ServiceUnavailable` (503) where that cannot be told now. Only `noIdentity` reads `headers`.
   */
  authenticate(token: string, headers?: RequestHeaders): Promise<Caller>;
  /** The `WWW-Authenticate` header that goes with a 401; undefined where there is nowhere to log in. */
  readonly challenge: string | undefined;
}

/** The administrator by Neutron's rule: the role of that name. */
export function isAdmin(roles: readonly string[]): boolean {
  return roles.includes('admin');
}
