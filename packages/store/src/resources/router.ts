import { refusal } from '@alcor/network';
import type { FixedIp, RouterTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { zonesView } from '../zones.ts';
import { canonicalAddress, history, identity, tenantKeys } from './common.ts';

const noId = `'00000000-0000-0000-0000-000000000000'::uuid`;

const routerColumns = {
  ...identity,
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  gatewayPortId: { name: 'gateway_port_id', type: 'uuid' },
  enableSnat: { name: 'enable_snat', type: 'boolean' },
  distributed: { name: 'distributed', type: 'boolean' },
  ha: { name: 'ha', type: 'boolean' },
  enableNdpProxy: { name: 'enable_ndp_proxy', type: 'boolean' },
  flavorId: { name: 'flavor_id', type: 'uuid', nullsAs: noId },
  qosPolicyId: { name: 'qos_policy_id', type: 'uuid' },
  routes: { name: 'routes', type: 'jsonb' },
  availabilityZoneHints: { name: 'availability_zone_hints', type: 'jsonb' },
  ...history,
} as const satisfies Record<string, Column>;

const addressesOf = (port: string): string => `(
  select coalesce(json_agg(json_build_object('subnetId', a.subnet_id, 'ip', host(a.ip)) order by a.ordinal), '[]')
  from ip_allocations a where a.port_id = ${port})`;

export const routerResource: Resource<RouterTypes> = {
  kind: 'router',
  table: 'routers',
  columns: routerColumns,
  composed: {
    gateway: `(select json_build_object('networkId', g.network_id, 'enableSnat', t.enable_snat,
        'qosPolicyId', t.qos_policy_id, 'mac', g.mac,
        'fixedIps', ${addressesOf('g.id')})
      from ports g where g.id = t.gateway_port_id)`,
    interfaces: `(select coalesce(json_agg(json_build_object('portId', p.id, 'networkId', p.network_id, 'mac', p.mac,
        'fixedIps', ${addressesOf('p.id')}) order by p.id), '[]')
      from router_interfaces i join ports p on p.id = i.port_id where i.router_id = t.id)`,
    conntrackHelpers: `(select coalesce(json_agg(json_build_object('protocol', c.protocol, 'port', c.port, 'helper', c.helper)
        order by c.id), '[]') from conntrack_helpers c where c.router_id = t.id)`,
  },
  viewed: { availabilityZones: zonesView },
  join: '',
  filters: {},
  sortKeys: sortKeysOf(routerColumns, [...tenantKeys, 'adminStateUp', 'distributed', 'ha', 'flavorId']),
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (routerId) => refusal('RouterNotFound', { routerId }),
  canonical: (row) => ({
    ...row,
    gateway: row.gateway && withCanonicalIps(row.gateway),
    interfaces: row.interfaces.map(withCanonicalIps),
  }),
};

function withCanonicalIps<Held extends { readonly fixedIps: readonly FixedIp[] }>(held: Held): Held {
  return { ...held, fixedIps: held.fixedIps.map(({ subnetId, ip }) => ({ subnetId, ip: canonicalAddress(ip) })) };
}
