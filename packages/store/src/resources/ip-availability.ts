import { refusal } from '@alcor/network';
import type { NetworkIpAvailabilityTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';

const columns = {
  id: { name: 'id', type: 'uuid' },
  projectId: { name: 'project_id', type: 'text' },
  name: { name: 'name', type: 'text' },
} as const satisfies Record<string, Column>;

/** Another look at the networks: each subnet's count reads the part of one index that is the subnet's, and nothing else. */
export const networkIpAvailabilityResource: Resource<NetworkIpAvailabilityTypes> = {
  kind: null,
  table: 'networks',
  columns,
  composed: {},
  viewed: {
    subnets: `(select coalesce(json_agg(json_build_object('id', s.id, 'name', s.name, 'cidr', s.cidr,
        'ipVersion', s.ip_version, 'allocationPools', s.allocation_pools,
        'usedIps', (select count(a.port_id) from ip_allocations a where a.subnet_id = s.id)) order by s.id), '[]')
      from subnets s where s.network_id = t.id)`,
  },
  join: '',
  filters: {
    ipVersion: (values) =>
      `exists (select from subnets s where s.network_id = t.id and s.ip_version::text = any(${values}))`,
  },
  sortKeys: sortKeysOf(columns, ['id', 'name', 'projectId']),
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (networkId) => refusal('NetworkNotFound', { networkId }),
  canonical: (row) => row,
};
