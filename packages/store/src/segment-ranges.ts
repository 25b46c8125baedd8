import type { StoreLimits } from './context.ts';
import type { Database, Queryable } from './database.ts';
import { arrayLiteral } from './sql.ts';
import { joined, without } from './vni-book.ts';
import type { Span } from './vni-book.ts';

interface KnownRange extends Span {
  readonly id: string;
  readonly projectId: string;
  readonly isDefault: boolean;
  readonly shared: boolean;
  readonly revision: number;
}

/** Every range, as it was when new networks were planned. */
export type Ranges = readonly KnownRange[];

export function readRanges(on: Queryable): Promise<Ranges> {
  return on.query<KnownRange>(
    `select id, project_id as "projectId", is_default as "isDefault", shared, minimum as first, maximum as last, revision
     from network_segment_ranges`,
    [],
  );
}

/** Where a project's networks get their VNIs: out of its own ranges first, then out of what belongs to no project. */
export function spansFor(ranges: Ranges, projectId: string): readonly (readonly Span[])[] {
  const spansOf = (those: Ranges): readonly Span[] => those.map(({ first, last }) => ({ first, last }));
  const owned = ranges.filter(({ shared }) => !shared);
  const own = joined(spansOf(owned.filter((range) => range.projectId === projectId)));
  const open = without(spansOf(ranges.filter(({ shared }) => shared)), spansOf(owned));
  return [own, open];
}

/**
 * Keeps the ranges that hold the VNIs as they were when these were chosen, until the end of the transaction. False where one has
 * changed since. The default range is not kept: nobody takes it away.
 */
export async function keepRanges(tx: Queryable, ranges: Ranges, vnis: readonly number[]): Promise<boolean> {
  const held = ranges.filter(
    ({ isDefault, first, last }) => !isDefault && vnis.some((vni) => vni >= first && vni <= last),
  );
  if (held.length === 0) return true;
  const now = await tx.query<{ id: string; revision: number }>(
    'select id, revision from network_segment_ranges where id = any($1::uuid[]) order by id for share',
    [arrayLiteral(held.map(({ id }) => id))],
  );
  const revisions = new Map(now.map(({ id, revision }) => [id, revision]));
  return held.every(({ id, revision }) => revisions.get(id) === revision);
}

/** Writes the default range: as configured, where it is; otherwise as it was, at first `fallback`. */
export async function setDefaultRange(
  database: Database,
  configured: Partial<StoreLimits>,
  { limits, id, now }: { readonly limits: StoreLimits; readonly id: string; readonly now: Date },
): Promise<void> {
  const given = configured.firstVni !== undefined || configured.lastVni !== undefined;
  const [present] = await database.query<Span>(
    'select minimum as first, maximum as last from network_segment_ranges where is_default',
    [],
  );
  if (present !== undefined && (!given || (present.first === limits.firstVni && present.last === limits.lastVni)))
    return;
  await database.write(
    `insert into network_segment_ranges as r
       (id, project_id, name, description, is_default, shared, minimum, maximum, revision, created_at, updated_at)
     values ($1, '', '', 'What the region is configured with', true, true, $2, $3, 1, $4, $4)
     on conflict (is_default) where is_default do update
       set minimum = excluded.minimum, maximum = excluded.maximum, revision = r.revision + 1, updated_at = excluded.updated_at
       where $5 and (r.minimum, r.maximum) is distinct from (excluded.minimum, excluded.maximum)`,
    [id, limits.firstVni, limits.lastVni, now.toISOString(), given],
  );
}
