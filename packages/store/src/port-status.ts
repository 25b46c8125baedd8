import type { PortStatus } from '@alcor/network';
import type { Database } from './database.ts';
import { isUuid } from './uuid7.ts';
import { jsonRows } from './sql.ts';

/** Writes those statuses that are new, of those ports that exist; of several for one port the last counts. */
export async function setPortStatuses(database: Database, statuses: readonly PortStatus[]): Promise<void> {
  const last = new Map(statuses.filter(({ portId }) => isUuid(portId)).map((status) => [status.portId, status]));
  if (last.size === 0) return;
  await database.write(
    `insert into port_status (port_id, status, reason)
     select x."portId", x.status, x.reason
     from jsonb_to_recordset($1::text::jsonb) as x("portId" uuid, status text, reason text)
     join (select id from ports where id in (
       select y."portId" from jsonb_to_recordset($1::text::jsonb) as y("portId" uuid)) order by id for key share) p
       on p.id = x."portId"
     order by x."portId"
     on conflict (port_id) do update set status = excluded.status, reason = excluded.reason
       where (port_status.status, port_status.reason) is distinct from (excluded.status, excluded.reason)`,
    [jsonRows([...last.values()])],
  );
}
