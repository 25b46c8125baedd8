/** What the agent tells the data plane: the resources that flows are made from. Addresses in their usual text form. */

/** Besides its own addresses: what a port may send from, and with which MAC. */
export interface AllowedAddressPair {
  /** An address or a CIDR, IPv4 or IPv6. */
  readonly ip: string;
  readonly mac: string;
}

/** The packets that a rule speaks of. */
export interface TrafficRule {
  readonly id: string;
  /** Seen from the VM. */
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4' | 'IPv6';
  /** IANA's number; null: any. In an IPv6 rule 1 (ICMP) is ICMPv6. */
  readonly protocol: number | null;
  /** Destination port of what opens the connection; of ICMP the type. Null: any. */
  readonly portRangeMin: number | null;
  /** Of ICMP the code. */
  readonly portRangeMax: number | null;
  /** Where the remote end must be. */
  readonly remoteIpPrefix?: string | null;
}

/** What a rule of a security group allows; nothing but rules allows anything. It names one remote end at most. */
export interface SecurityGroupRule extends TrafficRule {
  readonly remoteGroupId?: string | null;
  readonly remoteAddressGroupId?: string | null;
}

export interface SecurityGroup {
  readonly id: string;
  readonly rules: readonly SecurityGroupRule[];
  /** False: every packet needs a rule, also an answer. */
  readonly stateful: boolean;
  readonly revision: number;
}

/** A rule of a network ACL. Of those that fit a packet the one of the lowest number decides; what none fits is denied. */
export interface NetworkAclRule extends TrafficRule {
  /** 1 to 32766, once for each direction. */
  readonly number: number;
  readonly action: 'allow' | 'deny';
}

/** What may cross the borders of subnets, packet by packet. Between two addresses of one subnet there is no border. */
export interface NetworkAcl {
  readonly id: string;
  readonly subnets: readonly { readonly id: string; readonly cidr: string }[];
  readonly rules: readonly NetworkAclRule[];
  readonly revision: number;
}

/** Addresses that rules may name together. */
export interface AddressGroup {
  readonly id: string;
  /** Addresses or CIDRs, IPv4 or IPv6. */
  readonly addresses: readonly string[];
  readonly revision: number;
}

/** At most so much; what is more ends. */
export interface RateLimit {
  readonly direction: 'ingress' | 'egress';
  readonly unit: 'kilobits' | 'kilopackets';
  /** Units per second. */
  readonly rate: number;
  /** Units at once; 0: chosen here. */
  readonly burst: number;
}

/** What may be sent and received. */
export interface QualityRules {
  /** At most one for each direction and unit. */
  readonly limits: readonly RateLimit[];
  /** Differentiated services code point of what is sent; null: as it has it. */
  readonly dscpMark: number | null;
}

/** What ports that name it may send and be sent. */
export interface QosPolicy extends QualityRules {
  readonly id: string;
  readonly revision: number;
}

/** A VPC of which hosts are told only those neighbours that they have asked for. */
export interface OnDemandVpc {
  readonly id: string;
  readonly vni: number;
  /** Underlay address of its gateway host, which is told all of it. This host's own: it forwards for the others. */
  readonly gateway?: string | undefined;
  /** This host is told all neighbours, and asks for none. */
  readonly isWhole?: boolean;
}

/** A network that lies on a physical one, where not only hosts of the region are. */
export interface ProviderNetwork {
  readonly id: string;
  readonly vni: number;
  readonly physicalNetwork: string;
  /** Its tag on the wire; null: none. */
  readonly vlan: number | null;
}

/** A machine on the wire of a provider network that is no port of the region, as it has said itself. */
export interface OutsideNeighbor {
  readonly vni: number;
  readonly ip: string;
  readonly mac: string;
}

/** A port bound to this host. */
export interface LocalPort {
  /** Also what the plugged interface carries as `external_ids:iface-id`, unless it is a sub-port. */
  readonly id: string;
  readonly vpcId: string;
  readonly vni: number;
  readonly mac: string;
  readonly ips: readonly string[];
  /** Of a sub-port: it is reached by its parent's interface, under this VLAN tag. */
  readonly trunk?: { readonly parentId: string; readonly vlan: number };
  /** The subnet of each of these addresses, in their order. */
  readonly subnetIds?: readonly string[];
  readonly adminStateUp: boolean;
  /** False: the VM may send from any address. */
  readonly portSecurityEnabled: boolean;
  readonly allowedAddressPairs?: readonly AllowedAddressPair[];
  /** Undefined: nobody has told of groups, and nothing is restricted. Empty: nothing but ARP, ND and DHCP passes. */
  readonly securityGroupIds?: readonly string[];
  /** Its own policy, or that of its network; absent: neither limits nor marks it. */
  readonly qosPolicyId?: string | undefined;
  readonly localIps?: readonly LocalIp[];
  readonly revision: number;
}

/** An IPv4 address that guests of its network reach a port by where it is on their own host. */
export interface LocalIp {
  readonly ip: string;
  /** The port's own that it stands for. */
  readonly fixedIp: string;
  /** The port is sent what is sent to `fixedIp`; otherwise it has the local IP itself. */
  readonly isTranslated: boolean;
}

/** A port on another host that the ports of this one may speak with. */
export interface Neighbor {
  readonly id: string;
  readonly vpcId: string;
  readonly vni: number;
  readonly mac: string;
  readonly ips: readonly string[];
  readonly allowedAddressPairs?: readonly AllowedAddressPair[];
  readonly securityGroupIds?: readonly string[];
  /** Underlay address of the host that has it. */
  readonly hostIp: string;
  /** Addresses of it that routers answer neighbour discovery for, outside. */
  readonly proxied?: readonly ProxiedAddress[];
  readonly revision: number;
}

export interface ProxiedAddress {
  readonly routerId: string;
  /** IPv6. */
  readonly ip: string;
}

/** A router's own address on a subnet that it serves. */
export interface RouterAddress {
  readonly ip: string;
  readonly subnetId: string;
  /** The subnet's block. */
  readonly cidr: string;
}

/** By which a router is on a network. */
export interface RouterInterface {
  readonly vni: number;
  readonly mac: string;
  readonly addresses: readonly RouterAddress[];
  /** The network's; absent or 0: not known. */
  readonly mtu?: number;
}

/** A route beside those to the subnets that a router is on. */
export interface Route {
  /** A CIDR. */
  readonly destination: string;
  /** An address on one of the router's subnets. */
  readonly nextHop: string;
}

/** By which a router leads to machines outside of the region. */
export interface RouterGateway {
  /** Of the external network, which is a provider network. */
  readonly vni: number;
  readonly mac: string;
  readonly addresses: readonly RouterAddress[];
  /** The external network's; absent or 0: not known. */
  readonly mtu?: number;
  /** The gateways of the subnets that it has addresses of. */
  readonly nextHops: readonly string[];
  /** What leaves by IPv4 gets the gateway's address, and nothing comes in but answers. */
  readonly snat: boolean;
  /** Underlay address of the host that has the gateway; undefined: none does. */
  readonly hostIp?: string | undefined;
  /** It answers neighbour discovery for what is proxied; absent: no. */
  readonly proxiesNdp?: boolean;
  /** Where it translates. */
  readonly helpers?: readonly ConntrackHelper[];
  /** Of all that passes the gateway but floating IPs; `egress` leaves the region. */
  readonly quality?: QualityRules | undefined;
}

/** An application protocol that is followed to the further connections it opens, by the port that its servers listen on. */
export type ConntrackHelper =
  | { readonly application: 'ftp'; readonly protocol: 6; readonly port: number }
  | { readonly application: 'tftp'; readonly protocol: 17; readonly port: number };

/** An address of an external network that this host answers for: for an address of a port, or port by port for several. */
export interface FloatingIp {
  readonly id: string;
  readonly routerId: string;
  readonly ip: string;
  /** Its own on the external network. */
  readonly mac: string;
  /** The address that it stands for; null: only `forwardings`. */
  readonly fixedIp: string | null;
  readonly forwardings: readonly PortForwarding[];
  /** `egress` leaves the region. */
  readonly quality?: QualityRules | undefined;
  readonly revision: number;
}

/** Ports of a floating IP that lead to ports of a guest: to as many in order, or all to one. */
export interface PortForwarding {
  readonly id: string;
  /** TCP or UDP. */
  readonly protocol: 6 | 17;
  readonly fixedIp: string;
  /** First and last. */
  readonly external: readonly [number, number];
  readonly internal: readonly [number, number];
}

/** Routes between the subnets that it is on, on every host that has ports of one of them. */
export interface Router {
  readonly id: string;
  readonly adminStateUp: boolean;
  readonly interfaces: readonly RouterInterface[];
  readonly routes: readonly Route[];
  /** Undefined: it leads to no external network. */
  readonly gateway?: RouterGateway | undefined;
  readonly revision: number;
}

export interface ResourceOutcome {
  readonly resourceId: string;
  readonly status: 'ok' | 'unplugged' | 'failed';
  /** Why, when not ok: the switch's own words where it has any. */
  readonly reason: string;
}
