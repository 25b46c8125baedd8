/**
 * Resources → flows, purely: the same present state gives the same flows, whatever came before. Everything is keyed by
 * (VNI, address), so networks with equal addresses never meet.
 */
import { ipv4, ipv6, mac } from '@alcor/openflow';
import { isIpv6 } from './address.ts';
import { ownAddressesOnly } from './antispoof.ts';
import { apply, FALLBACK, flow, goto, icmpv6, move, RESERVED, RULE, set } from './build.ts';
import { resourceCookie, stamped } from './cookie.ts';
import { IN_PORT, type Action, type Flow, type Match } from './flow.ts';
import { pipeline, tables } from './pipeline.ts';
import type { LocalPort, Neighbor } from './resources.ts';
import { memberFlows } from './security-groups.ts';
import { noSecurity, securityHostFlows, securityPortFlows, type SecurityView } from './security.ts';

/** The resource that the host's own flows come from: those that every packet needs, whoever sent it. */
export const HOST = 'host';

// Said once, because a host with many neighbours says them in each of its flows.
const reply: Action = { type: 'output', port: IN_PORT };
const ETHERNET_TO_ASKER = move('eth_src', 'eth_dst', 48);
const ARP_TO_ASKER = move('arp_sha', 'arp_tha', 48);
const ARP_TO_ASKERS_ADDRESS = move('arp_spa', 'arp_tpa', 32);
const IS_ARP_REPLY = set('arp_op', 2);
const IPV6_TO_ASKER = move('ipv6_src', 'ipv6_dst', 128);
const IS_ADVERTISEMENT = [set('icmpv6_type', 136), set('nd_options_type', 2), set('nd_reserved', 0x60000000)];

interface Addresses {
  readonly mac: number;
  readonly v4: readonly number[];
  readonly v6: readonly bigint[];
}

/** The flows that are there whatever ports are; those of the tunnel once its port number is known. */
export function hostFlows(tunnelPort: number | null): readonly Flow[] {
  const owner = resourceCookie(HOST);
  const misses = tables.flatMap((name) => {
    const { miss } = pipeline[name];
    return miss === 'drop' ? [] : [flow(owner, name, 0, {}, [], miss)];
  });
  return [
    ...misses,
    flow(owner, 'ndReply', RULE, { ...icmpv6(136), nd_options_type: 2 }, [move('eth_src', 'nd_tll', 48), reply]),
    flow(owner, 'output', RULE, {}, [{ type: 'output_reg', field: 'reg1' }]),
    ...securityHostFlows(owner),
    ...(tunnelPort === null ? [] : tunnelFlows(owner, tunnelPort)),
  ];
}

/**
 * The flows of a port of this host that is plugged at `ofport`. Administratively down, it is one flow that drops what
 * the VM sends; nothing leads to it.
 */
export function portFlows(port: LocalPort, ofport: number, security: SecurityView = noSecurity): readonly Flow[] {
  const owner = resourceCookie(port.id);
  if (!port.adminStateUp) return [flow(owner, 'classify', RULE, { in_port: ofport }, [])];
  const own = addressesOf(port);
  const at: Match = { metadata: BigInt(port.vni), eth_dst: own.mac };
  return [
    flow(owner, 'delivery', RULE, at, [set('reg1', ofport)], 'entering'),
    flow(owner, 'neighbour', RULE, at, [], 'delivery'),
    ...answers(owner, port.vni, own),
    ...silences(owner, ofport, own),
    ...securityPortFlows(port, ofport, security),
    ...memberFlows(port, security),
    ...(port.portSecurityEnabled ? ownAddressesOnly(owner, ofport, port, 'leaving') : [anyAddress(owner, ofport)]),
    stamped(owner, {
      table: pipeline.classify.id,
      priority: RULE,
      match: { in_port: ofport },
      instructions: [
        apply([set('reg0', ofport)]),
        { type: 'write_metadata', value: BigInt(port.vni) },
        goto('antispoof'),
      ],
    }),
  ];
}

/** The flows towards a port of another host; none if it says to be on this one, where its local port speaks for it. */
export function neighborFlows(
  neighbor: Neighbor,
  hostIp: string,
  security: SecurityView = noSecurity,
): readonly Flow[] {
  if (neighbor.hostIp === hostIp) return [];
  const owner = resourceCookie(neighbor.id);
  const its = addressesOf(neighbor);
  const at: Match = { metadata: BigInt(neighbor.vni), eth_dst: its.mac };
  return [
    flow(owner, 'neighbour', RULE, at, [set('tun_dst', ipv4(neighbor.hostIp))], 'tunnel'),
    ...answers(owner, neighbor.vni, its),
    ...memberFlows(neighbor, security),
  ];
}

function tunnelFlows(owner: bigint, tunnelPort: number): readonly Flow[] {
  return [
    flow(owner, 'tunnel', RULE, {}, [move('metadata', 'tunnel_id', 64), { type: 'output', port: tunnelPort }]),
    flow(owner, 'classify', RULE, { in_port: tunnelPort }, [move('tunnel_id', 'metadata', 64)], 'delivery'),
  ];
}

/** ARP requests and neighbour solicitations for these addresses, answered on the host so that nothing floods. */
function answers(owner: bigint, vni: number, its: Addresses): Flow[] {
  const metadata = BigInt(vni);
  return [
    ...its.v4.map((ip) =>
      flow(owner, 'services', RULE, { metadata, eth_type: 0x0806, arp_op: 1, arp_tpa: ip }, arpReply(its.mac, ip)),
    ),
    ...its.v6.map((ip) =>
      // Only a solicitation that carries its sender's link address has room for ours in the answer; the other kind is
      // duplicate address detection (RFC 4861 section 4.3), which nobody answers because addresses are allocated.
      flow(
        owner,
        'services',
        RULE,
        { metadata, ...icmpv6(135), nd_target: ip, nd_options_type: 1 },
        advertisement(its.mac, ip),
        'ndReply',
      ),
    ),
  ];
}

/** A VM that asks for its own address tests whether somebody else has it: an answer would make it give the address up. */
function silences(owner: bigint, ofport: number, own: Addresses): Flow[] {
  return [
    ...own.v4.map((ip) =>
      flow(owner, 'services', RESERVED, { reg0: ofport, eth_type: 0x0806, arp_op: 1, arp_tpa: ip }, []),
    ),
    ...own.v6.map((ip) => flow(owner, 'services', RESERVED, { reg0: ofport, ...icmpv6(135), nd_target: ip }, [])),
  ];
}

function anyAddress(owner: bigint, ofport: number): Flow {
  return flow(owner, 'antispoof', FALLBACK, { reg0: ofport }, [], 'leaving');
}

function arpReply(ethernet: number, ip: number): Action[] {
  return [
    ...turnEthernet(ethernet),
    IS_ARP_REPLY,
    ARP_TO_ASKER,
    set('arp_sha', ethernet),
    ARP_TO_ASKERS_ADDRESS,
    set('arp_spa', ip),
    reply,
  ];
}

/** The first half of an advertisement: solicited and overriding (RFC 4861 section 4.4), never from a router. */
function advertisement(ethernet: number, ip: bigint): Action[] {
  return [...turnEthernet(ethernet), IPV6_TO_ASKER, set('ipv6_src', ip), ...IS_ADVERTISEMENT];
}

function turnEthernet(ethernet: number): Action[] {
  return [ETHERNET_TO_ASKER, set('eth_src', ethernet)];
}

function addressesOf(of: { readonly mac: string; readonly ips: readonly string[] }): Addresses {
  return {
    mac: mac(of.mac),
    v4: of.ips.filter((ip) => !isIpv6(ip)).map((ip) => ipv4(ip)),
    v6: of.ips.filter(isIpv6).map((ip) => ipv6(ip)),
  };
}
