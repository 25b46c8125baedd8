import { refusal } from '@alcor/network';
import type { NodeId, Port, PortId } from '@alcor/network';
import type { Queryable } from './database.ts';
import { arrayLiteral } from './sql.ts';
import { placeSubPorts, subPortsOf } from './trunk-places.ts';

/** A registered host, as far as it decides whether ports may be bound to it. */
interface Room {
  readonly id: NodeId;
  readonly draining: boolean;
  readonly maxPorts: number | null;
}

type Bound = Pick<Port, 'hostId'>;

/**
 * The registered hosts among `hosts` (a placeholder), locked in the order of their ids until the transaction ends. `share` keeps them as
 * they are; `no key update` besides keeps others from binding ports to them.
 */
export function lockHostsText(hosts: string, strength: 'share' | 'no key update'): string {
  return `select id, draining, max_ports as "maxPorts" from nodes where id = any(${hosts}::text[]) order by id for ${strength}`;
}

/** The hosts that the ports are bound to, each once. */
export function hostsOf(ports: readonly Bound[]): readonly NodeId[] {
  return [...new Set(ports.flatMap(({ hostId }) => (hostId === null ? [] : [hostId])))];
}

/** As a port moves to another host, or to none. Its sub-ports move along. */
export async function settleHost(
  tx: Queryable,
  portId: PortId,
  { host, now }: { readonly host: NodeId | null; readonly now: Date },
): Promise<void> {
  const along = await subPortsOf(tx, portId);
  await checkRoom(
    tx,
    [portId, ...along].map(() => ({ hostId: host })),
  );
  await placeSubPorts(tx, along, { host, now });
  // What the host before said of the port says nothing of the port on another host.
  await tx.query(`update port_status set status = 'DOWN', reason = '' where port_id = $1`, [portId]);
  if (host !== null)
    await tx.query('delete from inactive_bindings where port_id = $1 and host_id = $2', [portId, host]);
}

/**
 * Before ports are bound to their hosts: waits for nodes that are being changed or removed, and keeps them as they are until the
 * transaction ends. Refuses with NodeDraining and NodeFull. Hosts that are not registered take any port. Only where the number of a
 * host's ports is limited are they counted, one binder at a time.
 */
export async function checkRoom(tx: Queryable, ports: readonly Bound[]): Promise<void> {
  const hosts = hostsOf(ports);
  if (hosts.length === 0) return;
  // Looked at before locking, because a lock that is made stronger waits for others that do the same.
  const known = await tx.query<{ id: NodeId; limited: boolean }>(
    'select id, max_ports is not null as limited from nodes where id = any($1::text[])',
    [arrayLiteral(hosts)],
  );
  const limited = known.filter((host) => host.limited).map(({ id }) => id);
  const counted = limited.length === 0 ? [] : await countedRooms(tx, limited);
  const others = hosts.filter((id) => !limited.includes(id));
  const shared = await tx.query<Room>(lockHostsText('$1', 'share'), [arrayLiteral(others)]);
  const limitedSince = shared.filter(({ maxPorts }) => maxPorts !== null).map(({ id }) => id);
  const rest = limitedSince.length === 0 ? [] : await countedRooms(tx, limitedSince);
  for (const room of [...counted, ...shared]) checkDraining(room, ports);
  for (const room of [...counted, ...rest]) checkFull(room, ports);
}

interface CountedRoom extends Room {
  readonly bound: number;
}

/** Counted after the lock was had: whoever had it before has committed. */
async function countedRooms(tx: Queryable, ids: readonly NodeId[]): Promise<readonly CountedRoom[]> {
  const rooms = await tx.query<Room>(lockHostsText('$1', 'no key update'), [arrayLiteral(ids)]);
  const counts = await tx.query<{ id: string; bound: number }>(
    'select host_id as id, count(*)::int as bound from ports where host_id = any($1::text[]) group by host_id',
    [arrayLiteral(ids)],
  );
  const bound = new Map(counts.map((count) => [count.id, count.bound]));
  return rooms.map((room) => ({ ...room, bound: bound.get(room.id) ?? 0 }));
}

function checkDraining({ id, draining }: Room, ports: readonly Bound[]): void {
  if (!draining) return;
  throw refusal('NodeDraining', { nodeId: id }, { item: ports.findIndex(({ hostId }) => hostId === id) });
}

function checkFull({ id, maxPorts, bound }: CountedRoom, ports: readonly Bound[]): void {
  if (maxPorts === null) return;
  const wanted = ports.flatMap(({ hostId }, item) => (hostId === id ? [item] : []));
  const item = wanted[Math.max(maxPorts - bound, 0)];
  if (item !== undefined) throw refusal('NodeFull', { nodeId: id, maxPorts }, { item });
}
