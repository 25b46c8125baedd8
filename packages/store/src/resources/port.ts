import { refusal } from '@alcor/network';
import type { PortTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { canonicalAddress, history, identity, tenantKeys } from './common.ts';

const portColumns = {
  ...identity,
  networkId: { name: 'network_id', type: 'uuid' },
  adminStateUp: { name: 'admin_state_up', type: 'boolean' },
  mac: { name: 'mac', type: 'macaddr' },
  hostId: { name: 'host_id', type: 'text', nullsAs: `''` },
  deviceId: { name: 'device_id', type: 'text' },
  deviceOwner: { name: 'device_owner', type: 'text' },
  portSecurityEnabled: { name: 'port_security_enabled', type: 'boolean' },
  extraDhcpOpts: { name: 'extra_dhcp_opts', type: 'jsonb' },
  dnsName: { name: 'dns_name', type: 'text' },
  dnsDomain: { name: 'dns_domain', type: 'text' },
  vnicType: { name: 'vnic_type', type: 'text' },
  bindingProfile: { name: 'binding_profile', type: 'jsonb' },
  qosPolicyId: { name: 'qos_policy_id', type: 'uuid' },
  allowedAddressPairs: { name: 'allowed_address_pairs', type: 'jsonb' },
  ...history,
} as const satisfies Record<string, Column>;

export const portResource: Resource<PortTypes> = {
  kind: 'port',
  table: 'ports',
  columns: portColumns,
  composed: {
    fixedIps: `(select coalesce(json_agg(json_build_object('subnetId', a.subnet_id, 'ip', host(a.ip)) order by a.ordinal), '[]')
      from ip_allocations a where a.port_id = t.id)`,
    securityGroupIds: `(select coalesce(json_agg(g.security_group_id order by g.security_group_id), '[]')
      from port_security_groups g where g.port_id = t.id)`,
    ndpProxies: `(select coalesce(json_agg(json_build_object('routerId', x.router_id, 'ip', host(x.ip)) order by x.ip, x.router_id), '[]')
      from ndp_proxies x where x.port_id = t.id)`,
    localIps: `(select coalesce(json_agg(json_build_object('ip', host(l.ip), 'mode', l.mode, 'fixedIp', host(x.fixed_ip)) order by l.ip, l.id), '[]')
      from local_ip_associations x join local_ips l on l.id = x.local_ip_id where x.fixed_port_id = t.id)`,
    trunk: `(select json_build_object('parentId', k.port_id, 'vlan', s.segmentation_id)
      from trunk_ports s join trunks k on k.id = s.trunk_id where s.port_id = t.id and s.segmentation_type is not null)`,
  },
  viewed: {
    status: 'u.status',
    statusReason: 'u.reason',
    qosNetworkPolicyId: '(select n.qos_policy_id from networks n where n.id = t.network_id)',
    trunkDetails: `(select json_build_object('trunkId', k.id, 'subPorts', (
      select coalesce(json_agg(json_build_object('portId', s.port_id, 'segmentationType', s.segmentation_type,
        'segmentationId', s.segmentation_id, 'mac', p.mac) order by s.ordinal), '[]')
      from trunk_ports s join ports p on p.id = s.port_id where s.trunk_id = k.id and s.segmentation_type is not null))
      from trunks k where k.port_id = t.id)`,
  },
  // Looked up port by port (the offset says so): the planner would rather read all statuses up to those of a page.
  join: 'join lateral (select s.status, s.reason from port_status s where s.port_id = t.id offset 0) u on true',
  filters: {
    status: (values) => `t.id in (select s.port_id from port_status s where s.status = any(${values}))`,
    securityGroupId: (values) =>
      `t.id in (select g.port_id from port_security_groups g where g.security_group_id = any(${values}::uuid[]))`,
  },
  sortKeys: {
    ...sortKeysOf(portColumns, [
      ...tenantKeys,
      'networkId',
      'mac',
      'hostId',
      'deviceId',
      'deviceOwner',
      'adminStateUp',
      'portSecurityEnabled',
    ]),
    status: 'u.status',
  },
  visibleTo: (project) =>
    `(t.project_id = ${project} or t.network_id = any(array(select n.id from networks n where n.project_id = ${project})))`,
  notFound: (portId) => refusal('PortNotFound', { portId }),
  canonical: (row) => ({
    ...row,
    fixedIps: row.fixedIps.map(({ subnetId, ip }) => ({ subnetId, ip: canonicalAddress(ip) })),
    ndpProxies: row.ndpProxies.map(({ routerId, ip }) => ({ routerId, ip: canonicalAddress(ip) })),
  }),
};
