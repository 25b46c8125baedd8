import { refusal } from '@alcor/network';
import type { AlcorError, Attachment, NetworkId, PortId, Router, RouterId, SubnetId } from '@alcor/network';
import type { Queryable } from './database.ts';
import { lockRow } from './reader.ts';
import { canonicalAddress } from './resources/common.ts';
import { routerResource } from './resources/router.ts';
import { arrayLiteral } from './sql.ts';
import { isUuid } from './uuid7.ts';
import { growRevisions } from './writer.ts';

/** All addresses of the router, on the subnets that it serves and on its external network. */
export async function readAttachments(on: Queryable, routerId: RouterId): Promise<readonly Attachment[]> {
  const rows = await on.query<Attachment>(
    `select p.id as "portId", p.network_id as "networkId", a.subnet_id as "subnetId", host(a.ip) as ip, s.cidr,
       held.is_gateway as "isGateway"
     from (select i.port_id, false as is_gateway from router_interfaces i where i.router_id = $1
       union all select r.gateway_port_id, true from routers r where r.id = $1) held
     join ports p on p.id = held.port_id
     join ip_allocations a on a.port_id = p.id
     join subnets s on s.id = a.subnet_id
     order by p.id, a.ordinal`,
    [routerId],
  );
  return rows.map(canonical);
}

function canonical(row: Attachment): Attachment {
  return { ...row, ip: canonicalAddress(row.ip) };
}

/** Keeps the router's gateway and interfaces as they are until the transaction ends. */
export function lockRouter(tx: Queryable, id: RouterId): Promise<Router> {
  return lockRow(tx, routerResource, id, { strength: 'for no key update' });
}

/** A change of a port that a router has is one of the router. */
export function growRoutersOf(tx: Queryable, portId: PortId, now: Date): Promise<void> {
  const text = `select id from routers where gateway_port_id = $1
    union select router_id from router_interfaces where port_id = $1`;
  return growFound(tx, { text, parameter: portId }, now);
}

/** As does what becomes of the addresses in a subnet, to the routers whose gateways have one there. */
export function growRoutersWithGatewayIn(tx: Queryable, subnetId: SubnetId, now: Date): Promise<void> {
  const text = `select distinct r.id from ip_allocations a join routers r on r.gateway_port_id = a.port_id
    where a.subnet_id = $1`;
  return growFound(tx, { text, parameter: subnetId }, now);
}

async function growFound(
  tx: Queryable,
  { text, parameter }: { readonly text: string; readonly parameter: string },
  now: Date,
): Promise<void> {
  const found = await tx.query<{ id: RouterId }>(text, [parameter]);
  await growRevisions(
    tx,
    routerResource,
    found.map(({ id }) => id),
    now,
  );
}

/** A rule about routers forbids it. */
export function badRouter(reason: string): AlcorError {
  return refusal('BadRequest', { resource: 'router', reason });
}

/** What routers and floating IPs must know of a network that is said to be external. */
export interface ExternalNetwork {
  readonly id: NetworkId;
  readonly external: boolean;
  readonly subnets: readonly {
    readonly id: SubnetId;
    readonly ipVersion: 4 | 6;
    readonly cidr: string;
    readonly gatewayIp: string | null;
  }[];
}

/** `shared`: the networks stay as they are until the transaction ends. */
export async function readExternalNetworks(
  on: Queryable,
  ids: readonly NetworkId[],
  lock: 'none' | 'shared',
): Promise<ReadonlyMap<NetworkId, ExternalNetwork>> {
  const known = arrayLiteral([...new Set(ids)].filter(isUuid));
  if (lock === 'shared') {
    await on.query('select id from networks where id = any($1::uuid[]) order by id for share', [known]);
  }
  const rows = await on.query<ExternalNetwork>(
    `select n.id, n.external, (
       select coalesce(json_agg(json_build_object('id', s.id, 'ipVersion', s.ip_version, 'cidr', s.cidr,
         'gatewayIp', host(s.gateway_ip)) order by s.id), '[]') from subnets s where s.network_id = n.id) as subnets
     from networks n where n.id = any($1::uuid[])`,
    [known],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** The network, or its NetworkNotFound. */
export function networkOf(networks: ReadonlyMap<NetworkId, ExternalNetwork>, networkId: NetworkId): ExternalNetwork {
  const network = networks.get(networkId);
  if (network === undefined) throw refusal('NetworkNotFound', { networkId });
  return network;
}
