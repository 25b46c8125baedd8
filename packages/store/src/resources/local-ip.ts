import { refusal } from '@alcor/network';
import type { LocalIpAssociationTypes, LocalIpTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity, tenantKeys } from './common.ts';

const localIpColumns = {
  ...identity,
  localPortId: { name: 'local_port_id', type: 'uuid' },
  networkId: { name: 'network_id', type: 'uuid' },
  ip: { name: 'ip', type: 'inet' },
  mode: { name: 'mode', type: 'text' },
  ...history,
} as const satisfies Record<string, Column>;

export const localIpResource: Resource<LocalIpTypes> = {
  kind: null,
  table: 'local_ips',
  columns: localIpColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(localIpColumns, [...tenantKeys, 'localPortId', 'networkId', 'ip', 'mode']),
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (localIpId) => refusal('LocalIPNotFound', { localIpId }),
  canonical: (row) => row,
};

const associationColumns = {
  id: identity.id,
  localIpId: { name: 'local_ip_id', type: 'uuid' },
  fixedPortId: { name: 'fixed_port_id', type: 'uuid' },
  fixedIp: { name: 'fixed_ip', type: 'inet' },
  ...history,
} as const satisfies Record<string, Column>;

const localIp = '(select l.ip from local_ips l where l.id = t.local_ip_id)';
const hostId = `coalesce((select p.host_id from ports p where p.id = t.fixed_port_id), '')`;

export const localIpAssociationResource: Resource<LocalIpAssociationTypes> = {
  kind: null,
  table: 'local_ip_associations',
  columns: associationColumns,
  composed: {},
  viewed: { localIp: `host(${localIp})`, hostId },
  join: '',
  filters: {
    localIp: (values) => `${localIp} = any(${values}::inet[])`,
    hostId: (values) => `${hostId} = any(${values})`,
  },
  sortKeys: { ...sortKeysOf(associationColumns, ['id', 'fixedPortId', 'fixedIp']), localIp, hostId },
  visibleTo: (project) => `t.local_ip_id in (select l.id from local_ips l where l.project_id = ${project})`,
  notFound: (portId) => refusal('LocalIPAssociationNotFound', { portId }),
  canonical: (row) => row,
};
