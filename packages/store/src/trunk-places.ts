import type { NodeId, PortId } from '@alcor/network';
import { recordChanges } from './context.ts';
import type { Queryable } from './database.ts';
import { arrayLiteral } from './sql.ts';

/** The sub-ports of the trunk that the port is the parent of. */
export async function subPortsOf(tx: Queryable, parentId: PortId): Promise<readonly PortId[]> {
  const rows = await tx.query<{ id: PortId }>(
    `select s.port_id as id from trunks k join trunk_ports s on s.trunk_id = k.id
     where k.port_id = $1 and s.segmentation_type is not null`,
    [parentId],
  );
  return rows.map(({ id }) => id);
}

/**
 * Ports that have become sub-ports, or are none any more, or whose parent has moved: they are where their parent is, and no host has said
 * anything of them there. A change of each.
 */
export async function placeSubPorts(
  tx: Queryable,
  ids: readonly PortId[],
  { host, now }: { readonly host: NodeId | null; readonly now: Date },
): Promise<void> {
  if (ids.length === 0) return;
  const moved = await tx.query<{ id: PortId; revision: number }>(
    `update ports set host_id = $2, revision = revision + 1, updated_at = $3::timestamptz
     where id in (select id from ports where id = any($1::uuid[]) order by id for no key update) returning id, revision`,
    [arrayLiteral(ids), host, now.toISOString()],
  );
  await tx.query(`update port_status set status = 'DOWN', reason = '' where port_id = any($1::uuid[])`, [
    arrayLiteral(ids),
  ]);
  await recordChanges(
    tx,
    now,
    moved.map(({ id, revision }) => ({ kind: 'port', id, revision, deleted: false })),
  );
}
