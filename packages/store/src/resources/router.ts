import { refusal } from '@alcor/network';
import type { RouterTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { canonicalAddress, history, identity, tenantKeys } from './common.ts';

const routerColumns = {
  ...identity,
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  gatewayPortId: { name: 'gateway_port_id', type: 'uuid' },
  enableSnat: { name: 'enable_snat', type: 'boolean' },
  distributed: { name: 'distributed', type: 'boolean' },
  ha: { name: 'ha', type: 'boolean' },
  routes: { name: 'routes', type: 'jsonb' },
  ...history,
} as const satisfies Record<string, Column>;

export const routerResource: Resource<RouterTypes> = {
  kind: null,
  table: 'routers',
  columns: routerColumns,
  composed: {
    gateway: `(select json_build_object('networkId', g.network_id, 'enableSnat', t.enable_snat, 'fixedIps', (
        select coalesce(json_agg(json_build_object('subnetId', a.subnet_id, 'ip', host(a.ip)) order by a.ordinal), '[]')
        from ip_allocations a where a.port_id = g.id))
      from ports g where g.id = t.gateway_port_id)`,
  },
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(routerColumns, [...tenantKeys, 'adminStateUp', 'distributed', 'ha']),
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (routerId) => refusal('RouterNotFound', { routerId }),
  canonical: (row) => {
    if (row.gateway === null) return row;
    const fixedIps = row.gateway.fixedIps.map(({ subnetId, ip }) => ({ subnetId, ip: canonicalAddress(ip) }));
    return { ...row, gateway: { ...row.gateway, fixedIps } };
  },
};
