import { AlcorError, FeedGap } from '@alcor/network';
import type { Change, Feed, FeedBatch, Position } from '@alcor/network';
import type { Clock } from '@alcor/runtime';
import type { Database, Queryable } from './database.ts';
import { formatPlace, formatSeen, parsePlace, parseSeen, withoutUnknown } from './feed-position.ts';
import type { Place, Seen } from './feed-position.ts';
import { readRows } from './reader.ts';
import { rowFields } from './resource.ts';
import type { Resource } from './resource.ts';
import { channelResource } from './resources/channel.ts';
import { floatingIpResource } from './resources/floating-ip.ts';
import { leaseResource } from './resources/lease.ts';
import { networkAclResource } from './resources/network-acl.ts';
import { networkResource } from './resources/network.ts';
import { nodeResource } from './resources/node.ts';
import { portResource } from './resources/port.ts';
import { qosPolicyResource } from './resources/qos.ts';
import { routerResource } from './resources/router.ts';
import { addressGroupResource, securityGroupResource } from './resources/security.ts';
import { subnetResource } from './resources/subnet.ts';
import type { Wakeup } from './wakeup.ts';

/** Rows of a batch, of a snapshot and of the changes after it. */
const batchSize = 2000;
/** Milliseconds between looks for changes that other processes have made. */
const pollEvery = 200;

const resources = {
  node: nodeResource,
  'qos-policy': qosPolicyResource,
  network: networkResource,
  channel: channelResource,
  'address-group': addressGroupResource,
  'security-group': securityGroupResource,
  subnet: subnetResource,
  'network-acl': networkAclResource,
  port: portResource,
  router: routerResource,
  'floating-ip': floatingIpResource,
  lease: leaseResource,
} as const;
type Kind = keyof typeof resources;
/** The order of a snapshot: what is referred to comes first. */
const kinds: readonly Kind[] = [
  'node',
  'qos-policy',
  'network',
  'channel',
  'address-group',
  'security-group',
  'subnet',
  'network-acl',
  'port',
  'router',
  'floating-ip',
  'lease',
];

/** Above the number of every transaction that has a row; 3 is the first there is. */
const endText = `coalesce((select max(xid) from changes)::text::bigint + 1, 3)::text`;

/** One row of the table of changes. */
interface ChangeRow {
  readonly seq: string;
  readonly kind: Kind;
  readonly id: string;
  readonly revision: number;
  readonly deleted: boolean;
}

/** The feed over the table `changes` (DESIGN.md, "The change feed"). */
export function createChangeFeed(parts: {
  readonly database: Database;
  readonly clock: Clock;
  readonly wakeup: Wakeup;
}): Feed {
  const { database, clock, wakeup } = parts;

  /** A read that waits for the database to come back; null when `signal` aborts first. */
  const persistently = async <Result>(read: () => Promise<Result>, signal: AbortSignal): Promise<Result | null> => {
    for (;;) {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof AlcorError) || error.code !== 'ServiceUnavailable') throw error;
        await clock.sleep(pollEvery, signal).catch(() => {});
        if (signal.aborted) return null;
      }
    }
  };

  return {
    async snapshot(signal) {
      const view = await database.freeze();
      try {
        const [now] = await view.query<{ seen: string; end: string }>(
          `select pg_current_snapshot()::text as seen,
             ${endText} as "end"`,
        );
        if (now === undefined) throw new FeedGap('the database has no snapshot');
        const seen = withoutUnknown(parseSeen(now.seen), BigInt(now.end));
        return { position: formatPlace({ seen, part: null }), batches: readAll(view, signal) };
      } catch (error) {
        await view.release();
        throw error;
      }
    },

    async *changes(from: Position, signal: AbortSignal): AsyncGenerator<FeedBatch> {
      let place = parsePlace(from);
      while (!signal.aborted) {
        const mark = wakeup.mark();
        const here = place;
        const read = await persistently(() => readAfter(database, here), signal);
        if (read === null) return;
        place = read.place;
        if (read.changes.length > 0) yield { position: formatPlace(place), changes: read.changes };
        else if (place.part === null) await wakeup.wait(mark, pollEvery, signal);
      }
    },
  };
}

async function* readAll(
  view: Queryable & { release(): Promise<void> },
  signal: AbortSignal,
): AsyncGenerator<readonly Change[]> {
  try {
    for (const kind of kinds) {
      const resource: Resource<never> = resources[kind] as unknown as Resource<never>;
      const type = resource.columns['id']?.type ?? 'uuid';
      let last: string | null = null;
      do {
        signal.throwIfAborted();
        const rows: readonly { readonly id: string; readonly revision: number }[] = await view.query(
          `select ${rowFields(resource)} from ${resource.table} t
           where $1::${type} is null or t.id > $1::${type} order by t.id limit ${batchSize}`,
          [last],
        );
        if (rows.length > 0) yield rows.map((row) => present(kind, row));
        last = rows.length < batchSize ? null : (rows.at(-1)?.id ?? null);
      } while (last !== null);
    }
  } finally {
    await view.release();
  }
}

interface ReadAfter {
  readonly place: Place;
  readonly changes: readonly Change[];
}

interface FoundRow extends ChangeRow {
  readonly now: string;
  readonly end: string;
  readonly trimmed: string;
}

/** All in one statement, so of one instant. The inner query is fenced: it must go by transaction, never by number. */
const readAfterText = `
  with fresh as materialized (
    select seq, kind, id, revision, deleted from changes
    where xid >= pg_snapshot_xmin($1::text::pg_snapshot) and not pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
      and ($2::text is null or pg_visible_in_snapshot(xid, $2::text::pg_snapshot)) and seq > $3::text::bigint)
  select c.seq::text, c.kind, c.id, c.revision, c.deleted, s.*
  from (select pg_current_snapshot()::text as now, ${endText} as "end", xid::text as trimmed from changes_trimmed) s
  left join (select * from fresh order by seq limit ${batchSize + 1}) c on true
  order by c.seq`;

/** The rows that `place` has not seen and that are visible now, and the place after them. */
async function readAfter(database: Database, place: Place): Promise<ReadAfter> {
  const rows = await database.query<FoundRow>(
    readAfterText,
    [formatSeen(place.seen), place.part === null ? null : formatSeen(place.part.upTo), place.part?.after ?? '0'],
    'fresh',
  );
  const [first] = rows;
  if (first === undefined) throw new FeedGap('the database is none of ours');
  const now = parseSeen(first.now);
  checkKept(place, { now, trimmed: BigInt(first.trimmed) });
  const given = first.seq === null ? [] : rows.slice(0, batchSize);
  const upTo = place.part?.upTo ?? withoutUnknown(now, BigInt(first.end));
  const last = given.at(-1);
  const isAll = rows.length <= batchSize || last === undefined;
  return {
    place: isAll ? { seen: upTo, part: null } : { seen: place.seen, part: { upTo, after: last.seq } },
    changes: await presentStates(database, given),
  };
}

/** Throws FeedGap where rows that the place has not seen may be gone already, or the place is of another database. */
function checkKept({ seen, part }: Place, { now, trimmed }: { readonly now: Seen; readonly trimmed: bigint }): void {
  const firstUnseen = seen.running[0] ?? seen.xmax;
  if (firstUnseen <= trimmed) throw new FeedGap('the position is older than what is kept');
  if (seen.xmax > now.xmax || (part !== null && part.upTo.xmax > now.xmax)) {
    throw new FeedGap('the position is of another database');
  }
}

/** One change per resource: its present row, or its removal if that is among the rows read. */
async function presentStates(database: Database, rows: readonly ChangeRow[]): Promise<readonly Change[]> {
  const byKind = new Map<Kind, Map<string, ChangeRow[]>>();
  for (const row of rows) {
    const ofKind = byKind.get(row.kind) ?? new Map<string, ChangeRow[]>();
    byKind.set(row.kind, ofKind.set(row.id, [...(ofKind.get(row.id) ?? []), row]));
  }
  const placed: { readonly seq: bigint; readonly change: Change }[] = [];
  for (const [kind, ofKind] of byKind) {
    const resource: Resource<never> = resources[kind] as unknown as Resource<never>;
    const found: readonly { readonly id: string; readonly revision: number }[] = await readRows(database, resource, [
      ...ofKind.keys(),
    ]);
    const byId = new Map(found.map((row) => [row.id, row]));
    for (const [id, history] of ofKind) {
      const row = byId.get(id);
      const [oldest, newest] = [history[0], history.at(-1)];
      if (oldest === undefined || newest === undefined) continue;
      // What is made comes where it was made first, what is removed where it went: after what refers to it.
      if (row !== undefined) placed.push({ seq: BigInt(oldest.seq), change: present(kind, row) });
      else if (newest.deleted) placed.push({ seq: BigInt(newest.seq), change: removed(kind, newest) });
      // Else it is gone by a change that is yet to be read.
    }
  }
  return placed.sort((a, b) => (a.seq < b.seq ? -1 : 1)).map(({ change }) => change);
}

function present(kind: Kind, row: { readonly id: string; readonly revision: number }): Change {
  const resource: Resource<never> = resources[kind] as unknown as Resource<never>;
  return { kind, id: row.id, revision: row.revision, row: resource.canonical(row as never) } as unknown as Change;
}

function removed(kind: Kind, { id, revision }: ChangeRow): Change {
  return { kind, id, revision, row: null } as unknown as Change;
}
