import { refusal } from '@alcor/network';
import type { ConntrackHelperTypes, NdpProxyTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { canonicalAddress, history, identity, tenantKeys } from './common.ts';

const helperColumns = {
  id: identity.id,
  routerId: { name: 'router_id', type: 'uuid' },
  protocol: { name: 'protocol', type: 'text' },
  port: { name: 'port', type: 'integer' },
  helper: { name: 'helper', type: 'text' },
  ...history,
} as const satisfies Record<string, Column>;

export const conntrackHelperResource: Resource<ConntrackHelperTypes> = {
  kind: null,
  table: 'conntrack_helpers',
  columns: helperColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(helperColumns, ['id', 'protocol', 'port', 'helper']),
  visibleTo: (project) => `t.router_id in (select r.id from routers r where r.project_id = ${project})`,
  notFound: (conntrackHelperId) => refusal('ConntrackHelperNotFound', { conntrackHelperId }),
  canonical: (row) => row,
};

const proxyColumns = {
  ...identity,
  routerId: { name: 'router_id', type: 'uuid' },
  portId: { name: 'port_id', type: 'uuid' },
  ip: { name: 'ip', type: 'inet' },
  ...history,
} as const satisfies Record<string, Column>;

export const ndpProxyResource: Resource<NdpProxyTypes> = {
  kind: null,
  table: 'ndp_proxies',
  columns: proxyColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(proxyColumns, [...tenantKeys, 'routerId', 'portId', 'ip']),
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (ndpProxyId) => refusal('NDPProxyNotFound', { ndpProxyId }),
  canonical: (row) => ({ ...row, ip: canonicalAddress(row.ip) }),
};
