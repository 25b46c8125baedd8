import type { Answer, Client, Row } from './client.ts';

type Body = Readonly<Record<string, unknown>>;

/** Calls for routers and floating IPs, and what they stand on. */
export interface Routed {
  /** Makes one resource at `/v2.0/PLURAL` and expects success. */
  make(singular: string, attributes: Body): Promise<Row>;
  add(routerId: string, body: Body): Promise<Answer>;
  remove(routerId: string, body: Body): Promise<Answer>;
  show(singular: string, id: string): Promise<Row>;
  update(singular: string, id: string, attributes: Body): Promise<Answer>;
  /** A network with a subnet. */
  net(cidr: string, network?: Body, subnet?: Body): Promise<{ readonly network: Row; readonly subnet: Row }>;
}

export function routedOf(client: Client): Routed {
  const make: Routed['make'] = async (singular, attributes) =>
    rowOf(await client.call('POST', `/v2.0/${singular}s`, { [singular]: attributes }), singular);
  return {
    make,
    add: (id, body) => client.call('PUT', `/v2.0/routers/${id}/add_router_interface`, body),
    remove: (id, body) => client.call('PUT', `/v2.0/routers/${id}/remove_router_interface`, body),
    show: async (singular, id) => rowOf(await client.call('GET', `/v2.0/${singular}s/${id}`), singular),
    update: (singular, id, attributes) => client.call('PUT', `/v2.0/${singular}s/${id}`, { [singular]: attributes }),
    net: async (cidr, network = {}, subnet = {}) => {
      const made = await make('network', network);
      const ipVersion = cidr.includes(':') ? 6 : 4;
      return {
        network: made,
        subnet: await make('subnet', { network_id: made.id, ip_version: ipVersion, cidr, ...subnet }),
      };
    },
  };
}

function rowOf({ status, body }: Answer, singular: string): Row {
  if (status >= 300) throw new Error(`${singular}: ${status} ${JSON.stringify(body)}`);
  return (body as unknown as Record<string, Row>)[singular] as Row;
}

/** The status and Neutron's name for the refusal. */
export function refusedAs({ status, body }: Answer): readonly [number, string | undefined] {
  return [status, body?.NeutronError?.type];
}
