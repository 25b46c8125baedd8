import type { IntentStore } from '@alcor/network';
import type { FastifyInstance } from 'fastify';
import { type ApiOptions, buildApi } from '../app.ts';
import { pathOf } from '../definition.ts';
import { definitions } from '../definitions/index.ts';

export interface Answer {
  readonly status: number;
  /** The JSON of the answer; undefined where there is none. */
  readonly body: Record<string, never> & Answered;
}

/** The root keys that answers have. Tests read them without ceremony; a wrong guess fails the test. */
interface Answered {
  readonly NeutronError: { readonly type: string; readonly message: string; readonly detail: string };
  readonly network: Row;
  readonly networks: readonly Row[];
  readonly networks_links: readonly { readonly rel: string; readonly href: string }[];
  readonly subnet: Row;
  readonly subnets: readonly Row[];
  readonly port: Row;
  readonly ports: readonly Row[];
  readonly ports_links: readonly { readonly rel: string; readonly href: string }[];
  readonly node: Row;
  readonly nodes: readonly Row[];
  readonly security_group: Row;
  readonly security_groups: readonly Row[];
  readonly security_group_rule: Row;
  readonly security_group_rules: readonly Row[];
  readonly default_security_group_rule: Row;
  readonly default_security_group_rules: readonly Row[];
  readonly address_group: Row;
  readonly address_groups: readonly Row[];
  readonly network_acl: Row;
  readonly network_acls: readonly Row[];
  readonly network_acl_rule: Row;
  readonly network_acl_rules: readonly Row[];
}

export type Row = Readonly<Record<string, unknown>> & { readonly id: string };

/** The API without a socket, and a way to call it. */
export interface Client {
  readonly app: FastifyInstance;
  call(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH',
    url: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  /** Makes one resource and expects success. */
  make(singular: string, attributes: object): Promise<Row>;
}

export function clientOf(store: IntentStore, options: Omit<ApiOptions, 'store'> = {}): Client {
  const app = buildApi({ store, ...options });
  const call: Client['call'] = async (method, url, body, headers = {}) => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const typed = payload === undefined ? {} : { payload, headers: { 'content-type': 'application/json', ...headers } };
    const response = await app.inject({ method, url, headers, ...typed });
    return { status: response.statusCode, body: response.payload === '' ? undefined : JSON.parse(response.payload) };
  };
  return {
    app,
    call,
    make: async (singular, attributes) => {
      const definition = definitions.find((candidate) => candidate.singular === singular);
      if (definition === undefined) throw new Error(`${singular} is no resource`);
      const { status, body } = await call('POST', pathOf(definition), { [singular]: attributes });
      if (status !== 201) throw new Error(`${singular} not made: ${JSON.stringify(body)}`);
      return (body as unknown as Record<string, Row>)[singular] as Row;
    },
  };
}

/** A network with the subnet 10.0.0.0/24. */
export async function netted(client: Client): Promise<{ readonly network: Row; readonly subnet: Row }> {
  const network = await client.make('network', { name: 'net' });
  const subnet = await client.make('subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' });
  return { network, subnet };
}
