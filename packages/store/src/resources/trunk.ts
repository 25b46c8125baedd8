import { refusal } from '@alcor/network';
import type { TrunkTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity, tenantKeys } from './common.ts';

const columns = {
  ...identity,
  portId: { name: 'port_id', type: 'uuid' },
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

/** As its parent stands, and whether its sub-ports are all reached that are switched on. */
const status = `(select case when u.status <> 'ACTIVE' then u.status
    when exists (${subPortsThat(`x.status = 'ERROR'`)}) then 'DEGRADED'
    when exists (${subPortsThat(`x.status <> 'ACTIVE' and p.admin_state_up`)}) then 'BUILD' else 'ACTIVE' end
  from port_status u where u.port_id = t.port_id)`;

function subPortsThat(condition: string): string {
  return `select 1 from trunk_ports m join ports p on p.id = m.port_id join port_status x on x.port_id = m.port_id
    where m.trunk_id = t.id and m.segmentation_type is not null and ${condition}`;
}

export const trunkResource: Resource<TrunkTypes> = {
  kind: null,
  table: 'trunks',
  columns,
  composed: {
    subPorts: `(select coalesce(json_agg(json_build_object('portId', s.port_id, 'segmentationType', s.segmentation_type,
        'segmentationId', s.segmentation_id) order by s.ordinal), '[]')
      from trunk_ports s where s.trunk_id = t.id and s.segmentation_type is not null)`,
  },
  viewed: { status },
  join: '',
  filters: { status: (values) => `${status} = any(${values})` },
  sortKeys: { ...sortKeysOf(columns, [...tenantKeys, 'portId', 'adminStateUp']), status },
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (trunkId) => refusal('TrunkNotFound', { trunkId }),
  canonical: (row) => row,
};
