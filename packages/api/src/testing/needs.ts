import { type AnyDefinition, pathOf } from '../definition.ts';
import { type Client, netted, type Row } from './client.ts';

/** Makes one resource at a path and expects success. */
export async function makeAt(client: Client, path: string, singular: string, attributes: object): Promise<Row> {
  const { status, body } = await client.call('POST', path, { [singular]: attributes });
  if (status !== 201) throw new Error(`${singular} not made: ${JSON.stringify(body)}`);
  return (body as Readonly<Record<string, Row>>)[singular] as Row;
}

let made = 0;

async function portOf(client: Client): Promise<Row> {
  const { network } = await netted(client);
  return client.make('port', { network_id: network.id });
}

/** An external network with addresses. */
async function outsideOf(client: Client): Promise<Row> {
  const network = await client.make('network', { 'router:external': true });
  await client.make('subnet', { network_id: network.id, ip_version: 4, cidr: '203.0.113.0/24' });
  return network;
}

/** A port whose router leads to the external network of the newest floating IP. */
async function forwardingOf(client: Client): Promise<object> {
  const { body } = await client.call('GET', '/v2.0/floatingips?sort_key=created_at&sort_dir=desc&limit=1');
  const [floatingIp] = body['floatingips'] as unknown as readonly Row[];
  const router = await makeAt(client, '/v2.0/routers', 'router', {
    external_gateway_info: { network_id: floatingIp?.['floating_network_id'] },
  });
  const { network, subnet } = await netted(client);
  await client.call('PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  const port = await client.make('port', { network_id: network.id });
  return { internal_port_id: port.id, internal_port: 80, external_port: 80, protocol: 'tcp' };
}

/** A port behind a router that may proxy for it: both sides are of one IPv6 address scope. */
async function proxiedOf(client: Client): Promise<object> {
  const scope = await makeAt(client, '/v2.0/address-scopes', 'address_scope', { ip_version: 6 });
  const pool = await makeAt(client, '/v2.0/subnetpools', 'subnetpool', {
    prefixes: ['2001:db8::/48'],
    default_prefixlen: 64,
    address_scope_id: scope.id,
  });
  const nets = [{ 'router:external': true }, {}].map(async (attributes) => {
    const network = await client.make('network', attributes);
    const subnet = await client.make('subnet', { network_id: network.id, ip_version: 6, subnetpool_id: pool.id });
    return { network, subnet };
  });
  const [outside, inside] = await Promise.all(nets);
  const router = await makeAt(client, '/v2.0/routers', 'router', {
    external_gateway_info: { network_id: outside?.network.id },
    enable_ndp_proxy: true,
  });
  await client.call('PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: inside?.subnet.id });
  const port = await client.make('port', { network_id: inside?.network.id });
  return { router_id: router.id, port_id: port.id };
}

/** What a create request cannot do without, by the path of the resource; made anew, so that it can be used once. */
const needs: Readonly<Record<string, (client: Client) => Promise<object>>> = {
  '/v2.0/subnets': async (client) => ({
    network_id: (await client.make('network', {})).id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  }),
  '/v2.0/ports': async (client) => ({
    network_id: (await client.make('network', {})).id,
    device_owner: 'compute:nova',
  }),
  '/v2.0/ports/:parentId/bindings': async () => ({ host: `host-${++made}` }),
  '/v2.0/subnetpools': async () => ({ prefixes: ['10.0.0.0/8'] }),
  '/v2.0/address-scopes': async () => ({ ip_version: 4 }),
  '/v2.0/rbac-policies': async (client) => ({
    object_type: 'network',
    object_id: (await client.make('network', {})).id,
    target_tenant: 'p',
    action: 'access_as_shared',
  }),
  '/alcor/v1/nodes': async () => ({
    id: `node-${++made}`,
    ip: `192.0.2.${made}`,
    agent_address: 'h:1',
  }),
  '/v2.0/qos/policies/:parentId/bandwidth_limit_rules': async () => ({ max_kbps: 1 }),
  '/v2.0/qos/policies/:parentId/packet_rate_limit_rules': async () => ({ max_kpps: 1 }),
  '/v2.0/qos/policies/:parentId/dscp_marking_rules': async () => ({ dscp_mark: 8 }),
  '/v2.0/qos/policies/:parentId/minimum_bandwidth_rules': async () => ({ min_kbps: 1 }),
  '/v2.0/qos/policies/:parentId/minimum_packet_rate_rules': async () => ({ min_kpps: 1, direction: 'any' }),
  '/v2.0/floatingips': async (client) => ({ floating_network_id: (await outsideOf(client)).id }),
  '/v2.0/floatingips/:parentId/port_forwardings': forwardingOf,
  '/v2.0/routers/:parentId/conntrack_helpers': async () => ({ protocol: 'udp', port: 69, helper: 'tftp' }),
  '/v2.0/ndp_proxies': proxiedOf,
  '/v2.0/local_ips': async (client) => ({ network_id: (await netted(client)).network.id }),
  '/v2.0/local_ips/:parentId/port_associations': async (client) => ({ fixed_port_id: (await portOf(client)).id }),
  '/v2.0/trunks': async (client) => ({ port_id: (await portOf(client)).id }),
  '/v2.0/metering/metering-label-rules': async (client) => ({
    metering_label_id: (await makeAt(client, '/v2.0/metering/metering-labels', 'metering_label', {})).id,
    direction: 'ingress',
    remote_ip_prefix: '10.0.0.0/24',
  }),
  '/v2.0/security-group-rules': async (client) => ({
    security_group_id: (await client.make('security_group', {})).id,
    direction: 'ingress',
  }),
  '/v2.0/default-security-group-rules': async () => ({ direction: 'ingress' }),
  '/alcor/v1/network-acl-rules': async (client) => ({
    network_acl_id: (await client.make('network_acl', {})).id,
    direction: 'ingress',
    number: 1,
    action: 'allow',
  }),
  '/v2.0/flavors': async () => ({ service_type: 'L3_ROUTER_NAT' }),
  '/v2.0/flavors/:parentId/service_profiles': async (client) => ({
    id: (await makeAt(client, '/v2.0/service_profiles', 'service_profile', { metainfo: '{}' })).id,
  }),
  '/v2.0/service_profiles': async () => ({ metainfo: '{}' }),
  '/v2.0/segments': async (client) => ({ network_id: (await client.make('network', {})).id }),
  '/v2.0/network-segment-ranges': async () => ({ minimum: 1000 + 2 * ++made, maximum: 1001 + 2 * made }),
};

/** One that is made of `needed`; or that came with it, where nobody makes them. */
export async function oneAt(client: Client, place: string, singular: string, needed: object): Promise<Row> {
  if (singular !== 'segment') return makeAt(client, place, singular, needed);
  const { body } = await client.call('GET', `${place}?network_id=${(needed as { network_id: string }).network_id}`);
  const [segment] = body['segments'] as unknown as readonly Row[];
  if (segment === undefined) throw new Error('a network without a segment');
  return segment;
}

/** The attributes that a new resource must have. */
export async function needsOf(client: Client, definition: AnyDefinition): Promise<object> {
  return (await needs[pathOf(definition)]?.(client)) ?? {};
}

/** Where resources of the definition are, its parent having been made. */
export async function placeOf(
  client: Client,
  { prefix, plural, path = plural, parent }: AnyDefinition,
): Promise<string> {
  if (parent === undefined) return `${prefix}/${path}`;
  const place = await placeOf(client, parent.definition);
  const attributes = await needsOf(client, parent.definition);
  const { id } = await makeAt(client, place, parent.definition.singular, attributes);
  return `${place}/${id}/${path}`;
}

/** The last part of a resource's path: its key, as answers show it. */
export function lastPartOf(definition: AnyDefinition, row: Row): string {
  const key = definition.key ?? 'id';
  const [name] =
    Object.entries(definition.attributes).find(([, { source }]) => source.from === 'field' && source.field === key) ??
    [];
  return String(row[name ?? 'id']);
}
