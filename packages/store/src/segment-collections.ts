import { refusal } from '@alcor/network';
import type { Collection, SegmentRange, SegmentRangeTypes, SegmentTypes } from '@alcor/network';
import { createCollection } from './collection.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { lockRow } from './reader.ts';
import { networkResource } from './resources/network.ts';
import { segmentRangeResource, segmentResource } from './resources/segment.ts';

/** Segments come and go with their networks; nothing else makes or removes one. */
export function createSegmentCollection(context: StoreContext): Collection<SegmentTypes> {
  return createCollection(context, segmentResource, {
    defaults: { name: null, description: '' },
    beforeInsert: async (tx, rows) => {
      for (const [item, { networkId }] of rows.entries()) {
        await lockRow(tx, networkResource, networkId, { strength: 'for no key update' });
        const reason = `network ${networkId} has its segment, and cannot have two`;
        throw refusal('InvalidInput', { reason }, { item });
      }
      return rows;
    },
    beforeDelete: async (_tx, { id, networkId }) => {
      throw refusal('SegmentInUse', { segmentId: id, reason: `it is the only one of network ${networkId}` });
    },
  });
}

export function createSegmentRangeCollection(context: StoreContext): Collection<SegmentRangeTypes> {
  return createCollection(context, segmentRangeResource, {
    defaults: { name: '', description: '', shared: true, isDefault: false },
    complete: (row) => {
      checkBounds(row);
      return row.shared ? { ...row, projectId: '' } : row;
    },
    change: async (tx, row, patch) => {
      refuseDefault(row);
      const { minimum = row.minimum, maximum = row.maximum } = patch;
      checkBounds({ minimum, maximum });
      // As in Neutron, a bound that is given must not be used itself.
      const below = patch.minimum === undefined ? [] : [{ first: row.minimum, last: Math.min(row.maximum, minimum) }];
      const above = patch.maximum === undefined ? [] : [{ first: Math.max(row.minimum, maximum), last: row.maximum }];
      await refuseUsed(tx, row, [...below, ...above]);
      return patch as Partial<SegmentRange>;
    },
    beforeDelete: async (tx, row) => {
      refuseDefault(row);
      await refuseUsed(tx, row, [{ first: row.minimum, last: row.maximum }]);
    },
    conflicts: { network_segment_ranges_overlap: () => refusal('NetworkSegmentRangeOverlaps', {}) },
  });
}

function checkBounds({ minimum, maximum }: Pick<SegmentRange, 'minimum' | 'maximum'>): void {
  if (minimum <= maximum) return;
  throw refusal('InvalidInput', { reason: `minimum ${minimum} is above maximum ${maximum}` });
}

function refuseDefault({ id, isDefault }: SegmentRange): void {
  if (isDefault) throw refusal('NetworkSegmentRangeDefaultReadOnly', { rangeId: id });
}

/** A network has a VNI of those that the range would lose: one of its project's, or any where it is for all. */
async function refuseUsed(
  tx: Queryable,
  { id, shared, projectId }: SegmentRange,
  spans: readonly { readonly first: number; readonly last: number }[],
): Promise<void> {
  for (const { first, last } of spans) {
    const used = await tx.query(
      'select 1 as used from networks where vni between $1 and $2 and ($3 or project_id = $4) limit 1',
      [first, last, shared, projectId],
    );
    if (used.length > 0) throw refusal('NetworkSegmentRangeReferencedByProject', { rangeId: id });
  }
}
