import type { AddressingStore } from './addressing-store.ts';
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
import type { Ipv6Mode } from './ipv6-modes.ts';
import type { AddressGroupTypes } from './address-group.ts';
import type { NetworkAclRuleTypes, NetworkAclTypes } from './network-acl.ts';
import type {
  AddressScopeId,
  AllocationPool,
  Network,
  NetworkId,
  NodeId,
  Port,
  PortId,
  PortReport,
  PortStatus,
  Subnet,
  SubnetId,
  SubnetPoolId,
} from './nouns.ts';
import type { ExtraDhcpOptRequest, PortExtras, VnicType } from './port-extras.ts';
import type { RoutingStore } from './routing-store.ts';
import type { ConfigManagerId, GatewayId, NodePlacement, NodeView } from './host.ts';
import type { QosPolicyId } from './qos.ts';
import type { ServiceStore } from './service-store.ts';
import type { QuotaStore } from './quota.ts';
import type { TrunkDetails } from './trunk.ts';
import type { RbacPolicyTypes } from './rbac.ts';
import type { NetworkType, SegmentRangeTypes, SegmentTypes } from './segment.ts';
import type {
  AddressPairRequest,
  DefaultSecurityGroupRuleTypes,
  SecurityGroupId,
  SecurityGroupRuleTypes,
  SecurityGroupTypes,
} from './security-group.ts';

/**
 * What the API asks of the store. Every promise either resolves with what is durably committed, or rejects with an AlcorError
 * and has changed nothing; only ServiceUnavailable may leave a write in doubt, where the connection broke while it committed.
 */
export interface IntentStore extends RoutingStore, ServiceStore, AddressingStore {
  readonly networks: Collection<NetworkTypes>;
  readonly subnets: Collection<SubnetTypes>;
  readonly ports: Collection<PortTypes>;
  readonly nodes: Collection<NodeTypes>;
  readonly securityGroups: Collection<SecurityGroupTypes>;
  readonly securityGroupRules: Collection<SecurityGroupRuleTypes>;
  readonly defaultSecurityGroupRules: Collection<DefaultSecurityGroupRuleTypes>;
  readonly addressGroups: Collection<AddressGroupTypes>;
  readonly networkAcls: Collection<NetworkAclTypes>;
  readonly networkAclRules: Collection<NetworkAclRuleTypes>;
  readonly quotas: QuotaStore;
  readonly rbacPolicies: Collection<RbacPolicyTypes>;
  readonly segments: Collection<SegmentTypes>;
  readonly segmentRanges: Collection<SegmentRangeTypes>;
  /**
   * Keeps the newest word on each port, if it comes from the host that the port is bound to now: others speak of the past.
   * Does not change revisions. A port that is bound elsewhere begins anew as DOWN.
   */
  setPortStatuses(reports: readonly PortReport[]): Promise<void>;
  /** Resolves when the database answers; rejects with ServiceUnavailable. */
  ping(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------------------------- networks

export interface NetworkTypes {
  readonly id: NetworkId;
  readonly view: NetworkView;
  readonly create: CreateNetwork;
  readonly update: UpdateNetwork;
  readonly filter: NetworkFilter;
  readonly sortKey: TenantSortKey | 'adminStateUp' | 'shared' | 'external' | 'mtu' | 'segmentationId';
}

export interface NetworkView extends Network, Zoned {
  /** Of a VXLAN its VNI, of a VLAN its tag; null: it has neither. */
  readonly segmentationId: number | null;
  /** In the order of their making. */
  readonly subnetIds: readonly SubnetId[];
  /** Of the pools that its subnets of that IP version come out of; null where they are in none. */
  readonly ipv4AddressScope: AddressScopeId | null;
  readonly ipv6AddressScope: AddressScopeId | null;
  /** Projects that have a grant of their own to use it. */
  readonly grantees: readonly string[];
}

export interface CreateNetwork extends TenantInput, ZoneHints {
  /** Default (also instead of null): the project’s default policy. */
  readonly qosPolicyId?: QosPolicyId | null | undefined;
  /** Default: true. */
  readonly adminStateUp?: boolean | undefined;
  /** Default: false. */
  readonly shared?: boolean | undefined;
  /** Default: false. */
  readonly external?: boolean | undefined;
  /** Default: false. Only of an external network; DefaultExternalNetworkExists. */
  readonly isDefault?: boolean | undefined;
  /** Default (and largest): what the store is configured with. */
  readonly mtu?: number | undefined;
  /** Default: vxlan. */
  readonly networkType?: NetworkType | undefined;
  /** Of a network that is no VXLAN, and of no other. FlatNetworkInUse where another flat one is on it. */
  readonly physicalNetwork?: string | null | undefined;
  /**
   * The VNI of a VXLAN; default: a free one out of the configured range; TunnelIdInUse. The tag of a VLAN, which has to be said; VlanIdInUse.
   * Null as if it was not given. InvalidInput outside what the type has.
   */
  readonly segmentationId?: number | null | undefined;
  /** Default: true. */
  readonly portSecurityEnabled?: boolean | undefined;
  /** Default: empty. */
  readonly dnsDomain?: string | undefined;
}

export interface UpdateNetwork extends TenantPatch {
  readonly adminStateUp?: boolean | undefined;
  readonly shared?: boolean | undefined;
  /** ExternalNetworkInUse while gateways or floating IPs are on it. */
  readonly external?: boolean | undefined;
  readonly isDefault?: boolean | undefined;
  readonly mtu?: number | undefined;
  readonly portSecurityEnabled?: boolean | undefined;
  readonly dnsDomain?: string | undefined;
  readonly qosPolicyId?: QosPolicyId | null | undefined;
}

export interface NetworkFilter extends TenantFilter<NetworkId> {
  readonly qosPolicyId?: OneOf<QosPolicyId>;
  readonly dnsDomain?: OneOf<string>;
  readonly adminStateUp?: OneOf<boolean>;
  readonly shared?: OneOf<boolean>;
  readonly external?: OneOf<boolean>;
  readonly isDefault?: OneOf<boolean>;
  readonly mtu?: OneOf<number>;
  readonly networkType?: OneOf<NetworkType>;
  readonly physicalNetwork?: OneOf<string | null>;
  readonly segmentationId?: OneOf<number | null>;
  readonly portSecurityEnabled?: OneOf<boolean>;
}

// ----------------------------------------------------------------------------------------------------------------- subnets

export interface SubnetTypes {
  readonly id: SubnetId;
  readonly view: Subnet;
  readonly create: CreateSubnet;
  readonly update: UpdateSubnet;
  readonly filter: SubnetFilter;
  readonly sortKey: TenantSortKey | 'networkId' | 'ipVersion' | 'cidr' | 'gatewayIp' | 'enableDhcp';
}

export interface CreateSubnet extends TenantInput {
  readonly networkId: NetworkId;
  /**
   * Host bits are cleared. Refused where it overlaps another subnet of the network. Absent: a free block of the subnet pool, one
   * of which must be named then.
   */
  readonly cidr?: string | undefined;
  /** Checked against `cidr` where given. */
  readonly ipVersion?: 4 | 6 | undefined;
  /** The pool that the block is taken out of; SubnetPoolNotFound. */
  readonly subnetPoolId?: SubnetPoolId | null | undefined;
  /** True: the region's default pool of the IP version. */
  readonly useDefaultSubnetPool?: boolean | undefined;
  /** The size of the block that is taken out of a pool. Default: the pool's. Not beside `cidr`. */
  readonly prefixlen?: number | undefined;
  /** Default: null. */
  readonly ipv6RaMode?: Ipv6Mode | null | undefined;
  /** Default: null. */
  readonly ipv6AddressMode?: Ipv6Mode | null | undefined;
  /** Default: none. */
  readonly serviceTypes?: readonly string[] | undefined;
  /** Absent: the first address. Null: none. */
  readonly gatewayIp?: string | null | undefined;
  /** Default: true. */
  readonly enableDhcp?: boolean | undefined;
  /** Default: all usable addresses but the gateway. */
  readonly allocationPools?: readonly AllocationPool[] | undefined;
  readonly dnsNameservers?: readonly string[] | undefined;
  readonly hostRoutes?: Subnet['hostRoutes'] | undefined;
}

export interface UpdateSubnet extends TenantPatch {
  /** Absent: unchanged. Null: no gateway any more. */
  readonly gatewayIp?: string | null | undefined;
  readonly enableDhcp?: boolean | undefined;
  readonly allocationPools?: readonly AllocationPool[] | undefined;
  readonly dnsNameservers?: readonly string[] | undefined;
  readonly hostRoutes?: Subnet['hostRoutes'] | undefined;
  readonly serviceTypes?: readonly string[] | undefined;
}

export interface SubnetFilter extends TenantFilter<SubnetId> {
  readonly subnetPoolId?: OneOf<SubnetPoolId>;
  readonly ipv6RaMode?: OneOf<Ipv6Mode>;
  readonly ipv6AddressMode?: OneOf<Ipv6Mode>;
  readonly networkId?: OneOf<NetworkId>;
  readonly ipVersion?: OneOf<number>;
  readonly cidr?: OneOf<string>;
  readonly gatewayIp?: OneOf<string>;
  readonly enableDhcp?: OneOf<boolean>;
}

// ------------------------------------------------------------------------------------------------------------------- ports

export interface PortTypes {
  readonly id: PortId;
  readonly view: PortView;
  readonly create: CreatePort;
  readonly update: UpdatePort;
  readonly filter: PortFilter;
  readonly sortKey:
    | TenantSortKey
    | 'networkId'
    | 'mac'
    | 'hostId'
    | 'deviceId'
    | 'deviceOwner'
    | 'adminStateUp'
    | 'portSecurityEnabled'
    | 'status';
}

export interface PortView extends Port {
  /** DOWN while no host has said anything. */
  readonly status: PortStatus['status'];
  readonly statusReason: string;
  /** Of its network. */
  readonly qosNetworkPolicyId: QosPolicyId | null;
  /** Null where it is no trunk’s parent. */
  readonly trunkDetails: TrunkDetails | null;
}

/** At least one of the two: a subnet (any free address of it), an address (the subnet that holds it), or both. */
export interface FixedIpRequest {
  readonly subnetId?: SubnetId | undefined;
  readonly ip?: string | undefined;
}

/** Absent: as in `plainPort`, or unchanged. */
interface PortExtrasInput extends Optional<Omit<PortExtras, 'extraDhcpOpts'>> {
  /** Options that a change does not name stay as they are. */
  readonly extraDhcpOpts?: readonly ExtraDhcpOptRequest[] | undefined;
}

type Optional<T> = { readonly [Field in keyof T]?: T[Field] | undefined };

export interface CreatePort extends TenantInput, PortExtrasInput {
  /** Default: none. */
  readonly tags?: readonly string[] | undefined;
  readonly networkId: NetworkId;
  /** Default: true. */
  readonly adminStateUp?: boolean | undefined;
  /** Null, and default: a generated one. */
  readonly mac?: string | null | undefined;
  /** Absent: one address per IP version the network has subnets of (none if it has none). Empty: no address. */
  readonly fixedIps?: readonly FixedIpRequest[] | undefined;
  /** Default: null. */
  readonly hostId?: NodeId | null | undefined;
  readonly deviceId?: string | undefined;
  readonly deviceOwner?: string | undefined;
  /** Default: the network's. A port that a service of the region owns (`network:…`) has none whatever is asked for. */
  readonly portSecurityEnabled?: boolean | undefined;
  /** Absent or null: the project's default group, where port security is on. SecurityGroupNotFound for another project's. */
  readonly securityGroupIds?: readonly SecurityGroupId[] | null | undefined;
  readonly allowedAddressPairs?: readonly AddressPairRequest[] | undefined;
}

export interface UpdatePort extends TenantPatch, PortExtrasInput {
  readonly adminStateUp?: boolean | undefined;
  /** Null: a newly generated one. */
  readonly mac?: string | null | undefined;
  /** The whole new list. An address asked for that the port has is kept; a bare subnet keeps the port's address in it. */
  readonly fixedIps?: readonly FixedIpRequest[] | undefined;
  readonly hostId?: NodeId | null | undefined;
  readonly deviceId?: string | undefined;
  readonly deviceOwner?: string | undefined;
  readonly portSecurityEnabled?: boolean | undefined;
  /** The whole new list; null: none. */
  readonly securityGroupIds?: readonly SecurityGroupId[] | null | undefined;
  /** The whole new list. */
  readonly allowedAddressPairs?: readonly AddressPairRequest[] | undefined;
}

export interface PortFilter extends TenantFilter<PortId> {
  readonly qosPolicyId?: OneOf<QosPolicyId>;
  readonly dnsName?: OneOf<string>;
  readonly vnicType?: OneOf<VnicType>;
  readonly networkId?: OneOf<NetworkId>;
  readonly hostId?: OneOf<NodeId>;
  readonly deviceId?: OneOf<string>;
  readonly deviceOwner?: OneOf<string>;
  readonly mac?: OneOf<string>;
  /** With `fixedIpPart` and `fixedIpSubnetId`: all must hold of the same address. */
  readonly fixedIpAddress?: OneOf<string>;
  /** A run of characters of the address as it is written. */
  readonly fixedIpPart?: OneOf<string>;
  readonly fixedIpSubnetId?: OneOf<SubnetId>;
  readonly securityGroupId?: OneOf<SecurityGroupId>;
  readonly adminStateUp?: OneOf<boolean>;
  readonly portSecurityEnabled?: OneOf<boolean>;
  readonly status?: OneOf<PortStatus['status']>;
}

// ------------------------------------------------------------------------------------------------------------------- nodes

export interface NodeTypes {
  readonly id: NodeId;
  readonly view: NodeView;
  readonly create: CreateNode;
  readonly update: UpdateNode;
  readonly filter: NodeFilter;
  readonly sortKey: 'id' | 'name' | 'ip' | 'agentAddress' | 'availabilityZone' | 'createdAt' | 'updatedAt' | 'revision';
}

/** Default: the default zone; no config manager and no gateway, nor one itself; not draining, and room for any number of ports. */
type Placed = { readonly [Field in keyof NodePlacement]?: NodePlacement[Field] | undefined };

export interface CreateNode extends Placed {
  readonly id: NodeId;
  /** Default: the id. */
  readonly name?: string | undefined;
  readonly ip: string;
  readonly agentAddress: string;
}

export interface UpdateNode extends Placed {
  readonly name?: string | undefined;
  /** NodeInUse while ports are bound to the node. */
  readonly ip?: string | undefined;
  readonly agentAddress?: string | undefined;
}

export interface NodeFilter {
  readonly id?: OneOf<NodeId>;
  readonly name?: OneOf<string>;
  readonly ip?: OneOf<string>;
  readonly agentAddress?: OneOf<string>;
  readonly availabilityZone?: OneOf<string>;
  readonly configManagerId?: OneOf<ConfigManagerId>;
  readonly gatewayId?: OneOf<GatewayId>;
  readonly gateway?: OneOf<boolean>;
  readonly draining?: OneOf<boolean>;
  readonly alive?: OneOf<boolean>;
}
