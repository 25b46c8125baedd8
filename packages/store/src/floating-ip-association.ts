import { canonicalIp, parseIp, refusal } from '@alcor/network';
import type { AlcorError, FixedIp, FloatingIp, NetworkId, Port, PortId, RouterId, SubnetId } from '@alcor/network';
import type { Queryable } from './database.ts';
import { readRows } from './reader.ts';
import { portResource } from './resources/port.ts';
import { lockRouter } from './router-attachments.ts';

/** What a floating IP stands for, and what carries its traffic. */
export type Association = Pick<FloatingIp, 'portId' | 'fixedIp' | 'routerId'>;

export const noAssociation: Association = { portId: null, fixedIp: null, routerId: null };

/** A rule about floating IPs forbids it. */
export function badFloatingIp(reason: string): AlcorError {
  return refusal('BadRequest', { resource: 'floatingip', reason });
}

/**
 * The address of the port that is meant, and the router that joins its subnet to the external network; the router stays so until
 * the transaction ends.
 */
export async function associate(
  tx: Queryable,
  networkId: NetworkId,
  { portId, fixedIp }: { readonly portId: PortId; readonly fixedIp?: string | null | undefined },
): Promise<Association> {
  const port = await readPort(tx, portId);
  const { ip, subnetId } = addressOf(port, fixedIp ?? null);
  const routerId = await lockRouterBetween(tx, subnetId, networkId);
  if (routerId === null) throw refusal('ExternalGatewayForFloatingIPNotFound', { networkId, subnetId, portId });
  return { portId, fixedIp: ip, routerId };
}

/** The port as it is now; one that goes meanwhile is refused by the foreign key. */
export async function readPort(tx: Queryable, portId: PortId): Promise<Port> {
  const [port] = await readRows(tx, portResource, [portId]);
  if (port === undefined) throw refusal('PortNotFound', { portId });
  return port;
}

/** The router through which the subnet reaches the external network, locked; null where there is none. */
export async function lockRouterBetween(
  tx: Queryable,
  subnetId: SubnetId,
  networkId: NetworkId,
): Promise<RouterId | null> {
  let locked: RouterId | null = null;
  for (;;) {
    // The one that is the subnet's gateway before the others.
    const [best] = await tx.query<{ id: RouterId }>(
      `select r.id from router_interfaces i
       join ip_allocations a on a.port_id = i.port_id
       join subnets s on s.id = a.subnet_id
       join routers r on r.id = i.router_id
       join ports g on g.id = r.gateway_port_id
       where a.subnet_id = $1 and g.network_id = $2
       order by (a.ip is distinct from s.gateway_ip), r.id limit 1`,
      [subnetId, networkId],
    );
    if (best === undefined) return null;
    if (best.id === locked) return locked;
    await lockRouter(tx, best.id);
    locked = best.id;
  }
}

function addressOf({ id, fixedIps }: Port, wanted: string | null): FixedIp {
  if (wanted !== null) {
    if (parseIp(wanted)?.version !== 4) {
      throw badFloatingIp(`Cannot process floating IP association with ${wanted}, since that is not an IPv4 address`);
    }
    const held = fixedIps.find(({ ip }) => ip === canonicalIp(wanted));
    if (held === undefined) throw badFloatingIp(`Port ${id} does not have fixed ip ${wanted}`);
    return held;
  }
  const [first, ...others] = fixedIps.filter(({ ip }) => parseIp(ip)?.version === 4);
  if (first === undefined) {
    throw badFloatingIp(`Cannot add floating IP to port ${id} that has no fixed IPv4 addresses`);
  }
  if (others.length > 0) {
    throw badFloatingIp(
      `Port ${id} has multiple fixed IPv4 addresses. Must provide a specific IPv4 address when assigning a floating IP`,
    );
  }
  return first;
}
