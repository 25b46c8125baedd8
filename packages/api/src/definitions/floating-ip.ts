import type {
  Collection,
  FloatingIpPoolTypes,
  FloatingIpTypes,
  ForwardingSummary,
  IntentStore,
  PortDetails,
  PortForwardingTypes,
  PortId,
  PortRange,
  QosPolicyId,
} from '@alcor/network';
import { forwardedProtocols, portsOf, refusal } from '@alcor/network';
import { cidr, ip } from '../address-kinds.ts';
import { attributesOf, chosen, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import {
  type Kind,
  Refusal,
  dictionary,
  integer,
  isUuid,
  listOf,
  nullable,
  oneOf,
  refined,
  shown,
  text,
  uuid,
} from '../kinds.ts';
import { nameless, records } from './common.ts';
import { network } from './network.ts';
import { port } from './port.ts';
import { keptPolicy } from './qos.ts';

const { field, computed, unenforced } = attributesOf<FloatingIpTypes>();

function wireDetails(held: PortDetails | null): object | null {
  if (held === null) return null;
  return {
    name: held.name,
    network_id: held.networkId,
    mac_address: held.mac,
    admin_state_up: held.adminStateUp,
    status: held.status,
    device_id: held.deviceId,
    device_owner: held.deviceOwner,
  };
}

function wireForwarding({ id, portId, fixedIp, protocol, externalPorts, internalPorts }: ForwardingSummary): object {
  return {
    id,
    protocol,
    external_port: singleOf(externalPorts),
    internal_port: singleOf(internalPorts),
    internal_ip_address: fixedIp,
    internal_port_id: portId,
  };
}

/** The number where the range is but one. */
function singleOf(range: PortRange): number | null {
  const { first, last } = portsOf(range);
  return first === last ? first : null;
}

/** Another project's port on a network of one's own can be seen, but not be reached from outside by one's own floating IP. */
async function checkOwnPort(
  store: IntentStore,
  { projectId, id }: { readonly projectId: string; readonly id: string },
  portId: PortId | null | undefined,
): Promise<void> {
  if (portId === null || portId === undefined) return;
  const { projectId: owner } = await store.ports.get(portId);
  if (owner === projectId) return;
  const reason = `Port ${portId} is of a different project than floating IP ${id}`;
  throw refusal('BadRequest', { resource: 'floatingip', reason });
}

export const floatingIp = define<FloatingIpTypes>({
  singular: 'floatingip',
  plural: 'floatingips',
  prefix: '/v2.0',
  about: 'An address of an external network that stands for one of a port’s',
  tenancy: 'project',
  collection: (store) => store.floatingIps,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as FloatingIpTypes['id']) : null),
  notFound: (floatingIpId) => refusal('FloatingIPNotFound', { floatingIpId }),
  judge: async (store, caller, inputs) => {
    if (caller.isAdmin) return;
    for (const { projectId, portId } of inputs) await checkOwnPort(store, { projectId, id: 'to be' }, portId);
  },
  judgeAlteration: async ({ store, caller, view, input }) => {
    if (!caller.isAdmin) await checkOwnPort(store, view, input.portId);
  },
  attributes: {
    ...nameless<FloatingIpTypes>(),
    floating_ip_address: field('ip', ip, 'Default: a free one', {
      post: chosen,
      ...listed,
      access: { create: 'admin' },
    }),
    floating_network_id: field('networkId', uuid(), 'The external network', {
      post: required,
      ...listed,
      refers: [{ to: () => network }],
    }),
    subnet_id: {
      ...field('subnetId', nullable(uuid()), 'Of the external network; default: any', { post: chosen }),
      visible: false,
    },
    router_id: field('routerId', nullable(uuid()), 'What carries its traffic', listed),
    port_id: field('portId', nullable(uuid()), 'The port that it stands for; null: none', {
      post: chosen,
      put: true,
      ...listed,
      refers: [{ to: () => port }],
    }),
    fixed_ip_address: field('fixedIp', nullable(ip), 'The port’s address; default: its only one of IPv4', {
      post: chosen,
      put: true,
      ...listed,
    }),
    status: field(
      'status',
      oneOf('ACTIVE', 'DOWN'),
      'ACTIVE: it leads from a provider network to a port that is ACTIVE',
      listed,
    ),
    port_details: computed(nullable(dictionary), 'What its port is', (view) => wireDetails(view.portDetails)),
    port_forwardings: computed(listOf(dictionary, 1_000_000), 'What is forwarded from it', (view) =>
      view.forwardings.map(wireForwarding),
    ),
    qos_policy_id: field('qosPolicyId', nullable(uuid<QosPolicyId>()), 'What quality it gets; null: its network’s', {
      post: initially(null),
      put: true,
      filter: true,
      refers: [keptPolicy],
    }),
    qos_network_policy_id: computed(nullable(uuid()), 'That of its network', (view) => view.qosNetworkPolicyId),
    dns_name: unenforced(text(255), '', 'names are published to no DNS outside', { visible: false, put: false }),
    dns_domain: unenforced(text(255), '', 'names are published to no DNS outside', { visible: false, put: false }),
    ...(records() as unknown as ReturnType<typeof nameless<FloatingIpTypes>>),
  },
});

const forwarding = attributesOf<PortForwardingTypes>();

const portNumber: Kind<PortRange> = refined(integer(1, 65_535), (number): PortRange => `${number}:${number}`);

/** `80:90`; one number is a range as well. */
const portRange: Kind<PortRange> = refined(text(11), (value) => {
  const [, first = '', last = first] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(value) ?? [];
  const numbers = { first: Number(first), last: Number(last) };
  const isRange = first !== '' && numbers.first >= 1 && numbers.first <= numbers.last && numbers.last <= 65_535;
  return isRange ? (`${numbers.first}:${numbers.last}` as const) : new Refusal(`${shown(value)} is not a port range`);
});

/** Connections of no other are tracked, and so none are translated. */
const protocols = oneOf(...forwardedProtocols);
const protocol: typeof protocols = {
  schema: protocols.schema,
  parse: (value) => protocols.parse(typeof value === 'string' ? value.toLowerCase() : value),
};

const single = { post: chosen, put: true, ...listed, wire: singleOf } as const;
const several = { post: chosen, put: true, ...listed } as const;

export const portForwarding = define<PortForwardingTypes>({
  singular: 'port_forwarding',
  plural: 'port_forwardings',
  prefix: '/v2.0',
  parent: { definition: floatingIp, field: 'floatingIpId' },
  about: 'Ports of a floating IP that lead to ports of a guest',
  // Whoever may change the floating IP, whose project the rules see.
  tenancy: 'region',
  policy: { create: 'member', get: 'reader', update: 'member', delete: 'member' },
  collection: (store) => store.portForwardings,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as PortForwardingTypes['id']) : null),
  notFound: (portForwardingId) => refusal('PortForwardingNotFound', { portForwardingId }),
  complete: (body) => {
    for (const name of ['external_port', 'internal_port']) {
      if (!Object.hasOwn(body, name) && !Object.hasOwn(body, `${name}_range`)) {
        throw refusal('HTTPBadRequest', {
          reason: `Failed to parse request. Required attribute '${name}' not specified`,
        });
      }
    }
    return body;
  },
  attributes: {
    id: forwarding.field('id', uuid(), 'Given by the region', listed),
    internal_port_id: forwarding.field('portId', uuid(), 'The guest’s port', {
      post: required,
      put: true,
      ...listed,
      refers: [{ to: () => port }],
    }),
    internal_ip_address: forwarding.field('fixedIp', ip, 'The port’s address; default: its first of IPv4', {
      post: chosen,
      put: true,
      ...listed,
    }),
    internal_port: forwarding.field('internalPorts', portNumber, 'Null where it is a range', single),
    internal_port_range: forwarding.field('internalPorts', portRange, 'As wide as the external one, or one', several),
    external_port: forwarding.field('externalPorts', portNumber, 'Null where it is a range', single),
    external_port_range: forwarding.field('externalPorts', portRange, '80:90', several),
    protocol: forwarding.field('protocol', protocol, 'Above IP', { post: required, put: true, ...listed }),
    description: forwarding.field('description', text(255), 'For people', {
      post: initially(''),
      put: true,
      ...listed,
    }),
  },
});

const pool = attributesOf<FloatingIpPoolTypes>();

export const floatingIpPool = define<FloatingIpPoolTypes>({
  singular: 'floatingip_pool',
  plural: 'floatingip_pools',
  path: 'floatingip-pools',
  prefix: '/v2.0',
  about: 'A subnet that floating IPs can be had of',
  operations: ['list'],
  tenancy: 'region',
  policy: { get: 'anyone' },
  collection: (store) => store.floatingIpPools as Collection<FloatingIpPoolTypes>,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as FloatingIpPoolTypes['id']) : null),
  notFound: (subnetId) => refusal('SubnetNotFound', { subnetId }),
  attributes: {
    network_id: pool.field('networkId', uuid(), 'The external network', listed),
    subnet_id: pool.field('id', uuid(), 'The subnet', listed),
    subnet_name: pool.field('name', text(255), 'The subnet’s', listed),
    cidr: pool.field('cidr', cidr, 'The subnet’s', listed),
    tenant_id: pool.field('projectId', text(255), 'Older name of project_id', listed),
    project_id: pool.field('projectId', text(255), 'The network’s', listed),
  },
});
