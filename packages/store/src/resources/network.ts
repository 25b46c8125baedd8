import { refusal } from '@alcor/network';
import type { NetworkTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity, tenantKeys } from './common.ts';

const networkColumns = {
  ...identity,
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  shared: { name: 'shared', type: 'boolean' },
  mtu: { name: 'mtu', type: 'integer' },
  vni: { name: 'vni', type: 'integer' },
  portSecurityEnabled: { name: 'port_security_enabled', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

export const networkResource: Resource<NetworkTypes> = {
  kind: 'network',
  table: 'networks',
  columns: networkColumns,
  composed: {},
  viewed: {
    subnetIds: `(select coalesce(json_agg(s.id order by s.id), '[]') from subnets s where s.network_id = t.id)`,
  },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(networkColumns, [...tenantKeys, 'adminStateUp', 'shared', 'mtu', 'vni']),
  visibleTo: (project) => `(t.project_id = ${project} or t.shared)`,
  notFound: (networkId) => refusal('NetworkNotFound', { networkId }),
  canonical: (row) => row,
};
