/**
 * Resources → flows, purely: the same present state gives the same flows, whatever came before. Everything is keyed by
 * (VNI, address), so networks with equal addresses never meet.
 */
import { ipv4 } from '@alcor/openflow';
import { ownAddressesOnly } from './antispoof.ts';
import { notToItself } from './broadcast.ts';
import { FALLBACK, flow, icmpv6, move, RESERVED, RULE, set } from './build.ts';
import { resourceCookie } from './cookie.ts';
import type { Action, Flow, Match } from './flow.ts';
import { HOST_QUESTIONS, hostAddressFlows } from './host-address.ts';
import { localIpFlows } from './local-ips.ts';
import { meterOf } from './meters.ts';
import { aclHostFlows, aclPortFlows, type AclView, noAcls } from './network-acl.ts';
import { pipeline, tables } from './pipeline.ts';
import { type Addresses, addressesOf, answers, ndReplies } from './responder.ts';
import type { LocalPort, Neighbor } from './resources.ts';
import { nextHopFlows, noRouting, routingHostFlows, type RoutingView } from './routing.ts';
import { memberFlows } from './security-groups.ts';
import { noSecurity, securityHostFlows, securityPortFlows, type SecurityView } from './security.ts';
import { entrance, entranceFlow, outputFlows, outputHostFlows, portKey } from './trunk.ts';

/** The resource that the host's own flows come from: those that every packet needs, whoever sent it. */
export const HOST = 'host';

/** The flows that are there whatever ports are; those of the tunnel once its port number is known. */
export function hostFlows(tunnelPort: number | null): readonly Flow[] {
  const owner = resourceCookie(HOST);
  const misses = tables.flatMap((name) => {
    const { miss } = pipeline[name];
    return miss === 'drop' ? [] : [flow(owner, name, 0, {}, [], miss)];
  });
  return [
    ...misses,
    ...ndReplies(owner),
    ...hostAddressFlows(owner),
    ...outputHostFlows(owner),
    ...routingHostFlows(owner),
    ...aclHostFlows(owner),
    ...securityHostFlows(owner),
    ...(tunnelPort === null ? [] : tunnelFlows(owner, tunnelPort)),
  ];
}

/**
 * The flows of a port of this host whose interface, or its parent's, is plugged at `ofport`. Administratively down, it is one flow that
 * drops what the VM sends; nothing leads to it, but it is a member of its groups as it is on other hosts.
 */
export function portFlows(
  port: LocalPort,
  ofport: number,
  security: SecurityView = noSecurity,
  routing: RoutingView = noRouting,
  acls: AclView = noAcls,
): readonly Flow[] {
  const owner = resourceCookie(port.id);
  const members = memberFlows(port, security, routing);
  if (!port.adminStateUp) return [flow(owner, 'classify', RULE, entrance(port, ofport), []), ...members];
  const key = portKey(port, ofport);
  const own = addressesOf(port);
  const at: Match = { metadata: BigInt(port.vni), eth_dst: own.mac };
  const isMember = port.securityGroupIds?.some((id) => security.isNamed(id)) === true;
  return [
    flow(owner, 'delivery', RULE, at, [set('reg1', key)], 'enteringSubnet'),
    flow(owner, 'neighbour', RULE, at, [], 'delivery'),
    notToItself(owner, key),
    ...answers(owner, port.vni, own, 'host'),
    ...nextHopFlows(owner, port, routing),
    ...silences(owner, key, own),
    ...(own.v4.length > 0 ? QUESTIONS_V4.map((match) => toAgent(owner, key, port.vni, match)) : []),
    ...(own.v6.length > 0 ? QUESTIONS_V6.map((match) => toAgent(owner, key, port.vni, match)) : []),
    ...aclPortFlows(port, key, acls),
    ...securityPortFlows(port, key, security, routing),
    ...members,
    ...localIpFlows(owner, key, port),
    ...(port.portSecurityEnabled ? ownAddressesOnly(owner, key, port, 'localIp') : [anyAddress(owner, key)]),
    entranceFlow(owner, port, ofport, isMember ? [set('reg13', 1)] : []),
    ...outputFlows(owner, port, ofport),
  ];
}

/**
 * The flows towards a port of another host. Of one that is on this one its local port speaks, but for what groups it is in: that is the same
 * whether it is plugged or not, as it is on other hosts. `isOnWire`: its network is a
 * provider network, so what is for it goes by the wire.
 */
export function neighborFlows(
  neighbor: Neighbor,
  hostIp: string,
  security: SecurityView = noSecurity,
  routing: RoutingView = noRouting,
  isOnWire = false,
): readonly Flow[] {
  const members = memberFlows(neighbor, security, routing);
  if (neighbor.hostIp === hostIp) return members;
  const owner = resourceCookie(neighbor.id);
  const its = addressesOf(neighbor);
  const at: Match = { metadata: BigInt(neighbor.vni), eth_dst: its.mac };
  return [
    ...(isOnWire ? [] : [flow(owner, 'neighbour', RULE, at, [set('tun_dst', ipv4(neighbor.hostIp))], 'tunnel')]),
    ...answers(owner, neighbor.vni, its, 'host'),
    ...nextHopFlows(owner, neighbor, routing),
    ...members,
  ];
}

function tunnelFlows(owner: bigint, tunnelPort: number): readonly Flow[] {
  return [
    flow(owner, 'tunnel', RULE, {}, [move('metadata', 'tunnel_id', 64), { type: 'output', port: tunnelPort }]),
    flow(owner, 'classify', RULE, { in_port: tunnelPort }, [move('tunnel_id', 'metadata', 64)], 'delivery'),
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

/** What a DHCP client says, and what the host is asked. */
const QUESTIONS_V4: readonly Match[] = [
  { eth_type: 0x0800, ip_proto: 17, udp_src: 68, udp_dst: 67 },
  ...HOST_QUESTIONS.v4,
];

/** Router solicitations, what a DHCPv6 client says, and what the host is asked. */
const QUESTIONS_V6: readonly Match[] = [
  icmpv6(133),
  { eth_type: 0x86dd, ip_proto: 17, udp_src: 546, udp_dst: 547 },
  ...HOST_QUESTIONS.v6,
];

/** A question that the agent answers. */
function toAgent(owner: bigint, ofport: number, vni: number, match: Match): Flow {
  const give: Action = { type: 'controller', meter: meterOf('service', vni) };
  return flow(owner, 'services', RULE, { reg0: ofport, ...match }, [give]);
}

function anyAddress(owner: bigint, ofport: number): Flow {
  return flow(owner, 'antispoof', FALLBACK, { reg0: ofport }, [], 'localIp');
}
