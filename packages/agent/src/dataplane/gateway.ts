/**
 * Gateway hosts, as flows: packets of an on-demand VPC to who is not known where they were sent go to a host that knows the whole VPC, and from
 * there to whom they are for, without anybody's answer.
 *
 *   sender's host ── toGateway ──▶ gateway ─┬─ ARP, discovery: services, as if a VM had asked here ── back to the port it came in by
 *        ▲  │ copy                          ├─ routed: nextHop finds the MAC
 *        │  ▼                               └─ neighbour ──▶ tunnel ──▶ the destination's host
 *        └─ agent asks for the direct path
 */
import { ipv4 } from '@alcor/openflow';
import { EXCEPTION, flow, goto, icmpv6, move, RULE, set, UNKNOWN } from './build.ts';
import { stamped } from './cookie.ts';
import type { Action, Flow, Match } from './flow.ts';
import { pipeline } from './pipeline.ts';
import type { PacketIn } from './switch.ts';

/** Not to a group: whom nobody knows is one host. */
export const UNICAST = { value: 0, mask: 0x0100_0000_0000 };
/** What is routed to a next hop whose MAC is not known travels to this MAC, with the hop's IPv4 address in its last four bytes: as one of a group it is nobody's. */
const NEXT_HOP = { value: 0x0300_0000_0000, mask: 0xffff_0000_0000 };
const ADDRESS_BITS = 32;

const ARP_REQUEST: Match = { eth_type: 0x0806, arp_op: 1 };
const SOLICITATION: Match = { ...icmpv6(135), nd_options_type: 1 };
const ANSWER_TO_SENDER = move('tun_src', 'tun_dst', 32);

/** By which way packets go to gateways and come to this host as one. */
export interface GatewayWay {
  /** Underlay address of the gateway. */
  readonly gateway: string;
  /** OpenFlow port for what goes between hosts and gateways. */
  readonly port: number;
}

/**
 * What is sent to who is not known: to the gateway, and a copy to the agent by `give`. A sender whom the other end has to have heard of before it
 * lets the packet in waits, as without a gateway, and so does what is routed over IPv6: the next hop's address has no place in the packet.
 */
export function forwardedFlows(owner: bigint, vni: number, give: Action, { gateway, port }: GatewayWay): Flow[] {
  const metadata = BigInt(vni);
  const onward = set('tun_dst', ipv4(gateway));
  const both = [set('reg14', 1), give, onward];
  const hop = [set('eth_dst', NEXT_HOP.value), move('reg4', 'eth_dst', ADDRESS_BITS)];
  return [
    // An answer more does no harm: these wait beside.
    flow(owner, 'services', UNKNOWN, { metadata, ...ARP_REQUEST }, [give, onward], 'toGateway'),
    flow(owner, 'services', UNKNOWN, { metadata, ...SOLICITATION }, [give, onward], 'toGateway'),
    flow(owner, 'nextHop', UNKNOWN + 1, { metadata, eth_type: 0x0800, reg13: 0 }, [...both, ...hop], 'toGateway'),
    flow(owner, 'neighbour', UNKNOWN + 1, { metadata, eth_dst: UNICAST, reg13: 0 }, both, 'toGateway'),
    flow(owner, 'toGateway', RULE, { metadata }, [move('metadata', 'tunnel_id', 64), { type: 'output', port }]),
    from(owner, vni, port),
    flow(owner, 'gateway', RULE, { metadata, eth_type: 0x0806, arp_op: 2 }, [], 'delivery'),
    flow(owner, 'gateway', RULE, { metadata, ...icmpv6(136) }, [], 'delivery'),
  ];
}

/** Of the gateway host: what others send it goes on to whom it is for, and nobody gets what nobody is known for. */
export function gatewayFlows(owner: bigint, vni: number, port: number): Flow[] {
  const metadata = BigInt(vni);
  return [
    from(owner, vni, port),
    flow(owner, 'gateway', RULE, { metadata, eth_dst: UNICAST }, [], 'neighbour'),
    flow(
      owner,
      'gateway',
      RULE,
      { metadata, eth_type: 0x0800, eth_dst: NEXT_HOP },
      [move('eth_dst', 'reg4', ADDRESS_BITS)],
      'nextHop',
    ),
    flow(owner, 'gateway', EXCEPTION, { metadata, ...ARP_REQUEST }, [ANSWER_TO_SENDER], 'services'),
    flow(owner, 'gateway', EXCEPTION, { metadata, ...SOLICITATION }, [ANSWER_TO_SENDER], 'services'),
    flow(owner, 'services', UNKNOWN + 1, { metadata, ...ARP_REQUEST, reg0: 0 }, []),
    flow(owner, 'services', UNKNOWN + 1, { metadata, ...SOLICITATION, reg0: 0 }, []),
  ];
}

/** The packet is a copy: it went to the gateway, and only its destination is to be asked for. */
export function hasGoneToGateway({ context }: PacketIn): boolean {
  return context.registers.reg14 === 1;
}

function from(owner: bigint, vni: number, port: number): Flow {
  return stamped(owner, {
    table: pipeline.classify.id,
    priority: RULE,
    match: { in_port: port, tunnel_id: BigInt(vni) },
    instructions: [{ type: 'write_metadata', value: BigInt(vni) }, goto('gateway')],
  });
}
