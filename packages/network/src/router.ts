import type {
  Collection,
  OneOf,
  TenantFilter,
  TenantInput,
  TenantPatch,
  TenantSortKey,
  ZoneHints,
  Zoned,
} from './collection.ts';
import type { FixedIpRequest } from './intent-store.ts';
import type { ConntrackHelperSummary } from './conntrack-helper.ts';
import type { FlavorId } from './flavor.ts';
import type { Branded, FixedIp, NetworkId, PortId, Resource, SubnetId } from './nouns.ts';
import type { QosPolicyId } from './qos.ts';

export type RouterId = Branded<'RouterId'>;

/** A route that a router has beside those to its own subnets. */
export interface ExtraRoute {
  readonly destination: string;
  readonly nexthop: string;
}

/** Where a router is attached to an external network. */
export interface RouterGateway {
  readonly networkId: NetworkId;
  /** True: what leaves by the gateway gets the gateway's address. */
  readonly enableSnat: boolean;
  readonly mac: string;
  readonly fixedIps: readonly FixedIp[];
  /** What quality its traffic gets. */
  readonly qosPolicyId: QosPolicyId | null;
}

/** A port by which a router is on a network. */
export interface RouterPort {
  readonly portId: PortId;
  readonly networkId: NetworkId;
  readonly mac: string;
  readonly fixedIps: readonly FixedIp[];
}

/** Joins subnets, of one project or several, and leads to an external network. A change of its ports is one of the router. */
export interface Router extends Resource<RouterId> {
  readonly adminStateUp: boolean;
  /** Its port on the external network. */
  readonly gatewayPortId: PortId | null;
  readonly gateway: RouterGateway | null;
  /** What the gateway says of it; true while there is none. */
  readonly enableSnat: boolean;
  readonly routes: readonly ExtraRoute[];
  /** Its ports on the networks that it serves, by id. */
  readonly interfaces: readonly RouterPort[];
  readonly distributed: boolean;
  readonly ha: boolean;
  /** It may answer neighbour discovery on its external network for addresses behind it. */
  readonly enableNdpProxy: boolean;
  readonly flavorId: FlavorId | null;
  /** What the gateway says of it; null while there is none. */
  readonly qosPolicyId: QosPolicyId | null;
  /** In the order of their making. */
  readonly conntrackHelpers: readonly ConntrackHelperSummary[];
}

export interface RouterView extends Router, Zoned {}

export interface RouterTypes {
  readonly id: RouterId;
  readonly view: RouterView;
  readonly create: CreateRouter;
  readonly update: UpdateRouter;
  readonly filter: RouterFilter;
  readonly sortKey: TenantSortKey | 'adminStateUp' | 'distributed' | 'ha' | 'flavorId';
}

/** The gateway that a router shall have. */
export interface GatewayRequest {
  readonly networkId: NetworkId;
  /** Default: true. */
  readonly enableSnat?: boolean | undefined;
  /** Absent: one address per IP version that the network has subnets of; those it has where the network stays. */
  readonly fixedIps?: readonly FixedIpRequest[] | undefined;
  /** Default: none; what it was where there was a gateway. */
  readonly qosPolicyId?: QosPolicyId | null | undefined;
}

export interface CreateRouter extends TenantInput, ZoneHints {
  /** Default: true. */
  readonly adminStateUp?: boolean | undefined;
  /** Default: null. */
  readonly gateway?: GatewayRequest | null | undefined;
  /** Default: false. */
  readonly distributed?: boolean | undefined;
  /** Default: false. */
  readonly ha?: boolean | undefined;
  /** Default: false. RouterGatewayNotValid where the gateway does not bear it. */
  readonly enableNdpProxy?: boolean | undefined;
  /** Default: null. */
  readonly flavorId?: FlavorId | null | undefined;
}

export interface UpdateRouter extends TenantPatch {
  readonly adminStateUp?: boolean | undefined;
  /** Null: no gateway any more. */
  readonly gateway?: GatewayRequest | null | undefined;
  /** The whole new list. */
  readonly routes?: readonly ExtraRoute[] | undefined;
  readonly distributed?: boolean | undefined;
  readonly ha?: boolean | undefined;
  readonly enableNdpProxy?: boolean | undefined;
}

export interface RouterFilter extends TenantFilter<RouterId> {
  readonly adminStateUp?: OneOf<boolean>;
  readonly distributed?: OneOf<boolean>;
  readonly ha?: OneOf<boolean>;
  readonly enableNdpProxy?: OneOf<boolean>;
  readonly flavorId?: OneOf<FlavorId>;
}

/** One of the two when an interface is added; either or both (they must agree) when one is removed. */
export interface InterfaceRequest {
  readonly subnetId?: SubnetId | undefined;
  readonly portId?: PortId | undefined;
}

/** What was added or removed. */
export interface RouterInterface {
  readonly routerId: RouterId;
  /** Of the port. */
  readonly projectId: string;
  readonly portId: PortId;
  readonly networkId: NetworkId;
  readonly subnetIds: readonly SubnetId[];
}

/** Routers, and what is done to them beside reading and writing. */
export interface Routers extends Collection<RouterTypes> {
  addInterface(id: RouterId, request: InterfaceRequest): Promise<RouterInterface>;
  removeInterface(id: RouterId, request: InterfaceRequest): Promise<RouterInterface>;
  /** Adds those that it does not have, in one step: what others add meanwhile stays. */
  addRoutes(id: RouterId, routes: readonly ExtraRoute[]): Promise<RouterView>;
  /** Removes those that it has. */
  removeRoutes(id: RouterId, routes: readonly ExtraRoute[]): Promise<RouterView>;
}
