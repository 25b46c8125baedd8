import type { FixedIp, Port, PortId } from '@alcor/network';
import type { StoreContext } from './context.ts';
import type { Database, Queryable } from './database.ts';
import { lockRow } from './reader.ts';
import { portResource } from './resources/port.ts';
import { deleteRow } from './writer.ts';

/** Writes in a transaction that is under way. */
export function within(tx: Queryable): Pick<Database, 'write'> {
  return { write: (text, parameters) => tx.query(text, parameters) };
}

/** Deletes a port that a service of the region made; nothing may stand on it any more. Gives what it was. */
export async function removePort(tx: Queryable, id: PortId, now: Date): Promise<Port> {
  const port = await lockRow(tx, portResource, id, { strength: 'for update' });
  await returnGateways(tx, id);
  await deleteRow(tx, portResource, port, now);
  return port;
}

/** Once it is committed that these ports are gone, or have lost these addresses: they are free. */
export function freeAddresses(
  { addresses }: StoreContext,
  ports: readonly ({ readonly fixedIps: readonly FixedIp[] } | null)[],
): void {
  for (const port of ports) for (const { subnetId, ip } of port?.fixedIps ?? []) addresses.release(subnetId, ip);
}

/**
 * Gives a port the gateway's address of a subnet, which the subnet itself holds until then. False where a port has it already. The
 * subnet must be locked, so that its gateway stays.
 */
export async function takeGateway(tx: Queryable, portId: PortId, { subnetId, ip }: FixedIp): Promise<boolean> {
  const taken = await tx.query(
    `update ip_allocations set port_id = $1,
       ordinal = (select coalesce(max(ordinal) + 1, 0) from ip_allocations where port_id = $1)
     where subnet_id = $2 and ip = $3 and port_id is null returning ip`,
    [portId, subnetId, ip],
  );
  return taken.length > 0;
}

/** Has the subnets hold again those addresses of the port that are their gateways'. */
export async function returnGateways(tx: Queryable, portId: PortId): Promise<void> {
  await tx.query(
    `select s.id from subnets s where s.id in (select a.subnet_id from ip_allocations a where a.port_id = $1)
     order by s.id for no key update`,
    [portId],
  );
  await tx.query(
    `update ip_allocations a set port_id = null, ordinal = 0
     from subnets s where a.port_id = $1 and s.id = a.subnet_id and s.gateway_ip = a.ip`,
    [portId],
  );
}
