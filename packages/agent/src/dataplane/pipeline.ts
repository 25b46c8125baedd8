/**
 * The pipeline: the life of a packet on one host, as one declaration. Every flow is asserted against it in tests and by
 * the in-memory switch. Table ids leave room for what later stands between (address translation), so that growing
 * renumbers nothing.
 *
 *   VM port ─▶ classify (─▶ policing) ─▶ antispoof ─▶ localIp… ─▶ leaving… ─▶ services ─▶ routers ─▶ neighbour ─▶ delivery ─▶ entering… ─▶ output ─▶ VM port
 *                 │                                                │            │  ▲       ▲  └────▶ tunnel ─▶ other host
 *                 │                                                │            │  │       │         wire ─▶ physical network
 *                 │                                                │            ▼  │       │
 *                 │                                                │         routing ─▶ nextHop
 *                 │                                                └─▶ ndReply ─▶ back to the VM
 *   tunnel, wire ─┴─────────────────────────────────────────────────────────────────────────────▶ delivery
 *
 *   services, nextHop, neighbour ─▶ toGateway ─▶ gateway host: port for gateways ─▶ classify ─▶ gateway ─▶ services, nextHop, neighbour
 *                                                                                   (back on the asking host, answers) └─▶ delivery
 *
 * A router is on every host that has a port of a network it serves: a packet is routed where it leaves its VM, and crosses
 * the underlay once, in the network of its destination. Where the next hop is another router, the packet calls `routers` again.
 *
 * What came out of the tunnel enters at delivery, from where no table leads back to a tunnel: a host never relays. The one exception is a
 * gateway host. What is for a gateway travels between ports of their own, and leaves the gateway by the tunnel of all hosts: what has
 * been forwarded once is not forwarded again, because nothing leaves by the port it came in by, and nothing but that leads to a gateway.
 *
 * North and south, by a router's gateway on an external network, which is a provider network:
 *
 *   routing ─▶ departing ─┬─ as a floating IP ────────────────────────┬─▶ outward ─▶ outsideHop ─▶ neighbour ─▶ wire
 *                         ├─ here ─▶ translation ─ct─▶ translated ────┘                             (of this host:  └▶ arriving)
 *                         └─ toGateway ─▶ gateway host ─▶ gateway ─▶ translation
 *   wire ─▶ classify ─▶ arriving ─┬─ for a floating IP ──────────────────▶ routing ─▶ nextHop ─▶ neighbour
 *                                 └─ for a gateway ─ct─▶ returned ───────┘
 *
 * Security groups are asked where a packet leaves its VM and where it enters one (… above), each in four steps:
 *
 *   leaving ─▶ leavingTrack ─ct─▶ leavingState ─▶ leavingVerdict      and the same for entering;
 *      └── calls ──▶ policy ◀── calls ──┘
 *                      ├── calls ─▶ members   is the remote address in this set?
 *                      └── calls ─▶ rules     does a rule of this group allow it?
 *
 * Before them, network ACLs are asked of what crosses the border of a port's subnet: …Subnet ─▶ …Border ─▶ …Acl.
 *
 *   metadata  the VNI
 *   reg0      key of the VM port that the packet came from (`trunk.ts`); 0 when it came from a tunnel or from outside
 *   reg1      key of the VM port to deliver to
 *   reg2      1 once a rule has allowed the packet
 *   reg3      1 when the remote address is in the set asked for
 *   reg4, reg8-11  the remote address, IPv4 or IPv6, where a set is asked for it; the next hop's, where a packet is routed
 *   reg5      1 once a router has passed the packet on to another one
 *   reg6-7    which subnet, ACL, group, set or rules are asked; while the packet is routed, which router has it
 *   reg10     before a packet is routed, also: bit by bit, whether it is larger than each of the sizes that its router tells apart
 *   reg12     the networks among which addresses mean the same: those that routers join with that of the port that is judged
 *   reg13     1 when its sender is in a group that some rule names as remote: who gets the packet must have heard of the sender before
 *   reg14     1 in what the agent is given of a packet that has gone to a gateway; of one that is too large for the network that it is
 *             routed to, what that takes
 *   reg15     the zone of connections of the local IP that the packet is for, or of the router whose gateway it passes
 */
import { localIpAnswers, localIpQuestions } from './local-ip-tables.ts';
import { arrivals, departures } from './north-south-tables.ts';
import {
  arpFields,
  connectionFields,
  endFields,
  ipFields,
  ndFields,
  remoteFields,
  trafficFields,
  udpFields,
} from './pipeline-fields.ts';
import type { Table, TableName } from './table.ts';

export type { Table, TableName };

export const pipeline: { readonly [Name in TableName]: Table } = {
  classify: {
    id: 0,
    purpose: 'which VM, tunnel or wire a packet comes from, and so which network it is in',
    matches: ['in_port', 'tunnel_id', 'vlan_vid'],
    writes: ['metadata', 'reg0', 'reg13', 'vlan_vid'],
    outputs: 'none',
    next: ['policing', 'antispoof', 'gateway', 'arriving', 'delivery'],
    miss: 'drop',
  },
  policing: {
    id: 5,
    purpose: "what the port's QoS policy lets its VM send, and the mark on that: not what every port needs",
    matches: ['reg0', 'eth_type'],
    writes: ['ip_dscp'],
    outputs: 'none',
    next: ['antispoof'],
    metered: true,
    miss: 'antispoof',
  },
  antispoof: {
    id: 10,
    purpose: 'a VM sends from its own addresses only',
    matches: ['reg0', 'eth_src', ...ipFields, ...udpFields, ...arpFields, ...ndFields],
    writes: [],
    outputs: 'none',
    next: ['localIp'],
    miss: 'drop',
  },
  ...localIpQuestions,
  leavingSubnet: {
    id: 13,
    purpose: "which of its sender's subnets the packet leaves, where one has a network ACL",
    matches: ['reg0', ...endFields],
    writes: ['reg6', 'reg7'],
    outputs: 'none',
    next: ['leavingBorder', 'leaving'],
    miss: 'leaving',
  },
  leavingBorder: {
    id: 14,
    purpose: "whether the packet crosses the subnet's border, and which version of its ACL judges it",
    matches: ['reg6', 'reg7', ...endFields, 'ip_proto', 'icmpv6_type'],
    writes: ['reg6', 'reg7'],
    outputs: 'none',
    next: ['leavingAcl', 'leaving'],
    miss: 'drop',
  },
  leavingAcl: {
    id: 15,
    purpose: 'the rules for what leaves the subnet; what none allows ends here',
    matches: ['reg6', 'reg7', ...trafficFields],
    writes: [],
    outputs: 'none',
    next: ['leaving'],
    miss: 'drop',
  },
  leaving: {
    id: 20,
    purpose: 'whether security groups judge what the VM sends: not what every network needs',
    matches: ['reg0', 'eth_type', 'ip_proto', 'icmpv6_type', 'icmpv6_code', ...udpFields],
    writes: ['reg2', 'reg6', 'reg7', 'reg12'],
    outputs: 'none',
    next: ['leavingTrack', 'services'],
    calls: ['policy'],
    miss: 'drop',
  },
  leavingTrack: {
    id: 21,
    purpose: 'what no stateless group has allowed is asked for its connection',
    matches: ['reg0', 'reg2', 'eth_type'],
    writes: [],
    outputs: 'none',
    next: ['leavingState', 'services'],
    conntrack: 'track',
    miss: 'drop',
  },
  leavingState: {
    id: 22,
    purpose: 'the rules of the direction in which the connection was opened; what is invalid ends here',
    matches: ['reg0', 'ct_state', 'ct_mark'],
    writes: ['reg6', 'reg7'],
    outputs: 'none',
    next: ['leavingVerdict'],
    calls: ['policy'],
    miss: 'drop',
  },
  leavingVerdict: {
    id: 23,
    purpose: "what a rule allows goes on, and a new connection is remembered as this port's",
    matches: ['reg0', 'reg2', 'eth_type', 'ct_state', 'ct_mark'],
    writes: [],
    outputs: 'none',
    next: ['services'],
    conntrack: 'commit',
    miss: 'drop',
  },
  gateway: {
    id: 40,
    purpose: 'what other hosts have no neighbour for, on the gateway host of the network; what it answers, on theirs',
    matches: ['metadata', 'eth_dst', ...ipFields, ...arpFields, 'nd_options_type'],
    writes: ['tun_dst', 'reg4', 'reg6', 'reg7'],
    outputs: 'none',
    next: ['services', 'nextHop', 'translation', 'neighbour', 'delivery'],
    miss: 'drop',
  },
  ...arrivals,
  services: {
    id: 50,
    purpose: 'ARP and neighbour discovery answered on the host, DHCP, DNS and metadata by the agent',
    matches: [
      'metadata',
      'reg0',
      ...ipFields,
      'ipv4_dst',
      'ipv6_dst',
      'tcp_dst',
      ...udpFields,
      ...arpFields,
      ...ndFields,
    ],
    writes: [
      'eth_src', 'eth_dst', ...arpFields, 'ipv6_src', 'ipv6_dst', 'icmpv6_type', 'nd_options_type', 'nd_reserved',
      'reg14', 'tun_dst',
    ], // prettier-ignore
    outputs: 'in_port',
    next: ['ndReply', 'routers', 'toGateway'],
    toAgent: true,
    miss: 'routers',
  },
  ndReply: {
    id: 51,
    purpose: 'ends the advertisement that services began: its target address may only be written once it is one',
    matches: [...ipFields, ...ndFields],
    writes: ['nd_tll'],
    outputs: 'in_port',
    next: [],
    miss: 'drop',
  },
  routers: {
    id: 60,
    purpose: 'whether the packet is for a router, and which',
    matches: ['metadata', 'eth_dst'],
    writes: ['reg6', 'reg7', 'reg10'],
    outputs: 'none',
    next: ['routing', 'neighbour'],
    miss: 'neighbour',
  },
  routing: {
    id: 61,
    purpose: "the router's routes, the longest prefix first, and its answers to those who ping it",
    matches: [
      'reg5', 'reg6', 'reg7', 'reg10', 'eth_type', 'ip_proto', 'ip_ttl', 'ipv4_dst', 'ipv6_src', 'ipv6_dst',
      'icmpv4_type', 'icmpv4_code', 'icmpv6_type', 'icmpv6_code',
    ], // prettier-ignore
    writes: [
      'metadata', 'eth_src', 'eth_dst', 'ip_ttl', 'ipv4_src', 'ipv4_dst', 'ipv6_src', 'ipv6_dst',
      'icmpv4_type', 'icmpv6_type', ...remoteFields, 'reg14',
    ], // prettier-ignore
    outputs: 'in_port',
    next: ['nextHop', 'departing'],
    toAgent: true,
    miss: 'drop',
  },
  nextHop: {
    id: 62,
    purpose: 'the MAC of an address in the network that a packet is routed to',
    matches: ['metadata', 'eth_type', 'reg13', ...remoteFields],
    writes: ['eth_dst', 'reg5', 'reg14', 'tun_dst'],
    outputs: 'none',
    next: ['neighbour', 'toGateway'],
    again: ['routers'],
    toAgent: true,
    miss: 'drop',
  },
  ...departures,
  neighbour: {
    id: 70,
    purpose:
      'where in the network the destination is: this host or which other; of what is for all, those that have ports of it',
    matches: ['metadata', 'eth_dst', 'reg13'],
    writes: ['reg0', 'reg14', 'tun_dst'],
    outputs: 'none',
    next: ['wire', 'tunnel', 'toGateway', 'delivery'],
    calls: ['wire', 'tunnel'],
    again: ['arriving'],
    conntrack: 'forget',
    metered: true,
    toAgent: true,
    miss: 'drop',
  },
  wire: {
    id: 72,
    purpose: 'to the physical network of a provider network, under the tag that it has there',
    matches: ['metadata', 'in_port'],
    writes: ['vlan_vid'],
    outputs: 'port',
    turns: true,
    next: [],
    miss: 'drop',
  },
  tunnel: {
    id: 75,
    purpose: 'to the host in tun_dst, with the VNI as the only thing that crosses',
    matches: [],
    writes: ['tunnel_id'],
    outputs: 'port',
    next: [],
    miss: 'drop',
  },
  toGateway: {
    id: 76,
    purpose: 'to the gateway host in tun_dst, at its port for gateways',
    matches: ['metadata'],
    writes: ['tunnel_id'],
    outputs: 'port',
    next: [],
    miss: 'drop',
  },
  delivery: {
    id: 77,
    purpose: 'which VM port of this host has the destination; of what is for all, each port of the network in turn',
    matches: ['metadata', 'eth_dst'],
    writes: ['reg1'],
    outputs: 'none',
    next: ['enteringSubnet'],
    calls: ['enteringSubnet'],
    miss: 'drop',
  },
  enteringSubnet: {
    id: 78,
    purpose: "which of its receiver's subnets the packet enters, where one has a network ACL",
    matches: ['reg1', ...endFields],
    writes: ['reg6', 'reg7'],
    outputs: 'none',
    next: ['enteringBorder', 'entering'],
    miss: 'entering',
  },
  enteringBorder: {
    id: 79,
    purpose: "whether the packet crosses the subnet's border, and which version of its ACL judges it",
    matches: ['reg6', 'reg7', ...endFields, 'ip_proto', 'icmpv6_type'],
    writes: ['reg6', 'reg7'],
    outputs: 'none',
    next: ['enteringAcl', 'entering'],
    miss: 'drop',
  },
  enteringAcl: {
    id: 80,
    purpose: 'the rules for what enters the subnet; what none allows ends here',
    matches: ['reg6', 'reg7', ...trafficFields],
    writes: [],
    outputs: 'none',
    next: ['entering'],
    miss: 'drop',
  },
  entering: {
    id: 81,
    purpose: 'whether security groups judge what the VM gets: not what every network needs',
    matches: ['reg0', 'reg1', 'eth_type', 'ip_proto', 'icmpv6_type', 'icmpv6_code', ...udpFields],
    writes: ['reg2', 'reg6', 'reg7', 'reg12'],
    outputs: 'none',
    next: ['enteringTrack', 'localIpAnswer'],
    calls: ['policy'],
    miss: 'drop',
  },
  enteringTrack: {
    id: 82,
    purpose: 'what no stateless group has allowed is asked for its connection',
    matches: ['reg1', 'reg2', 'eth_type'],
    writes: [],
    outputs: 'none',
    next: ['enteringState', 'localIpAnswer'],
    conntrack: 'track',
    miss: 'drop',
  },
  enteringState: {
    id: 83,
    purpose: 'the rules of the direction in which the connection was opened; what is invalid ends here',
    matches: ['reg1', 'ct_state', 'ct_mark'],
    writes: ['reg6', 'reg7'],
    outputs: 'none',
    next: ['enteringVerdict'],
    calls: ['policy'],
    miss: 'drop',
  },
  enteringVerdict: {
    id: 84,
    purpose: "what a rule allows goes on, and a new connection is remembered as this port's",
    matches: ['reg1', 'reg2', 'eth_type', 'ct_state', 'ct_mark'],
    writes: [],
    outputs: 'none',
    next: ['localIpAnswer'],
    conntrack: 'commit',
    miss: 'drop',
  },
  ...localIpAnswers,
  output: {
    id: 90,
    purpose: 'the one way to a VM, as narrow as its QoS policy says; to a sub-port by its parent, under its tag',
    matches: ['reg1'],
    writes: ['in_port_nxm', 'reg1', 'vlan_vid'],
    outputs: 'register',
    next: [],
    metered: true,
    miss: 'drop',
  },
  back: {
    id: 92,
    purpose: 'back to who asked, by the port that the question came in by: to a sub-port under its tag',
    matches: ['reg0'],
    writes: ['vlan_vid'],
    outputs: 'in_port',
    next: [],
    miss: 'drop',
  },
  policy: {
    id: 100,
    purpose: 'what has to be asked of one security group in one direction',
    matches: ['reg6', 'reg7', 'eth_type', 'ct_state'],
    writes: ['reg3', 'reg6', 'reg7', ...remoteFields],
    outputs: 'none',
    next: [],
    calls: ['members', 'rules'],
    miss: 'drop',
  },
  members: {
    id: 101,
    purpose: 'the addresses of a set: the members of a security group, or an address group',
    matches: ['reg6', 'reg7', 'reg12', 'eth_type', ...remoteFields],
    writes: ['reg3'],
    outputs: 'none',
    next: [],
    miss: 'drop',
  },
  rules: {
    id: 102,
    purpose: 'what the rules of one group, direction and set allow',
    matches: [
      'reg3', 'reg6', 'reg7', ...connectionFields, ...trafficFields,
    ], // prettier-ignore
    writes: ['reg2'],
    outputs: 'none',
    next: [],
    miss: 'drop',
  },
};

/** All tables in the order of a packet's way, then those that are called. */
export const tables: readonly TableName[] = Object.keys(pipeline) as TableName[];

const nameById = new Map(tables.map((name) => [pipeline[name].id, name]));

/** The table of this id. */
export function namedTable(id: number): TableName | undefined {
  return nameById.get(id);
}

/** The name that the pipeline gives to a table id; for people. */
export function tableName(id: number): string {
  return nameById.get(id) ?? String(id);
}
