import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { buildIdentityApi } from '../http/app.ts';
import type { IdentityStore } from '../store.ts';
import { adminPassword } from './service.ts';

export interface Answer {
  readonly status: number;
  // Tests read answers without ceremony; a wrong guess fails the test.
  readonly body: Body;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** As deep as tests look. */
export interface Body {
  readonly [name: string]: Body & string & readonly Body[];
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The service without a socket, and a way to call it. */
export interface Client {
  readonly app: FastifyInstance;
  call(method: Method, url: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** With the token of the administrator. */
  admin(method: Method, url: string, body?: unknown): Promise<Answer>;
  /** Makes one resource as the administrator and gives its id. */
  make(singular: string, attributes: object): Promise<string>;
}

export async function clientOf(store: IdentityStore, logger?: FastifyBaseLogger): Promise<Client> {
  const app = buildIdentityApi({ store, logger });
  const call: Client['call'] = async (method, url, body, headers = {}) => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const typed = payload === undefined ? {} : { payload, headers: { 'content-type': 'application/json', ...headers } };
    const response = await app.inject({ method, url, headers, ...typed });
    const text = response.payload;
    return {
      status: response.statusCode,
      body: (text === '' ? {} : JSON.parse(text)) as Body,
      headers: response.headers,
    };
  };
  const token = tokenIn(await call('POST', '/v3/auth/tokens', passwordLogin('admin', adminPassword, 'admin')));
  const admin: Client['admin'] = (method, url, body) => call(method, url, body, { 'x-auth-token': token });
  return {
    app,
    call,
    admin,
    async make(singular, attributes) {
      const { status, body } = await admin('POST', `/v3/${singular}s`, { [singular]: attributes });
      if (status !== 201) throw new Error(`${singular} not made: ${JSON.stringify(body)}`);
      return String(body[singular]?.['id']);
    },
  };
}

/** The token in the answer of a login. */
export function tokenIn({ status, headers, body }: Answer): string {
  if (status !== 201) throw new Error(`no token: ${JSON.stringify(body)}`);
  return String(headers['x-subject-token']);
}

/** A login by name in the default domain, for the project of that name, or unscoped without one. */
export function passwordLogin(name: string, password: string, project?: string): object {
  const domain = { id: 'default' };
  const scope = project === undefined ? {} : { scope: { project: { name: project, domain } } };
  return { auth: { identity: { methods: ['password'], password: { user: { name, domain, password } } }, ...scope } };
}
