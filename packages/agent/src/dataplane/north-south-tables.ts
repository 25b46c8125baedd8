/** The tables of what comes by a wire, and of what leaves by a router's gateway: parts of the pipeline (`pipeline.ts`), which draws them. */
import { arpFields, ipFields, ndFields, remoteFields } from './pipeline-fields.ts';
import type { Tables } from './table.ts';

export const arrivals: Tables<'arriving' | 'returned' | 'arrivingReply'> = {
  arriving: {
    id: 41,
    purpose:
      'what a wire brings for floating IPs and gateways of routers that this host has; all else is for ports here',
    matches: [
      'metadata', 'eth_dst', ...ipFields, 'ipv4_dst', 'ipv6_dst', 'icmpv4_type', 'icmpv4_code', 'tcp_src', 'tcp_dst', 'udp_dst',
      ...arpFields, ...ndFields,
    ], // prettier-ignore
    writes: [
      'eth_src', 'eth_dst', ...arpFields, 'ipv4_src', 'ipv4_dst', 'ipv6_src', 'ipv6_dst', 'ip_ttl', 'icmpv4_type',
      'icmpv6_type', 'nd_options_type', 'nd_reserved', 'reg6', 'reg7', 'reg15',
    ], // prettier-ignore
    outputs: 'none',
    next: ['returned', 'arrivingReply', 'routing', 'neighbour', 'delivery'],
    toAgent: true,
    metered: true,
    conntrack: 'track',
    miss: 'delivery',
  },
  returned: {
    id: 42,
    purpose:
      'to the gateway of a router: answers to what it has translated, and what opens a connection by a forwarded port',
    matches: ['reg6', 'reg7', 'eth_type', 'ct_state', 'ct_mark', 'ip_proto', 'ipv4_dst', 'tcp_dst', 'udp_dst'],
    writes: [],
    outputs: 'none',
    next: ['routing'],
    conntrack: 'commit',
    miss: 'drop',
  },
  arrivingReply: {
    id: 43,
    purpose: 'ends the advertisement that arriving began, as ndReply does',
    matches: [...ipFields, ...ndFields],
    writes: ['nd_tll'],
    outputs: 'none',
    next: ['neighbour'],
    miss: 'drop',
  },
};

export const departures: Tables<'departing' | 'translation' | 'translated' | 'outward' | 'outsideHop'> = {
  departing: {
    id: 63,
    purpose: "what leaves by a router's gateway: as a floating IP from here, all else by the router's gateway host",
    matches: ['reg0', 'reg6', 'reg7', 'eth_type', 'ip_proto', 'ipv4_src', 'icmpv4_type'],
    writes: ['eth_src', 'eth_dst', 'ipv4_src', 'ip_dscp', 'tun_dst'],
    outputs: 'none',
    next: ['translation', 'outward', 'toGateway'],
    toAgent: true,
    metered: true,
    miss: 'drop',
  },
  translation: {
    id: 64,
    purpose: 'on the gateway host of a router: the connection, with its addresses as they were translated',
    matches: [
      'reg6', 'reg7', 'eth_type', 'ip_proto', 'ipv4_src', 'icmpv4_type', 'tcp_src', 'tcp_dst', 'udp_dst',
    ], // prettier-ignore
    writes: ['eth_src', 'ipv4_src', 'ip_dscp', 'reg15'],
    outputs: 'none',
    next: ['translated', 'outward'],
    toAgent: true,
    metered: true,
    conntrack: 'track',
    miss: 'drop',
  },
  translated: {
    id: 65,
    purpose: "a new connection gets the gateway's address, and is remembered as the router's",
    matches: ['reg6', 'reg7', 'eth_type', 'ct_state', 'ct_mark', 'ip_proto', 'tcp_dst', 'udp_dst'],
    writes: ['ip_dscp'],
    outputs: 'none',
    next: ['outward'],
    metered: true,
    conntrack: 'commit',
    miss: 'drop',
  },
  outward: {
    id: 66,
    purpose: 'the next hop on an external network: the destination, or the gateway of its subnet',
    matches: ['reg6', 'reg7', 'eth_type', 'ipv4_dst', 'ipv6_dst'],
    writes: [...remoteFields],
    outputs: 'none',
    next: ['outsideHop'],
    miss: 'drop',
  },
  outsideHop: {
    id: 67,
    purpose: 'the MAC of an address on a wire, as it has said itself; the agent asks for those that are not known',
    matches: ['metadata', 'eth_type', ...remoteFields],
    writes: ['eth_dst'],
    outputs: 'none',
    next: ['neighbour'],
    toAgent: true,
    miss: 'drop',
  },
};
