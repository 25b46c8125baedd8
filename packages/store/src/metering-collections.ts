import { checkMeteringOverlap, checkMeteringPrefixes } from '@alcor/network';
import type { Collection, MeteringLabelRuleTypes, MeteringLabelTypes } from '@alcor/network';
import { createCollection, forEachItem } from './collection.ts';
import type { StoreContext } from './context.ts';
import { lockRow, readPage } from './reader.ts';
import { meteringLabelResource, meteringLabelRuleResource } from './resources/metering.ts';

export function createMeteringLabelCollection(context: StoreContext): Collection<MeteringLabelTypes> {
  return createCollection(context, meteringLabelResource, { defaults: { name: '', description: '', shared: false } });
}

export function createMeteringLabelRuleCollection(context: StoreContext): Collection<MeteringLabelRuleTypes> {
  return createCollection(context, meteringLabelRuleResource, {
    defaults: { excluded: false, remoteIpPrefix: null, sourceIpPrefix: null, destinationIpPrefix: null },
    complete: (row) => {
      checkMeteringPrefixes(row);
      return row;
    },
    beforeInsert: async (tx, rows) => {
      for (const labelId of [...new Set(rows.map((row) => row.labelId))].toSorted()) {
        await lockRow(tx, meteringLabelResource, labelId, { strength: 'for no key update' });
        const others = [...(await readPage(tx, meteringLabelRuleResource, { filter: { labelId: [labelId] } })).rows];
        forEachItem(rows, (row) => {
          if (row.labelId !== labelId) return;
          checkMeteringOverlap(row, others);
          others.push(row);
        });
      }
      return rows;
    },
  });
}
