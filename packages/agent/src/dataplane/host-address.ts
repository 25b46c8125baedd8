/** Where guests find their own host: an address that is nobody's and the same in every network, at which the agent answers. */
import { ipv4, ipv6, mac } from '@alcor/openflow';
import { FALLBACK, flow, UNKNOWN } from './build.ts';
import type { Flow, Match } from './flow.ts';
import { answersAt } from './responder.ts';

export const HOST_IP = '169.254.169.254';
export const HOST_IP6 = 'fe80::a9fe:a9fe';
export const HOST_MAC = '02:00:5e:00:00:67';

const to4: Match = { eth_type: 0x0800, ipv4_dst: ipv4(HOST_IP) };
const to6: Match = { eth_type: 0x86dd, ipv6_dst: ipv6(HOST_IP6) };

/** What a guest may ask the host over either family: names, and over HTTP about itself. */
export const HOST_QUESTIONS: { readonly v4: readonly Match[]; readonly v6: readonly Match[] } = {
  v4: [
    { ...to4, ip_proto: 17, udp_dst: 53 },
    { ...to4, ip_proto: 6, tcp_dst: 80 },
  ],
  v6: [
    { ...to6, ip_proto: 17, udp_dst: 53 },
    { ...to6, ip_proto: 6, tcp_dst: 80 },
  ],
};

/**
 * The address is found by who asks for it, and what nobody answers there ends there. Below the flows of networks: one that gives the address
 * to a port of its own has it.
 */
export function hostAddressFlows(owner: bigint): Flow[] {
  const its = { mac: mac(HOST_MAC), v4: [ipv4(HOST_IP)], v6: [ipv6(HOST_IP6)] };
  return [
    ...answersAt(owner, FALLBACK, {}, its, 'host'),
    ...[to4, to6].map((match) => flow(owner, 'services', UNKNOWN + 1, match, [])),
  ];
}
