import { refusal } from '@alcor/network';
import type { TrunkTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity, tenantKeys } from './common.ts';

const columns = {
  ...identity,
  portId: { name: 'port_id', type: 'uuid' },
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  status: { name: 'status', type: 'text' },
  ...history,
} as const satisfies Record<string, Column>;

export const trunkResource: Resource<TrunkTypes> = {
  kind: null,
  table: 'trunks',
  columns,
  composed: {
    subPorts: `(select coalesce(json_agg(json_build_object('portId', s.port_id, 'segmentationType', s.segmentation_type,
        'segmentationId', s.segmentation_id) order by s.ordinal), '[]')
      from trunk_ports s where s.trunk_id = t.id and s.segmentation_type is not null)`,
  },
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(columns, [...tenantKeys, 'portId', 'adminStateUp', 'status']),
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (trunkId) => refusal('TrunkNotFound', { trunkId }),
  canonical: (row) => row,
};
