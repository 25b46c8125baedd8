import {
  type AddressPair,
  type AddressPairRequest,
  type FixedIp,
  type FixedIpRequest,
  type NodeId,
  type PortTypes,
  type PortView,
  type QosPolicyId,
  type SecurityGroupId,
  type SubnetId,
  canonicalIp,
  canonicalPrefix,
  refusal,
} from '@alcor/network';
import { ip, mac } from '../address-kinds.ts';
import { attributesOf, chosen, type FilterRule, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import {
  type Kind,
  Refusal,
  dictionary,
  flag,
  isUuid,
  listOf,
  nullable,
  nullMeans,
  oneOf,
  record,
  refined,
  shown,
  text,
  uuid,
} from '../kinds.ts';
import { keptPolicy } from './qos.ts';
import { identity, labelled, records } from './common.ts';
import {
  bindingProfile,
  dnsDomain,
  dnsName,
  extraDhcpOpts,
  vifDetails,
  vifType,
  vifTypes,
  vnicType,
  wireDhcpOpts,
  wireNames,
} from './port-extras.ts';
import { network } from './network.ts';
import { subnet } from './subnet.ts';

const { field, computed, unenforced } = attributesOf<PortTypes>();

/** Addresses of one port; a guest with more is asking for a subnet of its own. */
const maxFixedIps = 64;

/** `{"subnet_id"}`, `{"ip_address"}` or both. */
const fixedIpRequest: Kind<FixedIpRequest> = refined(
  record({}, { subnet_id: uuid<SubnetId>(), ip_address: ip }),
  ({ subnet_id: subnetId, ip_address: address }) =>
    subnetId === undefined && address === undefined
      ? new Refusal('a fixed IP needs subnet_id or ip_address')
      : { ...(subnetId === undefined ? {} : { subnetId }), ...(address === undefined ? {} : { ip: address }) },
);

/** Two requests for the same address are one too many; several addresses out of one subnet are not. */
const fixedIps: Kind<readonly FixedIpRequest[]> = refined(listOf(fixedIpRequest, maxFixedIps), (requests) => {
  const addresses = requests.flatMap(({ ip: address }) => address ?? []);
  const twin = addresses.find((address, index) => addresses.indexOf(address) !== index);
  return twin === undefined ? requests : new Refusal(`Duplicate IP address '${twin}'`);
});

/** Neutron's `max_allowed_address_pair`. */
const maxPairs = 10;
const maxGroups = 1_000;

const pairIp: Kind<string> = refined(text(64), (value) => {
  const canonical = value.includes('/') ? canonicalPrefix(value) : canonicalIp(value);
  if (canonical === null) return new Refusal(`${shown(value)} is neither an IP address nor a block of them`);
  return isMulticast(canonical) ? new Refusal(`${shown(value)} is a group’s address`) : canonical;
});

/** `{"ip_address"}`, with `mac_address` where it is not the port's own. */
const addressPairs: Kind<readonly AddressPairRequest[]> = listOf(
  refined(record({ ip_address: pairIp }, { mac_address: nullable(mac) }), (pair) => ({
    ip: pair.ip_address,
    ...(pair.mac_address === undefined ? {} : { mac: pair.mac_address }),
  })),
  maxPairs,
);
const wireAddressPairs = (pairs: readonly AddressPair[]): unknown =>
  pairs.map((pair) => ({ ip_address: pair.ip, mac_address: pair.mac }));

/** RFC 1112 and RFC 4291 section 2.7. */
function isMulticast(address: string): boolean {
  return address.includes(':') ? address.startsWith('ff') : /^(?:22[4-9]|23\d)\./.test(address);
}

/** The name of a host; empty, like null, for none. */
const hostId: Kind<NodeId | null> = refined(nullable(text(255)), (name) =>
  name === null || name === '' ? null : (name as NodeId),
);

/** `fixed_ips=ip_address=10.0.0.4`, `fixed_ips=ip_address_substr=10.0`, `fixed_ips=subnet_id=…`; several of one sort are alternatives. */
const byFixedIp: FilterRule = (values) => {
  const addresses: string[] = [];
  const parts: string[] = [];
  const subnets: string[] = [];
  for (const value of values) {
    const at = value.indexOf('=');
    const key = value.slice(0, Math.max(at, 0));
    const wanted = value.slice(at + 1);
    if (key === 'ip_address') addresses.push(...known(ip, wanted));
    else if (key === 'ip_address_substr') parts.push(wanted);
    else if (key === 'subnet_id') subnets.push(...known(uuid(), wanted));
    else
      throw refusal('HTTPBadRequest', {
        reason: `Invalid input for fixed_ips. Reason: '${key}' is no part of a fixed IP to filter by.`,
      });
  }
  const asked = (key: string): boolean => values.some((value) => value.startsWith(`${key}=`));
  return {
    ...(asked('ip_address') ? { fixedIpAddress: addresses } : {}),
    ...(parts.length > 0 ? { fixedIpPart: parts } : {}),
    ...(asked('subnet_id') ? { fixedIpSubnetId: subnets } : {}),
  };
};

function known<T>(kind: Kind<T>, value: string): readonly T[] {
  const parsed = kind.parse(value);
  return parsed instanceof Refusal ? [] : [parsed];
}

/** Neutron's defaults: what could be used against the network's other users is its owner's to set. */
const byNetworkOwner = ['network owner', 'service'] as const;
const byMember = ['member', 'service'] as const;
const byServices = { create: 'service', update: 'service', read: 'service' } as const;

/** `security_groups=…`: ports in one of these groups. */
const bySecurityGroup: FilterRule = (values) => ({ securityGroupId: values.flatMap((value) => known(uuid(), value)) });

const wireFixedIps = (held: readonly FixedIp[]): unknown =>
  held.map((one) => ({ subnet_id: one.subnetId, ip_address: one.ip }));

function wireTrunk(details: PortView['trunkDetails']): object | null {
  if (details === null) return null;
  const subPorts = details.subPorts.map((subPort) => ({
    port_id: subPort.portId,
    segmentation_type: subPort.segmentationType,
    segmentation_id: subPort.segmentationId,
    mac_address: subPort.mac,
  }));
  return { trunk_id: details.trunkId, sub_ports: subPorts };
}

export const port = define<PortTypes>({
  singular: 'port',
  plural: 'ports',
  prefix: '/v2.0',
  about: 'Where one interface of a guest is attached to a network',
  tenancy: 'project',
  policy: {
    create: ['member', 'service'],
    update: ['member', 'service'],
    delete: ['member', 'network owner', 'service'],
    networkField: 'networkId',
  },
  collection: (store) => store.ports,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as PortTypes['id']) : null),
  notFound: (portId) => refusal('PortNotFound', { portId }),
  attributes: {
    ...identity<PortTypes>(),
    network_id: field('networkId', uuid(), 'The network it is on', {
      post: required,
      ...listed,
      refers: [{ to: () => network }],
    }),
    admin_state_up: field('adminStateUp', flag, 'False: nothing is forwarded', {
      post: initially(true),
      put: true,
      ...listed,
    }),
    status: field('status', oneOf('ACTIVE', 'DOWN', 'ERROR'), 'What its host says of it', listed),
    'alcor:status_reason': field('statusReason', text(4096), 'Why it is not ACTIVE, in the words of its host'),
    mac_address: field('mac', nullable(mac), 'Unique on the network. Null, and default: a generated one', {
      post: chosen,
      put: true,
      ...listed,
      access: { create: byNetworkOwner, update: 'service' },
    }),
    fixed_ips: field('fixedIps', fixedIps, 'Its addresses. Default: one of each IP version', {
      post: chosen,
      put: true,
      filter: byFixedIp,
      wire: wireFixedIps,
      access: { create: byMember, update: byNetworkOwner, members: { ip_address: byNetworkOwner } },
      refers: [{ to: () => subnet, at: 'subnet_id' }],
    }),
    device_id: field('deviceId', text(255), 'The guest it belongs to', { post: initially(''), put: true, ...listed }),
    device_owner: field('deviceOwner', text(255), 'The service that made it', {
      post: initially(''),
      put: true,
      ...listed,
      access: { members: { 'network:': byNetworkOwner } },
    }),
    port_security_enabled: field(
      'portSecurityEnabled',
      flag,
      'Only its own addresses may send. Default: the network’s',
      { post: chosen, put: true, ...listed, access: { create: byNetworkOwner, update: byNetworkOwner } },
    ),
    security_groups: field(
      'securityGroupIds',
      nullable(listOf(uuid<SecurityGroupId>(), maxGroups, String)),
      'The groups that protect it. Default: the project’s default one, where port security is on',
      { post: chosen, put: true, filter: bySecurityGroup },
    ),
    allowed_address_pairs: field('allowedAddressPairs', nullMeans(addressPairs, []), 'What else it may send from', {
      post: initially([]),
      put: true,
      wire: wireAddressPairs,
      access: { create: byNetworkOwner, update: byNetworkOwner },
    }),
    extra_dhcp_opts: field('extraDhcpOpts', extraDhcpOpts, 'Told to its guest by DHCP', {
      post: initially([]),
      put: true,
      wire: wireDhcpOpts,
    }),
    qos_policy_id: field('qosPolicyId', nullable(uuid<QosPolicyId>()), 'What quality it gets; null: its network’s', {
      post: initially(null),
      put: true,
      filter: true,
      refers: [keptPolicy],
    }),
    qos_network_policy_id: computed(nullable(uuid()), 'That of its network', (view) => view.qosNetworkPolicyId),
    trunk_details: computed(nullable(dictionary), 'The trunk whose parent it is', (view) =>
      wireTrunk(view.trunkDetails),
    ),
    dns_name: field('dnsName', dnsName, 'The host name of its guest', { post: initially(''), put: true, filter: true }),
    dns_domain: field('dnsDomain', dnsDomain, 'The domain of that name', { post: initially(''), put: true }),
    dns_assignment: computed(listOf(dictionary, 1_000), 'The names of its addresses', wireNames),
    propagate_uplink_status: unenforced(flag, false, 'the uplink’s state is not passed on', { visible: false }),
    numa_affinity_policy: unenforced(
      nullable(oneOf('required', 'preferred', 'legacy')),
      null,
      'guests are not placed here',
      { visible: false },
    ),
    device_profile: unenforced(nullable(text(255)), null, 'no accelerators are attached', { visible: false }),
    'binding:host_id': field('hostId', hostId, 'The host that the guest runs on; empty: none yet', {
      post: chosen,
      put: true,
      ...listed,
      access: byServices,
      wire: (host) => host ?? '',
    }),
    'binding:vnic_type': field('vnicType', vnicType, 'How its guest is attached: only normal interfaces are driven', {
      post: initially('normal'),
      put: true,
      filter: true,
    }),
    'binding:profile': field('bindingProfile', bindingProfile, 'For the machinery of the guest’s host', {
      post: initially({}),
      put: true,
      access: byServices,
    }),
    'binding:vif_type': computed(vifTypes, 'How the interface is attached', vifType, { access: byServices }),
    'binding:vif_details': computed(dictionary, 'What the attachment can do', vifDetails, { access: byServices }),
    ...records<PortTypes>(),
    tags: field('tags', labelled.kind, labelled.about, labelled.use),
  },
});
