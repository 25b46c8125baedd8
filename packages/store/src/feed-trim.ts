import type { Database } from './database.ts';

/** Rows deleted in one statement. */
const slice = 10_000;

/**
 * Deletes the changes recorded before `before` and notes up to which transaction, so that a reader who is further back is told.
 * The row of the newest transaction stays: from it a snapshot knows where the feed ends.
 */
export async function trimChanges(database: Database, before: Date): Promise<void> {
  for (;;) {
    const [trimmed] = await database.write<{ rows: number }>(
      `with newest as materialized (select max(xid) as xid from changes),
       gone as (
         delete from changes where seq in (
           select c.seq from changes c, newest where c.at < $1::timestamptz and c.xid < newest.xid order by c.seq limit ${slice})
         returning xid),
       noted as (
         update changes_trimmed set xid = greatest(xid, (select max(xid) from gone)) where exists (select from gone))
       select count(*)::int as rows from gone`,
      [before.toISOString()],
    );
    if ((trimmed?.rows ?? 0) < slice) return;
  }
}
