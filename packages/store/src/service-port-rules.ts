import { AlcorError, refusal } from '@alcor/network';
import type { CreatePort, Port } from '@alcor/network';
import type { Queryable } from './database.ts';
import { floatingIpResource } from './resources/floating-ip.ts';
import { growRevisions } from './writer.ts';
import { growRoutersOf } from './router-attachments.ts';
import { arrayLiteral } from './sql.ts';
import { isUuid } from './uuid7.ts';

/** What routers, floating and local IPs hold ports for; users change those instead. */
const services: readonly string[] = [
  'network:router_interface',
  'network:router_interface_distributed',
  'network:ha_router_replicated_interface',
  'network:router_gateway',
  'network:floatingip',
  'network:local_ip',
];

/** Refuses to delete a port that a router, a floating or a local IP stands on. The port must be locked. */
export async function checkDeletable(tx: Queryable, { id, deviceOwner }: Port): Promise<void> {
  if (services.includes(deviceOwner) && (await isHeld(tx, id))) {
    throw refusal('ServicePortInUse', { portId: id, deviceOwner });
  }
  const [local] = await tx.query<{ id: string }>('select id from local_ips where local_port_id = $1 limit 1', [id]);
  if (local !== undefined) throw refusal('PortInUseByLocalIP', { portId: id, localIpId: local.id });
}

/** What is about to be written of a port whose new addresses (if they `moved`) are written already. */
interface PortChange {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly moved: boolean;
  readonly now: Date;
  readonly by: 'user' | 'service';
}

/** Refuses changes that routers and floating IPs do not bear, and has routers and port forwarding follow the others. */
export async function checkChange(tx: Queryable, port: Port, { fields, moved, now, by }: PortChange): Promise<void> {
  const renamed = 'deviceId' in fields || 'deviceOwner' in fields;
  if (by === 'user' && (moved || renamed) && services.includes(port.deviceOwner) && (await isHeld(tx, port.id))) {
    throw bad(
      `Cannot change the ${moved ? 'fixed_ips' : 'device'} of port ${port.id} with device owner ${port.deviceOwner}`,
    );
  }
  if (by === 'user' && renamed) await checkDevices(tx, [{ ...port, ...fields }]);
  if (!moved) return;
  await settleAddresses(tx, port.id, now);
  if (by === 'service') await growRoutersOf(tx, port.id, now);
}

/** Refuses ports that pass for those of another project's router. */
export async function checkDevices(
  on: Queryable,
  ports: readonly Pick<CreatePort, 'projectId' | 'deviceId' | 'deviceOwner'>[],
): Promise<void> {
  const claimed = ports.flatMap(({ deviceId = '', deviceOwner = '' }) =>
    services.includes(deviceOwner) && isUuid(deviceId) ? [deviceId] : [],
  );
  if (claimed.length === 0) return;
  const rows = await on.query<{ id: string; projectId: string }>(
    'select id, project_id as "projectId" from routers where id = any($1::uuid[])',
    [arrayLiteral(claimed)],
  );
  const owners = new Map(rows.map(({ id, projectId }) => [id, projectId]));
  for (const [item, { projectId, deviceId = '', deviceOwner = '' }] of ports.entries()) {
    const owner = services.includes(deviceOwner) ? owners.get(deviceId.toLowerCase()) : undefined;
    if (owner !== undefined && owner !== projectId) throw refusal('DeviceIDNotOwnedByTenant', { deviceId }, { item });
  }
}

/** As the port goes: floating IPs lead nowhere again, and what was forwarded to it is forwarded no more. */
export async function detachPort(tx: Queryable, portId: string, now: Date): Promise<void> {
  const freed = await tx.query<{ id: string }>(
    `update floating_ips set port_id = null, fixed_ip = null, router_id = null where port_id = $1 returning id`,
    [portId],
  );
  await growFloatingIps(tx, freed, now);
  await dropForwardings(tx, portId, { now, which: 'true' });
  await tx.query('delete from ndp_proxies where port_id = $1', [portId]);
  await tx.query('delete from local_ip_associations where fixed_port_id = $1', [portId]);
}

/**
 * Floating and local IPs keep a port's addresses where they are; what is forwarded to one that it has no more, proxied for it or
 * associated with it is so no more.
 */
async function settleAddresses(tx: Queryable, portId: string, now: Date): Promise<void> {
  const [used] = await tx.query<{ ip: string }>(
    `select host(f.fixed_ip) as ip from floating_ips f where f.port_id = $1 and ${lost('f.fixed_ip')} limit 1`,
    [portId],
  );
  if (used !== undefined) {
    throw bad(
      `Cannot update the fixed_ips of the port ${portId}, because its original fixed_ip: ${used.ip} has been ` +
        'associated with a floating ip, please detach it first',
    );
  }
  const [local] = await tx.query<{ id: string }>(
    `select l.id from local_ips l where l.local_port_id = $1 and ${lost('l.ip')} limit 1`,
    [portId],
  );
  if (local !== undefined)
    throw bad(`Cannot update the fixed_ips of port ${portId}: one of them is local IP ${local.id}`);
  await dropForwardings(tx, portId, { now, which: lost('w.fixed_ip') });
  await tx.query(`delete from ndp_proxies n where n.port_id = $1 and ${lost('n.ip')}`, [portId]);
  await tx.query(`delete from local_ip_associations l where l.fixed_port_id = $1 and ${lost('l.fixed_ip')}`, [portId]);
}

/** The port at $1 has not this address. */
function lost(address: string): string {
  return `not exists (select 1 from ip_allocations a where a.port_id = $1 and a.ip = ${address})`;
}

/** Those of the port that `which` holds of; a floating IP that loses its last one comes off its router. */
async function dropForwardings(
  tx: Queryable,
  portId: string,
  { now, which }: { readonly now: Date; readonly which: string },
): Promise<void> {
  const robbed = await tx.query<{ id: string }>(
    `with gone as (delete from port_forwardings w where w.port_id = $1 and ${which} returning w.id, w.floating_ip_id)
     update floating_ips f set router_id = case when exists (
       select 1 from port_forwardings o where o.floating_ip_id = f.id and o.id not in (select id from gone))
       then f.router_id end
     where f.id in (select floating_ip_id from gone) returning f.id`,
    [portId],
  );
  await growFloatingIps(tx, robbed, now);
}

function growFloatingIps(tx: Queryable, rows: readonly { readonly id: string }[], now: Date): Promise<void> {
  return growRevisions(
    tx,
    floatingIpResource,
    rows.map(({ id }) => id),
    now,
  );
}

async function isHeld(tx: Queryable, portId: string): Promise<boolean> {
  const [held] = await tx.query(
    `select 1 from router_interfaces where port_id = $1
     union all select 1 from routers where gateway_port_id = $1
     union all select 1 from floating_ips where external_port_id = $1
     union all select 1 from local_ips where local_port_id = $1`,
    [portId],
  );
  return held !== undefined;
}

function bad(reason: string): AlcorError {
  return refusal('BadRequest', { resource: 'port', reason });
}
