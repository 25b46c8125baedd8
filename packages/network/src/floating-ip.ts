import type { OneOf, TenantFilter, TenantSortKey } from './collection.ts';
import type { Branded, NetworkId, PortId, PortStatus, Resource, SubnetId } from './nouns.ts';
import type { QosPolicyId } from './qos.ts';
import type { RouterId } from './router.ts';

export type FloatingIpId = Branded<'FloatingIpId'>;
export type PortForwardingId = Branded<'PortForwardingId'>;

/** An address of an external network that stands for one of a port's. */
export interface FloatingIp extends Omit<Resource<FloatingIpId>, 'name'> {
  readonly networkId: NetworkId;
  readonly ip: string;
  /** Holds the address on the external network. */
  readonly externalPortId: PortId;
  readonly portId: PortId | null;
  readonly fixedIp: string | null;
  /** What carries the traffic: null exactly where nothing is associated. */
  readonly routerId: RouterId | null;
  /** What quality its traffic gets; null: what its network says. */
  readonly qosPolicyId: QosPolicyId | null;
}

/** With what hosts must know of it: the feed's form. A change of its forwardings is one of it. */
export interface ForwardedFloatingIp extends FloatingIp {
  /** That of its external port. */
  readonly mac: string;
  /** In the order of their making. */
  readonly forwardings: readonly ForwardingSummary[];
}

/** What a reader wants to know of the port without another request. */
export interface PortDetails {
  readonly name: string;
  readonly networkId: NetworkId;
  readonly mac: string;
  readonly adminStateUp: boolean;
  readonly status: PortStatus['status'];
  readonly deviceId: string;
  readonly deviceOwner: string;
}

export interface FloatingIpView extends Omit<ForwardedFloatingIp, 'forwardings'> {
  readonly status: 'ACTIVE' | 'DOWN';
  /** That `ip` is of. */
  readonly subnetId: SubnetId;
  /** That of its network. */
  readonly qosNetworkPolicyId: QosPolicyId | null;
  readonly portDetails: PortDetails | null;
  /** In the order of their making. */
  readonly forwardings: readonly ForwardingSummary[];
}

export interface FloatingIpTypes {
  readonly id: FloatingIpId;
  readonly view: FloatingIpView;
  readonly create: CreateFloatingIp;
  readonly update: UpdateFloatingIp;
  readonly filter: FloatingIpFilter;
  readonly sortKey: Exclude<TenantSortKey, 'name'> | 'networkId' | 'ip' | 'portId' | 'fixedIp' | 'routerId' | 'status';
}

/** Which address of which port is meant. */
interface Association {
  /** Null: none. */
  readonly portId?: PortId | null | undefined;
  /** Default: the port's only IPv4 address. */
  readonly fixedIp?: string | null | undefined;
}

export interface CreateFloatingIp extends Association {
  readonly projectId: string;
  /** Default: empty. */
  readonly description?: string | undefined;
  readonly networkId: NetworkId;
  /** Default: any subnet of the network. */
  readonly subnetId?: SubnetId | null | undefined;
  /** Default: a free one. */
  readonly ip?: string | undefined;
  /** Default: null. */
  readonly qosPolicyId?: QosPolicyId | null | undefined;
}

/** A patch that says nothing at all ends the association: older clients ask so for it. */
export interface UpdateFloatingIp extends Association {
  readonly description?: string | undefined;
  readonly qosPolicyId?: QosPolicyId | null | undefined;
}

export interface FloatingIpFilter extends Omit<TenantFilter<FloatingIpId>, 'name'> {
  readonly networkId?: OneOf<NetworkId>;
  readonly ip?: OneOf<string>;
  readonly portId?: OneOf<PortId>;
  readonly fixedIp?: OneOf<string>;
  readonly routerId?: OneOf<RouterId>;
  readonly status?: OneOf<string>;
  readonly qosPolicyId?: OneOf<QosPolicyId>;
}

export const forwardedProtocols = ['tcp', 'udp'] as const;
export type ForwardedProtocol = (typeof forwardedProtocols)[number];

/** `first:last`, an inclusive range of port numbers. */
export type PortRange = `${number}:${number}`;

/**
 * Ports of a floating IP that lead to ports of a guest: to as many internal ones in order, or all to one.
 */
export interface PortForwarding {
  readonly id: PortForwardingId;
  readonly floatingIpId: FloatingIpId;
  readonly portId: PortId;
  readonly fixedIp: string;
  readonly protocol: ForwardedProtocol;
  readonly externalPorts: PortRange;
  readonly internalPorts: PortRange;
  readonly description: string;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type ForwardingSummary = Pick<
  PortForwarding,
  'id' | 'portId' | 'fixedIp' | 'protocol' | 'externalPorts' | 'internalPorts'
>;

export interface PortForwardingTypes {
  readonly id: PortForwardingId;
  readonly view: PortForwarding;
  readonly create: CreatePortForwarding;
  readonly update: UpdatePortForwarding;
  readonly filter: PortForwardingFilter;
  readonly sortKey:
    | 'id'
    | 'portId'
    | 'fixedIp'
    | 'protocol'
    | 'externalPorts'
    | 'internalPorts'
    | 'description'
    | 'revision'
    | 'createdAt'
    | 'updatedAt';
}

export interface CreatePortForwarding {
  readonly floatingIpId: FloatingIpId;
  readonly portId: PortId;
  /** Default: the port's first IPv4 address. */
  readonly fixedIp?: string | undefined;
  readonly protocol: ForwardedProtocol;
  readonly externalPorts: PortRange;
  readonly internalPorts: PortRange;
  /** Default: empty. */
  readonly description?: string | undefined;
}

export type UpdatePortForwarding = {
  readonly [F in Exclude<keyof CreatePortForwarding, 'floatingIpId'>]?: CreatePortForwarding[F] | undefined;
};

export interface PortForwardingFilter {
  readonly id?: OneOf<PortForwardingId>;
  readonly floatingIpId?: OneOf<FloatingIpId>;
  readonly portId?: OneOf<PortId>;
  readonly fixedIp?: OneOf<string>;
  readonly protocol?: OneOf<string>;
  readonly externalPorts?: OneOf<PortRange>;
  readonly internalPorts?: OneOf<PortRange>;
  readonly description?: OneOf<string>;
  readonly visibleTo?: string | undefined;
}

/** The first and the last port number. */
export function portsOf(range: PortRange): { readonly first: number; readonly last: number } {
  const [first = 0, last = 0] = range.split(':').map(Number);
  return { first, last };
}

/** A subnet that floating IPs can be had of; its id is the subnet's. */
export interface FloatingIpPool {
  readonly id: SubnetId;
  readonly name: string;
  readonly projectId: string;
  readonly networkId: NetworkId;
  readonly cidr: string;
}

export interface FloatingIpPoolTypes {
  readonly id: SubnetId;
  readonly view: FloatingIpPool;
  readonly create: object;
  readonly update: object;
  readonly filter: {
    readonly id?: OneOf<SubnetId>;
    readonly name?: OneOf<string>;
    readonly projectId?: OneOf<string>;
    readonly networkId?: OneOf<NetworkId>;
    readonly cidr?: OneOf<string>;
  };
  readonly sortKey: 'id' | 'name' | 'projectId' | 'networkId' | 'cidr';
}
