import { dealLeases, type Lease, type LeaseHolder, LeaseLost, type LeaseRow, type LeaseStore } from '@alcor/network';
import { nowOf, recordChanges } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { arrayLiteral, jsonRows } from './sql.ts';

/** Any constant; that of no other lock of ours. Renewals go one at a time, so that two never take the same shard. */
const lockKey = 7_310_577_443;

/** The leases in the tables `leases` and `lease_holders`; time is the database's clock, read after the lock was had. */
export function createLeaseStore(context: StoreContext): LeaseStore {
  const { database } = context;
  const locked = <Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result> =>
    database.transaction(async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(${lockKey})`);
      return work(tx);
    });
  return {
    async enterLeases(name, address = '') {
      const [entered] = await database.write<{ life: number }>(
        `insert into lease_holders (name, life, alive_until) values ($1, 1, '-infinity')
         on conflict on constraint lease_holders_pkey do update set life = lease_holders.life + 1
         returning life`,
        [name],
      );
      return { name, life: entered?.life ?? 1, address };
    },
    async renewLeases(holder, ttlMs) {
      const { dealt, changed } = await locked(async (tx) => {
        await keepAlive(tx, holder, ttlMs);
        const rows = await readLeases(tx);
        const leases = dealLeases(rows, holder, await countAlive(tx));
        await hold(tx, holder, leases, ttlMs);
        return { dealt: leases, changed: await recordHands(context, tx, rows, leases) };
      });
      if (changed) context.committed();
      return dealt;
    },
    async releaseLeases(holder, shards) {
      await database.write(
        `update leases set held_until = '-infinity' where holder = $1 and life = $2 and id = any($3::text[])`,
        [holder.name, holder.life, arrayLiteral(shards)],
      );
    },
    leaveLeases: ({ name, life }) =>
      locked(async (tx) => {
        await tx.query(`update leases set held_until = '-infinity' where holder = $1 and life = $2`, [name, life]);
        await tx.query(`update lease_holders set alive_until = '-infinity' where name = $1 and life = $2`, [
          name,
          life,
        ]);
      }),
  };
}

async function keepAlive(tx: Queryable, { name, life }: LeaseHolder, ttlMs: number): Promise<void> {
  const alive = await tx.query(
    `update lease_holders set alive_until = clock_timestamp() + $3 * interval '1 millisecond'
     where name = $1 and life = $2 returning 1`,
    [name, life, ttlMs],
  );
  if (alive.length === 0) throw new LeaseLost(`${name} has begun another life than ${life}`);
}

async function countAlive(tx: Queryable): Promise<number> {
  const [counted] = await tx.query<{ alive: number }>(
    'select count(*)::int as alive from lease_holders where alive_until > clock_timestamp()',
  );
  return counted?.alive ?? 1;
}

function readLeases(tx: Queryable): Promise<readonly LeaseRow[]> {
  return tx.query<LeaseRow>(
    'select id, holder, address, life, revision, held_until <= clock_timestamp() as free from leases',
  );
}

async function hold(
  tx: Queryable,
  { name, life, address }: LeaseHolder,
  leases: readonly Lease[],
  ttlMs: number,
): Promise<void> {
  await tx.query(
    `insert into leases (id, holder, life, revision, held_until, address)
     select x.shard, $1, $2, x.fence, clock_timestamp() + $4 * interval '1 millisecond', $5
     from jsonb_to_recordset($3::text::jsonb) as x(shard text, fence integer) order by x.shard
     on conflict on constraint leases_pkey do update set
       holder = excluded.holder, life = excluded.life, revision = excluded.revision, held_until = excluded.held_until,
       address = excluded.address`,
    [name, life, jsonRows(leases), ttlMs, address],
  );
}

/** Tells the feed which shards came into other hands; false: none did. */
async function recordHands(
  context: StoreContext,
  tx: Queryable,
  before: readonly LeaseRow[],
  leases: readonly Lease[],
): Promise<boolean> {
  const fences = new Map(before.map(({ id, revision }) => [id, revision]));
  const changed = leases.filter(({ shard, fence }) => fences.get(shard) !== fence);
  await recordChanges(
    tx,
    nowOf(context),
    changed.map(({ shard, fence }) => ({ kind: 'lease', id: shard, revision: fence, deleted: false }) as const),
  );
  return changed.length > 0;
}

/** Nobody takes the shard over before the transaction is done. */
export async function keepLease(tx: Queryable, { shard, fence }: Lease): Promise<void> {
  const [held] = await tx.query('select 1 from leases where id = $1 and revision = $2 for share', [shard, fence]);
  if (held === undefined) throw new LeaseLost(`${shard} is in other hands than those of fence ${fence}`);
}
