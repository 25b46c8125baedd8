import { refusal, shownVnis } from '@alcor/network';
import type { SegmentRangeTypes, SegmentTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity, tenantKeys } from './common.ts';
import { segmentationId } from './network.ts';

const segmentColumns = {
  id: identity.id,
  networkId: { name: 'network_id', type: 'uuid' },
  name: { name: 'name', type: 'text', nullsAs: `''` },
  description: identity.description,
  ...history,
} as const satisfies Record<string, Column>;

export const segmentResource: Resource<SegmentTypes> = {
  kind: null,
  table: 'segments',
  columns: segmentColumns,
  composed: {},
  viewed: {
    networkType: 'n.network_type',
    physicalNetwork: 'n.physical_network',
    segmentationId: segmentationId('n'),
  },
  join: 'join networks n on n.id = t.network_id',
  filters: {
    networkType: (values) => `n.network_type = any(${values})`,
    physicalNetwork: (values) => `n.physical_network = any(${values})`,
    segmentationId: (values) => `${segmentationId('n')}::text = any(${values})`,
  },
  sortKeys: {
    ...sortKeysOf(segmentColumns, ['id', 'networkId', 'name', 'description', 'revision', 'createdAt', 'updatedAt']),
    segmentationId: `coalesce(${segmentationId('n')}, 0)`,
  },
  visibleTo: null,
  notFound: (segmentId) => refusal('SegmentNotFound', { segmentId }),
  canonical: (row) => row,
};

const rangeColumns = {
  ...identity,
  isDefault: { name: 'is_default', type: 'boolean' },
  shared: { name: 'shared', type: 'boolean' },
  minimum: { name: 'minimum', type: 'integer' },
  maximum: { name: 'maximum', type: 'integer' },
  ...history,
} as const satisfies Record<string, Column>;

const inRange = 'n.vni between t.minimum and t.maximum';

export const segmentRangeResource: Resource<SegmentRangeTypes> = {
  kind: null,
  table: 'network_segment_ranges',
  columns: rangeColumns,
  composed: {},
  viewed: {
    used: `(select coalesce(json_object_agg(n.vni, n.project_id order by n.vni), '{}') from networks n where ${inRange})`,
    // Among so many and as many as are used, there are so many free ones: the rest of the range is not looked at.
    available: `(select coalesce(json_agg(f.vni order by f.vni), '[]') from (
        select generate_series(t.minimum, least(t.maximum,
          t.minimum + ${shownVnis - 1} + (select count(*)::int from networks n where ${inRange}))) as vni
        except select n.vni from networks n where ${inRange} order by 1 limit ${shownVnis}) f)`,
  },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(rangeColumns, [...tenantKeys, 'isDefault', 'shared', 'minimum', 'maximum']),
  // Administrators only.
  visibleTo: (project) => `${project} is null`,
  notFound: (rangeId) => refusal('NetworkSegmentRangeNotFound', { rangeId }),
  canonical: (row) => row,
};
