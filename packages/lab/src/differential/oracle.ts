/**
 * What becomes of a packet, read off what the tenants have said and nothing else: no goals, no flows, no tables. Slow and plain; of every rule
 * there is one sentence here. What hosts know of each other that tenants do not say is one thing: where a port is.
 */
import type { Packet } from '@alcor/agent';
import {
  type Network,
  type NetworkId,
  parseCidr,
  parseIp,
  contains,
  type Port,
  type Router,
  type RouterPort,
} from '@alcor/network';
import { mayCross } from './oracle-acls.ts';
import { mayPass, type Connection } from './oracle-groups.ts';
import { isOwn } from './oracle-sources.ts';
import { networkOf, type Plan } from './plan.ts';
import { linkLocalOf, macNumber } from './random-packet.ts';
import type { Sent } from './random-packet.ts';
import { answeredBy, type Verdict, deliveredTo, LEFT_TO_SERVICES } from './verdict.ts';

/** The verdict, and which connections it has opened. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly opened: readonly Connection[];
}

interface Way {
  readonly plan: Plan;
  readonly sender: Port;
  readonly known: readonly Connection[];
  readonly opened: Connection[];
  readonly verdict: string[];
}

export function judge(plan: Plan, { from, packet }: Sent, known: readonly Connection[] = []): Judgement {
  const sender = plan.ports.find(({ id }) => id === from)!;
  const way: Way = { plan, sender, known, opened: [], verdict: [] };
  if (isHere(plan, sender)) leave(way, packet);
  return { verdict: way.verdict.toSorted(), opened: way.opened };
}

/** A port is there if it is on a host, and neither it nor its network is switched off. */
function isHere(plan: Plan, port: Port): boolean {
  return port.hostId !== null && port.adminStateUp && networkOf(plan, port.networkId).adminStateUp;
}

function leave(way: Way, packet: Packet): void {
  const { plan, sender } = way;
  if (sender.portSecurityEnabled && !isOwn(sender, packet)) return;
  if (!passes(way, sender, 'egress', packet)) return;
  if (asksHost(sender, packet)) return void way.verdict.push(LEFT_TO_SERVICES);
  const target = asked(packet);
  if (target !== null) {
    // Who asks for its own address wants to know whether somebody else has it.
    if (sender.fixedIps.some(({ ip }) => isAddress(ip, target))) return;
    const answer = isProbe(packet) ? null : answererOf(plan, sender, target);
    if (answer !== null) return void way.verdict.push(answeredBy(answer));
  }
  forward(way, packet, networkOf(plan, sender.networkId));
}

/** What a guest asks the host it is on: for an address, or for a router. */
function asksHost({ fixedIps }: Port, packet: Packet): boolean {
  const has = (version: 4 | 6): boolean => fixedIps.some(({ ip }) => ip.includes(':') === (version === 6));
  if (packet.eth_type === 0x0800) return has(4) && packet.udp_src === 68 && packet.udp_dst === 67;
  if (packet.udp_src === 546 && packet.udp_dst === 547) return has(6);
  return has(6) && packet.icmpv6_type === 133;
}

/** The address whose MAC the packet asks for. */
function asked(packet: Packet): bigint | null {
  if (packet.arp_op === 1) return BigInt(packet.arp_tpa!);
  return packet.icmpv6_type === 135 ? BigInt(packet.nd_target!) : null;
}

/** A solicitation that does not say whom to answer. */
function isProbe(packet: Packet): boolean {
  return packet.icmpv6_type === 135 && packet.nd_options_type !== 1;
}

/** The MAC of who has the address in the network: hosts answer for ports that others have, and for those of their own that are there. */
function answererOf(plan: Plan, sender: Port, target: bigint): string | null {
  const { networkId, hostId } = sender;
  const holder = plan.ports.find(
    (port) =>
      port.networkId === networkId &&
      port.hostId !== null &&
      (port.hostId !== hostId || isHere(plan, port)) &&
      port.fixedIps.some(({ ip }) => isAddress(ip, target)),
  );
  if (holder !== undefined) return holder.mac;
  const router = interfacesOn(plan, networkId).find(
    ({ by }) => by.fixedIps.some(({ ip }) => isAddress(ip, target)) || isLinkLocalOf(by, target),
  );
  return router?.by.mac ?? null;
}

interface Attached {
  readonly router: Router;
  readonly by: RouterPort;
}

function interfacesOn({ routers }: Plan, networkId: NetworkId): Attached[] {
  return routers
    .filter(({ adminStateUp }) => adminStateUp)
    .flatMap((router) => router.interfaces.map((by) => ({ router, by })))
    .filter(({ by }) => by.networkId === networkId);
}

/** In the network: to a router, to all, or to the one port that has the MAC. */
function forward(way: Way, packet: Packet, network: Network, hops = 0): void {
  const { plan, sender } = way;
  const attached = interfacesOn(plan, network.id).find(({ by }) => macNumber(by.mac) === packet.eth_dst);
  if (attached !== undefined) return route(way, packet, attached, hops);
  const isForAll = (BigInt(packet.eth_dst!) & 0x0100_0000_0000n) !== 0n;
  for (const port of plan.ports) {
    if (port.networkId !== network.id || !isHere(plan, port) || port === sender) continue;
    if (!isForAll && macNumber(port.mac) !== packet.eth_dst) continue;
    if (passes(way, port, 'ingress', packet)) way.verdict.push(deliveredTo(port.id, packet));
  }
}

function route(way: Way, packet: Packet, { router, by }: Attached, hops: number): void {
  const to = destinationOf(packet);
  if (to === null) return;
  const own = router.interfaces.flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip));
  const isEcho =
    (packet.icmpv4_type === 8 && packet.icmpv4_code === 0) || (packet.icmpv6_type === 128 && packet.icmpv6_code === 0);
  const isForIt = own.some((ip) => isAddress(ip, to.value)) || (to.version === 6 && isLinkLocalOf(by, to.value));
  // A router behind another one has no way to answer.
  if (isForIt && isEcho && hops === 0) return void way.verdict.push(answeredBy(by.mac));
  if (isForIt || isLinkOnly(packet)) return;
  if (Number(packet.ip_ttl) < 2) return void way.verdict.push(LEFT_TO_SERVICES);
  const path = pathTo(way.plan, router, to);
  if (path === 'none') return void way.verdict.push(LEFT_TO_SERVICES);
  if (path === 'nowhere') return;
  const network = networkOf(way.plan, path.by.networkId);
  const hop = holderOf(way.plan, network.id, path.hop);
  if (hop === null) return;
  const routed = {
    ...packet,
    ip_ttl: Number(packet.ip_ttl) - 1,
    eth_src: macNumber(path.by.mac),
    eth_dst: macNumber(hop),
  };
  forward(way, routed, network, hops + 1);
}

type Address = NonNullable<ReturnType<typeof parseIp>>;

function destinationOf(packet: Packet): Address | null {
  if (packet.ipv4_dst !== undefined) return { version: 4, value: BigInt(packet.ipv4_dst) };
  return packet.ipv6_dst === undefined ? null : { version: 6, value: BigInt(packet.ipv6_dst) };
}

/** What is said on one link stays there (RFC 4291 section 2.5.6). */
function isLinkOnly({ ipv6_src, ipv6_dst }: Packet): boolean {
  return within('fe80::/10', ipv6_src) || within('fe80::/10', ipv6_dst) || within('ff00::/8', ipv6_dst);
}

function within(cidr: string, value: number | bigint | undefined): boolean {
  return value !== undefined && contains(parseCidr(cidr)!, { version: 6, value: BigInt(value) });
}

interface Path {
  readonly by: RouterPort;
  readonly hop: bigint;
}

/** The longest prefix wins, and of two alike the subnet that the router is on. */
function pathTo(plan: Plan, router: Router, to: Address): Path | 'none' | 'nowhere' {
  const near = router.interfaces.flatMap((by) =>
    subnetsOf(plan, by).map((cidr) => ({ cidr, rank: 1, path: { by, hop: to.value } as Path | 'nowhere' })),
  );
  const far = router.routes.map(({ destination, nexthop }) => {
    const hop = parseIp(nexthop)!;
    const by = router.interfaces.find((each) => subnetsOf(plan, each).some((cidr) => contains(cidr, hop)));
    return {
      cidr: parseCidr(destination)!,
      rank: 0,
      path: by === undefined ? ('nowhere' as const) : { by, hop: hop.value },
    };
  });
  const fitting = [...near, ...far]
    .filter(({ cidr }) => contains(cidr, to))
    .toSorted((a, b) => b.cidr.prefix - a.cidr.prefix || b.rank - a.rank);
  return fitting[0]?.path ?? 'none';
}

function subnetsOf({ subnets }: Plan, { fixedIps }: RouterPort) {
  return fixedIps.map(({ subnetId }) => parseCidr(subnets.find(({ id }) => id === subnetId)!.cidr)!);
}

/** The MAC of the port or router that has the address in the network. */
function holderOf(plan: Plan, networkId: NetworkId, ip: bigint): string | null {
  const router = interfacesOn(plan, networkId).find(({ by }) => by.fixedIps.some((fixed) => isAddress(fixed.ip, ip)));
  if (router !== undefined) return router.by.mac;
  const port = plan.ports.find(
    (each) => each.networkId === networkId && each.fixedIps.some((fixed) => isAddress(fixed.ip, ip)),
  );
  return port?.mac ?? null;
}

function isAddress(text: string, value: bigint): boolean {
  return parseIp(text)!.value === value;
}

/** Routers have a link-local address where they have an IPv6 address. */
function isLinkLocalOf({ mac, fixedIps }: RouterPort, value: bigint): boolean {
  return fixedIps.some(({ ip }) => ip.includes(':')) && isAddress(linkLocalOf(mac), value);
}

function passes({ plan, known, opened }: Way, port: Port, direction: 'ingress' | 'egress', packet: Packet): boolean {
  if (!mayCross(plan, port, direction, packet)) return false;
  const { allowed, opens } = mayPass(plan, port, direction, packet, known);
  if (allowed && opens !== undefined) opened.push(opens);
  return allowed;
}
