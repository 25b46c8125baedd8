/** Who we are to Keystone: a user that may validate others' tokens (role `service` or `admin`). */
export interface ServiceAccount {
  readonly user: string;
  readonly password: string;
  readonly project: string;
  /** Names. Default: `Default`. */
  readonly userDomain?: string | undefined;
  readonly projectDomain?: string | undefined;
}

const variables = {
  user: 'ALCOR_KEYSTONE_USER',
  password: 'ALCOR_KEYSTONE_PASSWORD',
  project: 'ALCOR_KEYSTONE_PROJECT',
  userDomain: 'ALCOR_KEYSTONE_USER_DOMAIN',
  projectDomain: 'ALCOR_KEYSTONE_PROJECT_DOMAIN',
} as const;

/** Reads the account from the environment; throws an error that names what is missing. */
export function serviceAccountFrom(environment: Readonly<Record<string, string | undefined>>): ServiceAccount {
  const required = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === '') throw new Error(`${name} is not set: it is needed to talk to Keystone`);
    return value;
  };
  return {
    user: environment[variables.user] ?? 'neutron',
    password: required(variables.password),
    project: environment[variables.project] ?? 'service',
    userDomain: environment[variables.userDomain],
    projectDomain: environment[variables.projectDomain],
  };
}
