import type {
  FixedIpRequest,
  FlavorId,
  GatewayRequest,
  InterfaceRequest,
  PortId,
  QosPolicyId,
  RouterGateway,
  RouterId,
  RouterInterface,
  RouterTypes,
} from '@alcor/network';
import { type SubnetId, refusal } from '@alcor/network';
import { type ActionRequest, action } from '../action.ts';
import { hostRoute, ip } from '../address-kinds.ts';
import { attributesOf, chosen, initially, listed } from '../attribute.ts';
import { define } from '../definition.ts';
import { find } from '../finder.ts';
import {
  type Kind,
  dictionary,
  flag,
  isRecord,
  isUuid,
  listOf,
  nullMeans,
  nullable,
  oneOf,
  record,
  refined,
  uuid,
} from '../kinds.ts';
import { adminOnly } from '../policy.ts';
import { identity, inZones, records } from './common.ts';
import { flavor } from './flavor.ts';
import { network } from './network.ts';
import { port } from './port.ts';
import { qosPolicy } from './qos.ts';
import { subnet } from './subnet.ts';

const { field, computed, constant } = attributesOf<RouterTypes>();

/** More than any router may have: how many it may is the store's to say, in Neutron's words. */
const maxRoutes = 1_000;
const maxGatewayIps = 64;

const routes = nullMeans(
  listOf(hostRoute, maxRoutes, (route) => `${route.destination} ${route.nexthop}`),
  [],
);

const externalFixedIp: Kind<FixedIpRequest> = refined(
  record({}, { subnet_id: uuid<SubnetId>(), ip_address: ip }),
  ({ subnet_id: subnetId, ip_address: address }) => ({
    ...(subnetId === undefined ? {} : { subnetId }),
    ...(address === undefined ? {} : { ip: address }),
  }),
);

const someGateway: Kind<GatewayRequest> = refined(
  record(
    { network_id: uuid<RouterGateway['networkId']>() },
    {
      enable_snat: flag,
      external_fixed_ips: nullable(listOf(externalFixedIp, maxGatewayIps)),
      qos_policy_id: nullable(uuid<QosPolicyId>()),
    },
  ),
  ({ network_id: networkId, enable_snat: enableSnat, external_fixed_ips: fixedIps, qos_policy_id: qosPolicyId }) => ({
    networkId,
    enableSnat,
    qosPolicyId,
    // None asked for is the same as nothing said.
    fixedIps: fixedIps === null || fixedIps?.length === 0 ? undefined : fixedIps,
  }),
);

/** An empty object, like null, means no gateway. */
const gateway: Kind<GatewayRequest | null> = {
  schema: nullable(someGateway).schema,
  parse: (value) =>
    value === null || (isRecord(value) && Object.keys(value).length === 0) ? null : someGateway.parse(value),
};

function wireGateway(held: RouterGateway | null): unknown {
  if (held === null) return null;
  const { networkId, enableSnat, fixedIps, qosPolicyId } = held;
  return {
    network_id: networkId,
    enable_snat: enableSnat,
    external_fixed_ips: fixedIps.map((one) => ({ subnet_id: one.subnetId, ip_address: one.ip })),
    qos_policy_id: qosPolicyId,
  };
}

function wireInterface({ routerId, projectId, portId, networkId, subnetIds }: RouterInterface): object {
  return {
    id: routerId,
    tenant_id: projectId,
    project_id: projectId,
    port_id: portId,
    network_id: networkId,
    subnet_id: subnetIds.at(-1),
    subnet_ids: subnetIds,
  };
}

/** A subnet, by its id, or a port. */
const attachment = { subnet_id: uuid<SubnetId>(), port_id: uuid<PortId>() };

type AttachmentRequest = ActionRequest<{
  readonly subnet_id?: SubnetId | undefined;
  readonly port_id?: PortId | undefined;
}>;

/** What is out of the caller's sight cannot be attached. */
async function seeAttachment({ store, caller, body }: AttachmentRequest): Promise<void> {
  if (body.subnet_id !== undefined) await find(subnet, store, caller, { id: body.subnet_id });
  if (body.port_id !== undefined) await find(port, store, caller, { id: body.port_id });
}

function wanted({ body }: AttachmentRequest): InterfaceRequest {
  return { subnetId: body.subnet_id, portId: body.port_id };
}

export const router = define<RouterTypes>({
  singular: 'router',
  plural: 'routers',
  prefix: '/v2.0',
  about: 'Joins subnets, and leads to an external network',
  tenancy: 'project',
  collection: (store) => store.routers,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as RouterTypes['id']) : null),
  notFound: (routerId) => refusal('RouterNotFound', { routerId }),
  attributes: {
    ...identity<RouterTypes>(),
    admin_state_up: field('adminStateUp', flag, 'False: nothing is forwarded', {
      post: initially(true),
      put: true,
      ...listed,
    }),
    status: constant(oneOf('ACTIVE'), 'A router is ready once it is made', 'ACTIVE'),
    external_gateway_info: field('gateway', gateway, 'Its external network; null or {}: none', {
      post: chosen,
      put: true,
      wire: wireGateway,
      refers: [
        { to: () => network, at: 'network_id' },
        { to: () => qosPolicy, at: 'qos_policy_id' },
      ],
      access: { members: { enable_snat: 'admin', external_fixed_ips: 'admin' } },
    }),
    routes: field('routes', routes, 'Beside those to its own subnets', { put: true }),
    distributed: field('distributed', flag, 'Every host routes for its own guests', {
      post: initially(false),
      put: true,
      ...listed,
      access: adminOnly,
    }),
    ha: field('ha', flag, 'A second instance stands by', {
      post: initially(false),
      put: true,
      ...listed,
      access: adminOnly,
    }),
    enable_ndp_proxy: field(
      'enableNdpProxy',
      flag,
      'It may have NDP proxies; needs an IPv6 gateway in an address scope',
      {
        post: initially(false),
        put: true,
        filter: true,
      },
    ),
    flavor_id: field('flavorId', nullable(uuid<FlavorId>()), 'Of its service; null: the region’s usual one', {
      post: initially(null),
      ...listed,
      refers: [{ to: () => flavor }],
    }),
    conntrack_helpers: computed(listOf(dictionary, 1_000_000), 'The application protocols that it follows', (view) =>
      view.conntrackHelpers.map(({ protocol, port: number, helper }) => ({ protocol, port: number, helper })),
    ),
    ...inZones<RouterTypes>(),
    ...records<RouterTypes>(),
  },
  actions: {
    add_router_interface: action({
      about: 'Puts the router on a subnet, or on those of a port',
      optional: attachment,
      run: async (request) => {
        await seeAttachment(request);
        return wireInterface(await request.store.routers.addInterface(request.id as RouterId, wanted(request)));
      },
    }),
    remove_router_interface: action({
      about: 'Takes the router off a subnet, or off those of a port',
      optional: attachment,
      run: async (request) =>
        wireInterface(await request.store.routers.removeInterface(request.id as RouterId, wanted(request))),
    }),
    add_extraroutes: action({
      about: 'Adds those routes that the router does not have',
      root: 'router',
      required: { routes },
      answers: 'view',
      run: ({ store, id, body }) => store.routers.addRoutes(id as RouterId, body.routes),
    }),
    remove_extraroutes: action({
      about: 'Removes those routes that the router has',
      root: 'router',
      required: { routes },
      answers: 'view',
      run: ({ store, id, body }) => store.routers.removeRoutes(id as RouterId, body.routes),
    }),
  },
});
