import { dealLeases, type Lease, type LeaseHolder, LeaseLost, type LeaseRow, type LeaseStore } from '@alcor/network';
import type { Database, Queryable } from './database.ts';
import { arrayLiteral, jsonRows } from './sql.ts';

/** Any constant; that of no other lock of ours. Renewals go one at a time, so that two never take the same shard. */
const lockKey = 7_310_577_443;

/** The leases in the tables `leases` and `lease_holders`; time is the database's clock, read after the lock was had. */
export function createLeaseStore(database: Database): LeaseStore {
  const locked = <Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result> =>
    database.transaction(async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(${lockKey})`);
      return work(tx);
    });
  return {
    async enterLeases(name) {
      const [entered] = await database.write<{ life: number }>(
        `insert into lease_holders (name, life, alive_until) values ($1, 1, '-infinity')
         on conflict on constraint lease_holders_pkey do update set life = lease_holders.life + 1
         returning life`,
        [name],
      );
      return { name, life: entered?.life ?? 1 };
    },
    renewLeases: (holder, ttlMs) =>
      locked(async (tx) => {
        await keepAlive(tx, holder, ttlMs);
        const leases = dealLeases(await readLeases(tx), holder, await countAlive(tx));
        await hold(tx, holder, leases, ttlMs);
        return leases;
      }),
    async releaseLeases(holder, shards) {
      await database.write(
        `update leases set holder = null, held_until = '-infinity'
         where holder = $1 and life = $2 and shard = any($3::text[])`,
        [holder.name, holder.life, arrayLiteral(shards)],
      );
    },
    leaveLeases: (holder) =>
      locked(async (tx) => {
        const parameters = [holder.name, holder.life];
        await tx.query(
          `update leases set holder = null, held_until = '-infinity' where holder = $1 and life = $2`,
          parameters,
        );
        await tx.query(`update lease_holders set alive_until = '-infinity' where name = $1 and life = $2`, parameters);
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
    'select shard, holder, life, fence, held_until <= clock_timestamp() as expired from leases',
  );
}

async function hold(
  tx: Queryable,
  { name, life }: LeaseHolder,
  leases: readonly Lease[],
  ttlMs: number,
): Promise<void> {
  await tx.query(
    `update leases l set holder = $1, life = $2, fence = x.fence,
       held_until = clock_timestamp() + $4 * interval '1 millisecond'
     from jsonb_to_recordset($3::text::jsonb) as x(shard text, fence integer) where l.shard = x.shard`,
    [name, life, jsonRows(leases), ttlMs],
  );
}
