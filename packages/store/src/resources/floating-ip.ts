import { refusal } from '@alcor/network';
import type { FloatingIpPoolTypes, FloatingIpTypes, PortForwardingTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity } from './common.ts';

const { id, projectId, description } = identity;
const noId = `'00000000-0000-0000-0000-000000000000'::uuid`;
const noIp = `'0.0.0.0'::inet`;

const floatingIpColumns = {
  id,
  projectId,
  description,
  networkId: { name: 'network_id', type: 'uuid' },
  ip: { name: 'ip', type: 'inet' },
  externalPortId: { name: 'external_port_id', type: 'uuid' },
  portId: { name: 'port_id', type: 'uuid', nullsAs: noId },
  fixedIp: { name: 'fixed_ip', type: 'inet', nullsAs: noIp },
  routerId: { name: 'router_id', type: 'uuid', nullsAs: noId },
  qosPolicyId: { name: 'qos_policy_id', type: 'uuid' },
  ...history,
} as const satisfies Record<string, Column>;

/** In the words of the API: ACTIVE once it leads from a provider network, by which alone it is reached, to a port that its host has wired. */
const status = `case when t.router_id is not null
  and exists (select 1 from networks n where n.id = t.network_id and n.physical_network is not null) and exists (
    select 1 from port_status u where u.status = 'ACTIVE'
      and (u.port_id = t.port_id or u.port_id in (select f.port_id from port_forwardings f where f.floating_ip_id = t.id)))
  then 'ACTIVE' else 'DOWN' end`;

export const floatingIpResource: Resource<FloatingIpTypes> = {
  kind: 'floating-ip',
  table: 'floating_ips',
  columns: floatingIpColumns,
  composed: {
    mac: '(select p.mac from ports p where p.id = t.external_port_id)',
    forwardings: `(select coalesce(json_agg(json_build_object('id', f.id, 'portId', f.port_id,
        'fixedIp', host(f.fixed_ip), 'protocol', f.protocol,
        'externalPorts', f.external_ports, 'internalPorts', f.internal_ports) order by f.id), '[]')
      from port_forwardings f where f.floating_ip_id = t.id)`,
  },
  viewed: {
    status,
    subnetId: `(select a.subnet_id from ip_allocations a where a.port_id = t.external_port_id and a.ip = t.ip)`,
    qosNetworkPolicyId: '(select n.qos_policy_id from networks n where n.id = t.network_id)',
    portDetails: `(select json_build_object('name', p.name, 'networkId', p.network_id, 'mac', p.mac,
        'adminStateUp', p.admin_state_up, 'status', u.status, 'deviceId', p.device_id,
        'deviceOwner', p.device_owner)
      from ports p join port_status u on u.port_id = p.id where p.id = t.port_id)`,
  },
  join: '',
  filters: { status: (values) => `(${status}) = any(${values})` },
  sortKeys: {
    ...sortKeysOf(floatingIpColumns, [
      'id',
      'projectId',
      'description',
      'networkId',
      'ip',
      'portId',
      'fixedIp',
      'routerId',
      'revision',
      'createdAt',
      'updatedAt',
    ]),
    status,
  },
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (floatingIpId) => refusal('FloatingIPNotFound', { floatingIpId }),
  canonical: (row) => row,
};

const portForwardingColumns = {
  id,
  floatingIpId: { name: 'floating_ip_id', type: 'uuid' },
  portId: { name: 'port_id', type: 'uuid' },
  fixedIp: { name: 'fixed_ip', type: 'inet' },
  protocol: { name: 'protocol', type: 'text' },
  externalPorts: { name: 'external_ports', type: 'text' },
  internalPorts: { name: 'internal_ports', type: 'text' },
  description,
  ...history,
} as const satisfies Record<string, Column>;

export const portForwardingResource: Resource<PortForwardingTypes> = {
  kind: null,
  table: 'port_forwardings',
  columns: portForwardingColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: {
    ...sortKeysOf(portForwardingColumns, [
      'id',
      'portId',
      'fixedIp',
      'protocol',
      'description',
      'revision',
      'createdAt',
      'updatedAt',
    ]),
    externalPorts: 't.external_first',
    internalPorts: 't.internal_first',
  },
  visibleTo: (project) => `t.floating_ip_id in (select f.id from floating_ips f where f.project_id = ${project})`,
  notFound: (portForwardingId) => refusal('PortForwardingNotFound', { portForwardingId }),
  canonical: (row) => row,
};

const poolColumns = {
  id,
  name: identity.name,
  projectId,
  networkId: { name: 'network_id', type: 'uuid' },
  cidr: { name: 'cidr', type: 'cidr' },
} as const satisfies Record<string, Column>;

export const floatingIpPoolResource: Resource<FloatingIpPoolTypes> = {
  kind: null,
  table: 'floating_ip_pools',
  columns: poolColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(poolColumns, ['id', 'name', 'projectId', 'networkId', 'cidr']),
  visibleTo: null,
  notFound: (subnetId) => refusal('SubnetNotFound', { subnetId }),
  canonical: (row) => row,
};
