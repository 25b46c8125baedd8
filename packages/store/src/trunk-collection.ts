import { refusal } from '@alcor/network';
import type { Collection, NodeId, PortId, SubPort, Trunk, TrunkActions, TrunkId, TrunkTypes } from '@alcor/network';
import { createCollection } from './collection.ts';
import type { Row } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { DatabaseError } from './database-error.ts';
import type { Queryable } from './database.ts';
import { checkRoom } from './port-hosts.ts';
import { lockRow, readView } from './reader.ts';
import { trunkResource } from './resources/trunk.ts';
import { arrayLiteral, jsonRows } from './sql.ts';
import { placeSubPorts } from './trunk-places.ts';
import { updateRow } from './writer.ts';

/** Trunks and their sub-ports. */
export function createTrunkCollection(context: StoreContext): Collection<TrunkTypes> & TrunkActions {
  const collection = createCollection(context, trunkResource, {
    defaults: { name: '', description: '', adminStateUp: true, subPorts: [] },
    beforeInsert: async (tx, rows) => {
      for (const row of rows) await checkParent(tx, row.portId);
      return rows;
    },
    afterInsert: async (tx, rows) => {
      for (const row of rows) {
        await tx.query('insert into trunk_ports (port_id, trunk_id) values ($1, $2)', [row.portId, row.id]);
        await insertSubPorts(tx, row, row.subPorts, nowOf(context));
      }
    },
    beforeDelete: async (tx, row) => {
      checkEnabled(row);
      const [parent] = await lockPorts(tx, [row.portId]);
      if (parent !== undefined && parent.hostId !== null) throw refusal('TrunkInUse', { trunkId: row.id });
      const ids = row.subPorts.map(({ portId }) => portId);
      await tx.query('delete from trunk_ports where trunk_id = $1', [row.id]);
      await placeSubPorts(tx, ids, { host: null, now: nowOf(context) });
    },
    conflicts: {
      trunks_port_key: ([portId = '']) => refusal('ParentPortInUse', { portId }),
      trunk_ports_pkey: ([portId = '']) => refusal('TrunkPortInUse', { portId }),
      trunk_ports_port_fkey: ([portId = '']) => refusal('PortNotFound', { portId }),
    },
  });
  const change = (id: TrunkId, work: (tx: Queryable, trunk: Row<TrunkTypes>) => Promise<void>): Promise<Trunk> =>
    changeSubPorts(context, id, work);
  return {
    ...collection,
    addSubPorts: (id, subPorts) => change(id, (tx, trunk) => insertSubPorts(tx, trunk, subPorts, nowOf(context))),
    removeSubPorts: (id, portIds) => change(id, (tx, trunk) => removeSubPorts(tx, trunk, portIds, nowOf(context))),
  };
}

/** Refuses to delete a port that a trunk has. The port must be locked. */
export async function checkNotTrunked(tx: Queryable, portId: PortId): Promise<void> {
  const [member] = await tx.query<{ trunkId: TrunkId; isParent: boolean }>(
    `select trunk_id as "trunkId", segmentation_type is null as "isParent" from trunk_ports where port_id = $1`,
    [portId],
  );
  if (member === undefined) return;
  throw refusal(member.isParent ? 'PortInUseAsTrunkParent' : 'PortInUseAsSubPort', { portId, trunkId: member.trunkId });
}

async function changeSubPorts(
  context: StoreContext,
  id: TrunkId,
  work: (tx: Queryable, trunk: Row<TrunkTypes>) => Promise<void>,
): Promise<Trunk> {
  const view = await context.database.transaction(async (tx) => {
    const trunk = await lockRow(tx, trunkResource, id, { strength: 'for no key update' });
    checkEnabled(trunk);
    await work(tx, trunk);
    await updateRow(tx, trunkResource, trunk, { fields: {}, now: nowOf(context) });
    return readView(tx, trunkResource, id);
  });
  context.committed();
  return view;
}

function checkEnabled({ id, adminStateUp }: Trunk): void {
  if (!adminStateUp) throw refusal('TrunkDisabled', { trunkId: id });
}

interface TrunkablePort {
  readonly id: PortId;
  readonly networkId: string;
  readonly deviceId: string;
  readonly hostId: NodeId | null;
  /** Of its network. */
  readonly mtu: number;
  /** `parent` or `subport` of a trunk already. */
  readonly role: 'parent' | 'subport' | null;
}

/** The ports, kept from being removed and from going into another trunk until the transaction ends. */
async function lockPorts(tx: Queryable, ids: readonly PortId[]): Promise<readonly TrunkablePort[]> {
  return tx.query<TrunkablePort>(
    `with locked as (select id, network_id, device_id, host_id from ports where id = any($1::uuid[]) order by id for no key update)
     select p.id, p.network_id as "networkId", p.device_id as "deviceId", p.host_id as "hostId", n.mtu,
       case when m.port_id is null then null when m.segmentation_type is null then 'parent' else 'subport' end as role
     from locked p join networks n on n.id = p.network_id left join trunk_ports m on m.port_id = p.id`,
    [arrayLiteral(ids)],
  );
}

/** A guest that runs already would not see the trunk, so a port that is bound cannot become a parent. */
async function checkParent(tx: Queryable, portId: PortId): Promise<void> {
  const [port] = await lockPorts(tx, [portId]);
  if (port === undefined) throw refusal('PortNotFound', { portId });
  if (port.role === 'subport') throw refusal('TrunkPortInUse', { portId });
  if (port.role === 'parent' || port.hostId !== null) throw refusal('ParentPortInUse', { portId });
}

async function insertSubPorts(tx: Queryable, trunk: Trunk, subPorts: readonly SubPort[], now: Date): Promise<void> {
  if (subPorts.length === 0) return;
  const ports = await lockPorts(tx, [trunk.portId, ...subPorts.map(({ portId }) => portId)]);
  const byId = new Map(ports.map((port) => [port.id, port]));
  const parent = byId.get(trunk.portId);
  for (const { portId } of subPorts) checkSubPort({ trunk, parent, portId, port: byId.get(portId) });
  await tx
    .query(
      `insert into trunk_ports (port_id, trunk_id, segmentation_type, segmentation_id)
       select x."portId", $2, x."segmentationType", x."segmentationId" from jsonb_to_recordset($1::text::jsonb)
       as x("portId" uuid, "segmentationType" text, "segmentationId" integer, n integer) order by x.n`,
      [jsonRows(subPorts.map((subPort, n) => ({ ...subPort, n }))), trunk.id],
    )
    .catch((error: DatabaseError) => {
      if (error.constraint === 'trunk_ports_pkey') throw refusal('TrunkPortInUse', { portId: error.key[0] ?? '' });
      if (error.constraint !== 'trunk_ports_segmentation_key') throw error;
      const [, type = '', id = ''] = error.key;
      throw refusal('DuplicateSubPort', { type, id, trunkId: trunk.id }, { cause: error });
    });
  const host = parent?.hostId ?? null;
  const ids = subPorts.map(({ portId }) => portId);
  await checkRoom(
    tx,
    ids.map(() => ({ hostId: host })),
  );
  await placeSubPorts(tx, ids, { host, now });
}

function checkSubPort(given: {
  readonly trunk: Trunk;
  readonly parent: TrunkablePort | undefined;
  readonly portId: PortId;
  readonly port: TrunkablePort | undefined;
}): void {
  const { trunk, parent, portId, port } = given;
  if (portId === trunk.portId) throw refusal('ParentPortInUse', { portId });
  if (port === undefined) throw refusal('PortNotFound', { portId });
  if (parent !== undefined && port.mtu > parent.mtu) {
    const parts = { portMtu: port.mtu, portId, trunkMtu: parent.mtu, trunkId: trunk.id };
    throw refusal('SubPortMtuGreaterThanTrunkPortMtu', parts);
  }
  if (port.role === 'parent') throw refusal('ParentPortInUse', { portId });
  if (port.role === 'subport') throw refusal('TrunkPortInUse', { portId });
  const { networkId, deviceId } = port;
  if (deviceId !== '') throw refusal('PortInUse', { portId, networkId, deviceId });
}

async function removeSubPorts(tx: Queryable, trunk: Trunk, portIds: readonly PortId[], now: Date): Promise<void> {
  const stranger = portIds.find((portId) => trunk.subPorts.every((subPort) => subPort.portId !== portId));
  if (stranger !== undefined) throw refusal('SubPortNotFound', { trunkId: trunk.id, portId: stranger });
  await tx.query('delete from trunk_ports where trunk_id = $1 and port_id = any($2::uuid[])', [
    trunk.id,
    arrayLiteral(portIds),
  ]);
  await placeSubPorts(tx, portIds, { host: null, now });
}
