import { parseIp, portsOf, refusal } from '@alcor/network';
import type {
  AlcorError,
  Collection,
  FixedIp,
  FloatingIp,
  FloatingIpId,
  Port,
  PortForwarding,
  PortForwardingTypes,
  PortRange,
} from '@alcor/network';
import { createCollection } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { lockRouterBetween } from './floating-ip-association.ts';
import { lockRow } from './reader.ts';
import { floatingIpResource, portForwardingResource } from './resources/floating-ip.ts';
import { portResource } from './resources/port.ts';
import { growRevisions } from './writer.ts';

export function createPortForwardingCollection(context: StoreContext): Collection<PortForwardingTypes> {
  return createCollection(context, portForwardingResource, {
    defaults: { description: '', fixedIp: '' },
    beforeInsert: async (tx, rows) => {
      const whole: PortForwarding[] = [];
      for (const row of rows) {
        const placed = await place(tx, row);
        for (const other of whole) checkApart(placed, other);
        whole.push(placed);
      }
      return whole;
    },
    change: async (tx, row, patch) => {
      const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
      const moves = patch.portId !== undefined && patch.portId !== row.portId && patch.fixedIp === undefined;
      return place(tx, { ...row, ...given, ...(moves ? { fixedIp: '' } : {}) });
    },
    afterInsert: (tx, rows) =>
      growRevisions(
        tx,
        floatingIpResource,
        rows.map(({ floatingIpId }) => floatingIpId),
        nowOf(context),
      ),
    afterUpdate: (tx, { floatingIpId }) => growRevisions(tx, floatingIpResource, [floatingIpId], nowOf(context)),
    afterDelete: async (tx, { floatingIpId }) => {
      // The last one to go takes the floating IP off its router.
      await growRevisions(tx, floatingIpResource, [floatingIpId], nowOf(context));
      await tx.query(
        `update floating_ips f set router_id = null where f.id = $1 and f.port_id is null
         and not exists (select 1 from port_forwardings w where w.floating_ip_id = f.id)`,
        [floatingIpId],
      );
    },
    conflicts: {
      port_forwardings_port_fkey: ([portId = '']) => refusal('PortNotFound', { portId }),
      port_forwardings_floating_ip_fkey: ([floatingIpId = '']) => refusal('FloatingIPNotFound', { floatingIpId }),
      port_forwardings_external_key: () => duplicate('floatingip_id, protocol and external_port'),
      port_forwardings_internal_key: () =>
        duplicate('internal_port_id, internal_ip_address, protocol and internal_port'),
    },
  });
}

/**
 * Checks a forwarding against its floating IP, its port and all others, fills in its address, and puts the floating IP on the
 * router in between. Floating IP and port are locked, so that of two that collide one is refused.
 */
async function place(tx: Queryable, row: PortForwarding): Promise<PortForwarding> {
  checkRanges(row);
  const floatingIp = await lockRow(tx, floatingIpResource, row.floatingIpId, { strength: 'for no key update' });
  const port = await lockRow(tx, portResource, row.portId, { strength: 'for no key update' });
  const { ip, subnetId } = addressOf(port, row.fixedIp);
  const placed = { ...row, fixedIp: ip };
  checkUnassociated(floatingIp, placed);
  await checkUnbound(tx, floatingIp, placed);
  const routerId = await lockRouterBetween(tx, subnetId, floatingIp.networkId);
  if (routerId === null) {
    throw bad(
      `External network ${floatingIp.networkId} is not reachable from subnet ${subnetId}. Cannot set ` +
        `Port forwarding for port ${port.id} with Floating IP ${floatingIp.id}`,
    );
  }
  if (floatingIp.routerId !== null && floatingIp.routerId !== routerId) {
    throw bad(
      `The Floating IP ${floatingIp.id} had been set on router ${floatingIp.routerId}, ` +
        `the internal Neutron port ${port.id} can not reach it`,
    );
  }
  for (const other of await readOthers(tx, placed)) checkApart(placed, other);
  if (floatingIp.routerId === null) {
    await tx.query('update floating_ips set router_id = $1 where id = $2', [routerId, floatingIp.id]);
  }
  return placed;
}

/** Those that share the floating IP or the address. */
async function readOthers(tx: Queryable, row: PortForwarding): Promise<readonly PortForwarding[]> {
  return tx.query<PortForwarding>(
    `select w.id, w.floating_ip_id as "floatingIpId", w.port_id as "portId", host(w.fixed_ip) as "fixedIp", w.protocol,
       w.external_ports as "externalPorts", w.internal_ports as "internalPorts"
     from port_forwardings w
     where w.id <> $1 and w.protocol = $2 and (w.floating_ip_id = $3 or (w.port_id = $4 and w.fixed_ip = $5))`,
    [row.id, row.protocol, row.floatingIpId, row.portId, row.fixedIp],
  );
}

/** Refuses two forwardings of the same external port, or to the same port of a guest. */
function checkApart(row: PortForwarding, other: PortForwarding): void {
  if (row.protocol !== other.protocol) return;
  if (row.floatingIpId === other.floatingIpId && meet(row.externalPorts, other.externalPorts)) {
    throw duplicate(`floatingip_id ${row.floatingIpId}, external_port_range ${other.externalPorts}`);
  }
  const sameAddress = row.portId === other.portId && row.fixedIp === other.fixedIp;
  if (sameAddress && meet(row.internalPorts, other.internalPorts)) {
    throw duplicate(`internal_ip_address ${row.fixedIp}, internal_port_range ${other.internalPorts}`);
  }
}

function meet(left: PortRange, right: PortRange): boolean {
  const [one, other] = [portsOf(left), portsOf(right)];
  return one.first <= other.last && other.first <= one.last;
}

function width(range: PortRange): number {
  const { first, last } = portsOf(range);
  return last - first;
}

function checkRanges({ externalPorts, internalPorts }: PortForwarding): void {
  if (width(internalPorts) === 0 || width(internalPorts) === width(externalPorts)) return;
  throw bad(`internal_port_range ${internalPorts} must be one port or as many as external_port_range ${externalPorts}`);
}

function checkUnassociated({ id, ip, networkId, portId }: FloatingIp, row: PortForwarding): void {
  if (portId === null) return;
  const parameters = { ip, floatingIpId: id, portId: row.portId, fixedIp: row.fixedIp, networkId };
  throw refusal('FloatingIPPortAlreadyAssociated', parameters);
}

/** An address that a floating IP stands for as a whole is not forwarded to in part. */
async function checkUnbound(
  tx: Queryable,
  { id, ip }: { readonly id: FloatingIpId; readonly ip: string },
  { portId, fixedIp }: PortForwarding,
): Promise<void> {
  const [bound] = await tx.query('select 1 from floating_ips where port_id = $1 and fixed_ip = $2', [portId, fixedIp]);
  if (bound !== undefined) throw refusal('PortHasBindingFloatingIP', { ip, floatingIpId: id, portId, fixedIp });
}

/** The address asked for (empty: the first of IPv4). */
function addressOf({ id, fixedIps }: Port, wanted: string): FixedIp {
  const candidates = fixedIps.filter(({ ip }) => parseIp(ip)?.version === 4);
  if (candidates.length === 0) throw bad(`Requested internal port ${id} must allocate an IPv4 address at least`);
  const held = wanted === '' ? candidates[0] : candidates.find(({ ip }) => ip === wanted);
  if (held === undefined) {
    throw bad(`Requested internal IP address ${wanted} is not suitable for internal neutron port ${id}`);
  }
  return held;
}

function duplicate(values: string): AlcorError {
  return bad(`A duplicate port forwarding entry with same attributes already exists, conflicting values are ${values}`);
}

function bad(reason: string): AlcorError {
  return refusal('BadRequest', { resource: 'port_forwarding', reason });
}
