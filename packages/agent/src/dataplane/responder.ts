/** ARP and neighbour discovery answered on the host, so that nothing floods: flows of the tables `services` and `ndReply`. */
import { ipv4, ipv6, mac } from '@alcor/openflow';
import { isIpv6 } from './address.ts';
import { flow, icmpv6, joined, move, RULE, set } from './build.ts';
import type { Action, Flow, Match } from './flow.ts';
import { pipeline } from './pipeline.ts';

/** A MAC and the addresses that it answers for. */
export interface Addresses {
  readonly mac: number;
  readonly v4: readonly number[];
  readonly v6: readonly bigint[];
}

/** What an advertisement says of who sends it, beside that it is solicited and overrides (RFC 4861 section 4.4). */
export type Role = 'host' | 'router';

// Said once, because a host with many neighbours says them in each of its flows.
export const BACK: Action = { type: 'resubmit', table: pipeline.back.id };
const ETHERNET_TO_ASKER = move('eth_src', 'eth_dst', 48);
const ARP_TO_ASKER = move('arp_sha', 'arp_tha', 48);
const ARP_TO_ASKERS_ADDRESS = move('arp_spa', 'arp_tpa', 32);
const IS_ARP_REPLY = set('arp_op', 2);
const IPV6_TO_ASKER = move('ipv6_src', 'ipv6_dst', 128);
const IS_ADVERTISEMENT = {
  host: [set('icmpv6_type', 136), set('nd_options_type', 2), set('nd_reserved', 0x60000000)],
  router: [set('icmpv6_type', 136), set('nd_options_type', 2), set('nd_reserved', 0xe0000000)],
} as const;

export function addressesOf(of: { readonly mac: string; readonly ips: readonly string[] }): Addresses {
  return {
    mac: mac(of.mac),
    v4: of.ips.filter((ip) => !isIpv6(ip)).map((ip) => ipv4(ip)),
    v6: of.ips.filter(isIpv6).map((ip) => ipv6(ip)),
  };
}

/** The answers to requests and solicitations for these addresses in the network. */
export function answers(owner: bigint, vni: number, its: Addresses, role: Role): Flow[] {
  return answersAt(owner, RULE, { metadata: BigInt(vni) }, its, role);
}

/** The same for what `where` matches. */
export function answersAt(owner: bigint, priority: number, where: Match, its: Addresses, role: Role): Flow[] {
  return [
    ...its.v4.map((ip) =>
      flow(owner, 'services', priority, { eth_type: 0x0806, arp_op: 1, arp_tpa: ip, ...where }, arpReply(its.mac, ip)),
    ),
    ...its.v6.map((ip) =>
      // Only a solicitation that carries its sender's link address has room for ours in the answer; the other kind is
      // duplicate address detection (RFC 4861 section 4.3), which nobody answers because addresses are allocated.
      flow(
        owner,
        'services',
        priority,
        joined({ nd_target: ip, nd_options_type: 1, ...where }, icmpv6(135)),
        advertisement(its.mac, ip, role),
        'ndReply',
      ),
    ),
  ];
}

/** Ends every advertisement: to who asked here, and to who asked on a wire. */
export function ndReplies(owner: bigint): Flow[] {
  const match: Match = { ...icmpv6(136), nd_options_type: 2 };
  const say = move('eth_src', 'nd_tll', 48);
  return [
    flow(owner, 'ndReply', RULE, match, [say, BACK]),
    flow(owner, 'arrivingReply', RULE, match, [say], 'neighbour'),
  ];
}

/** The answer to a request, back to who asked. */
export function arpReply(ethernet: number, ip: number): Action[] {
  return [
    ...turnEthernet(ethernet),
    IS_ARP_REPLY,
    ARP_TO_ASKER,
    set('arp_sha', ethernet),
    ARP_TO_ASKERS_ADDRESS,
    set('arp_spa', ip),
    BACK,
  ];
}

/** The first half of an advertisement. */
function advertisement(ethernet: number, ip: bigint, role: Role): Action[] {
  return [...turnEthernet(ethernet), IPV6_TO_ASKER, set('ipv6_src', ip), ...IS_ADVERTISEMENT[role]];
}

function turnEthernet(ethernet: number): Action[] {
  return [ETHERNET_TO_ASKER, set('eth_src', ethernet)];
}
