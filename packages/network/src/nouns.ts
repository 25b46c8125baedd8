/**
 * The nouns of the region, as the store keeps them and the compiler reads them.
 *
 * Addresses are strings in canonical form (IPv4 dotted quad, IPv6 per RFC 5952, MAC in lower case with colons).
 * `revision` starts at 1 and grows by one with every change of the row's intent; it never goes back.
 */

import type { Ipv6Modes } from './ipv6-modes.ts';
import type { PortExtras, PortProtection } from './port-extras.ts';
import type { NetworkType } from './segment.ts';
import type { StandsFor } from './local-ip.ts';
import type { ProxiedAddress } from './ndp-proxy.ts';
import type { QosPolicyId } from './qos.ts';
import type { TrunkPlace } from './trunk.ts';

declare const brand: unique symbol;
export type Branded<B extends string> = string & { readonly [brand]: B };

export type NetworkId = Branded<'NetworkId'>;
export type SubnetId = Branded<'SubnetId'>;
export type PortId = Branded<'PortId'>;
export type SubnetPoolId = Branded<'SubnetPoolId'>;
export type AddressScopeId = Branded<'AddressScopeId'>;
/** Chosen by whoever registers the host; the value of `binding:host_id`. */
export type NodeId = Branded<'NodeId'>;

/** What every resource of a tenant has. */
export interface Resource<Id extends string> {
  readonly id: Id;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Labels, in order: in what readers of the API see, not in the feed. */
  readonly tags?: readonly string[];
}

/** A layer-2 domain; until routers join several of them, also the whole VPC. */
export interface Network extends Resource<NetworkId> {
  readonly adminStateUp: boolean;
  readonly shared: boolean;
  /** Routers may have their gateways, and floating IPs their addresses, on it. */
  readonly external: boolean;
  /** The external network of those who name none; at most one in the region. */
  readonly isDefault: boolean;
  /** Bytes of the guests' largest IP packet. */
  readonly mtu: number;
  /** VXLAN network identifier, 1 to 2^24 - 1, unique in the region; also that of a network that no tunnel carries names it. */
  readonly vni: number;
  readonly networkType: NetworkType;
  /** On which it lies, by the name that hosts map to one of their bridges; null: on none, tunnels carry it. */
  readonly physicalNetwork: string | null;
  /** Its tag on the physical network; null where it has none. */
  readonly vlan: number | null;
  readonly portSecurityEnabled: boolean;
  /** Of its ports that have none of their own; null: nothing is limited or marked. */
  readonly qosPolicyId: QosPolicyId | null;
  /** Of its ports’ names, with a dot at its end; empty: none of its own. */
  readonly dnsDomain: string;
}

export interface AllocationPool {
  readonly start: string;
  readonly end: string;
}

export interface Subnet extends Resource<SubnetId>, Ipv6Modes {
  readonly networkId: NetworkId;
  readonly ipVersion: 4 | 6;
  readonly cidr: string;
  /** Null where the user asked for no gateway. */
  readonly gatewayIp: string | null;
  readonly enableDhcp: boolean;
  readonly allocationPools: readonly AllocationPool[];
  readonly dnsNameservers: readonly string[];
  readonly hostRoutes: readonly { readonly destination: string; readonly nexthop: string }[];
  /** Only ports with one of these device owners get addresses of it without asking for it; empty: all do. */
  readonly serviceTypes: readonly string[];
  /** The pool that its block was taken out of. */
  readonly subnetPoolId: SubnetPoolId | null;
}

export interface FixedIp {
  readonly subnetId: SubnetId;
  readonly ip: string;
}

export interface Port extends Resource<PortId>, PortExtras, PortProtection {
  readonly networkId: NetworkId;
  readonly adminStateUp: boolean;
  readonly mac: string;
  readonly fixedIps: readonly FixedIp[];
  /** Null while the port is not bound to a host. The host need not be registered (yet). */
  readonly hostId: NodeId | null;
  readonly deviceId: string;
  readonly deviceOwner: string;
  /** False: the port may send from any address (no anti-spoofing). */
  readonly portSecurityEnabled: boolean;
  /** Of a sub-port; it is on its parent's host. */
  readonly trunk: TrunkPlace | null;
  /** Its addresses that routers answer neighbour discovery for, outside. By address and router. */
  readonly ndpProxies: readonly ProxiedAddress[];
  /** The local IPs that it stands for on its host. By address. */
  readonly localIps: readonly StandsFor[];
}

/** A host of the region. Its address does not change while ports are bound to it. */
export interface Node {
  readonly id: NodeId;
  readonly name: string;
  /** Underlay address: where the other hosts send tunnels to. Unique in the region. */
  readonly ip: string;
  /** Where the host's agent serves the goal-state contract: `host:port` or `unix:/path`. */
  readonly agentAddress: string;
  /** A gateway host: forwards first packets of VPCs that are told on demand. Absent: no. */
  readonly gateway?: boolean;
  /** A gateway that does not answer: others have its share until it does. Absent: no. */
  readonly lost?: boolean;
  /** Its bridges to physical networks, by the networks' names. Absent: none. */
  readonly bridgeMappings?: Readonly<Record<string, string>>;
  /** It is to be emptied: it is given nothing new. Absent: no. */
  readonly draining?: boolean;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What the hosts say of a port; kept beside the port, because it is not intent and never travels down again. */
export interface PortStatus {
  readonly portId: PortId;
  readonly status: 'ACTIVE' | 'DOWN' | 'ERROR';
  /** Why, when not ACTIVE: the switch's or the agent's own words; empty otherwise. */
  readonly reason: string;
}

/** What a host says of one of its ports. */
export interface PortReport extends PortStatus {
  readonly nodeId: NodeId;
}
