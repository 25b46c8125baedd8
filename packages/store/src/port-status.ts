import type { PortReport } from '@alcor/network';
import type { Database } from './database.ts';
import { isUuid } from './uuid7.ts';
import { jsonRows } from './sql.ts';

/** Writes those statuses that are new, of ports that are bound to the host that speaks; of several for one port and host the last counts. */
export async function setPortStatuses(database: Database, reports: readonly PortReport[]): Promise<void> {
  const known = reports.filter(({ portId }) => isUuid(portId));
  const last = new Map(known.map((report) => [`${report.portId} ${report.nodeId}`, report]));
  if (last.size === 0) return;
  await database.write(
    // The lock keeps the binding from changing between the look at it and the write.
    `with spoken as (select * from jsonb_to_recordset($1::text::jsonb) as x("portId" uuid, "nodeId" text, status text, reason text)),
     bound as (select p.id, p.host_id from ports p join spoken s on s."portId" = p.id and s."nodeId" = p.host_id
       join port_status u on u.port_id = p.id order by p.id for share of p for no key update of u)
     update port_status u set status = s.status, reason = s.reason
     from spoken s join bound b on b.id = s."portId" and b.host_id = s."nodeId"
     where u.port_id = s."portId" and (u.status, u.reason) is distinct from (s.status, s.reason)`,
    [jsonRows([...last.values()])],
  );
}
