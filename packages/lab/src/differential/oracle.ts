/**
 * What becomes of a packet, read off what the tenants have said and nothing else: no goals, no flows, no tables. Slow and plain; of every rule
 * there is one sentence here. What hosts know of each other that tenants do not say is one thing: where a port is.
 */
import type { Packet } from '@alcor/agent';
import {
  contains,
  type Network,
  type NetworkId,
  parseCidr,
  parseIp,
  type Port,
  type Router,
  type RouterPort,
} from '@alcor/network';
import { linkLocalOf, macNumber } from './frames.ts';
import { mayCross } from './oracle-acls.ts';
import { mayPass, type Connection } from './oracle-groups.ts';
import { answererOfRegion, answererOutside, arriving, leaving } from './oracle-outside.ts';
import { marked } from './oracle-quality.ts';
import { type Address, pathTo } from './oracle-routes.ts';
import { isOwn } from './oracle-sources.ts';
import type { Translation } from './oracle-translations.ts';
import { type Machine, networkOf, type Plan, reachesWire, subPortOf } from './plan.ts';
import type { Sent } from './random-packet.ts';
import { answeredBy, type Verdict, deliveredTo, LEFT_TO_SERVICES, macText } from './verdict.ts';

/** What hosts remember of packets that have passed. */
export interface Memory {
  readonly connections: readonly Connection[];
  readonly translations: readonly Translation[];
}

/** The verdict, and what is remembered from now on. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly memory: Memory;
}

interface Way {
  readonly plan: Plan;
  readonly sender: Port | Machine;
  readonly connections: Connection[];
  readonly translations: Translation[];
  readonly verdict: string[];
}

/** Where a packet is on its way. */
interface Place {
  readonly hostId: string | null;
  /** It has come by an external network. */
  readonly isFromOutside: boolean;
  /** Routers that it has passed. */
  readonly hops: number;
}

export const nothingKnown: Memory = { connections: [], translations: [] };

export function judge(plan: Plan, { from, packet }: Sent, known: Memory = nothingKnown): Judgement {
  const { vlan_vid, ...untagged } = packet;
  const port =
    vlan_vid === undefined ? plan.ports.find(({ id }) => id === from) : subPortOf(plan, from, tagOf(vlan_vid));
  const sender = port ?? plan.machines.find(({ id }) => id === from);
  if (sender === undefined) return { verdict: [], memory: known };
  const { connections, translations } = known;
  const way: Way = { plan, sender, connections: [...connections], translations: [...translations], verdict: [] };
  if (port === undefined) say(way, sender as Machine, untagged);
  else if (isHere(plan, port)) leave(way, port, marked(plan, port, untagged));
  return { verdict: way.verdict.toSorted(), memory: way };
}

/** IEEE 802.1Q: twelve bits of it. */
function tagOf(vid: number | bigint): number {
  return Number(vid) & 0xfff;
}

/** A port is there if it is on a host, and neither it nor its network is switched off. */
function isHere(plan: Plan, port: Port): boolean {
  return port.hostId !== null && port.adminStateUp && networkOf(plan, port.networkId).adminStateUp;
}

function leave(way: Way, sender: Port, packet: Packet): void {
  const { plan } = way;
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
  forward(way, packet, networkOf(plan, sender.networkId), { hostId: sender.hostId, isFromOutside: false, hops: 0 });
}

/** What a machine outside sends on its wire. */
function say(way: Way, { id, networkId }: Machine, packet: Packet): void {
  const { plan } = way;
  const target = asked(packet);
  const answer = target === null || isProbe(packet) ? null : answererOfRegion(plan, networkId, target);
  if (answer !== null) way.verdict.push(answeredBy(answer));
  for (const other of plan.machines) {
    if (other.id === id || other.networkId !== networkId) continue;
    if (isForAll(packet) || macNumber(other.mac) === packet.eth_dst) way.verdict.push(deliveredTo(other.id, packet));
  }
  if (answer === null && !isForAll(packet)) arrive(way, packet, networkId);
}

/** What is sent to one MAC on an external network. */
function meet(way: Way, packet: Packet, networkId: NetworkId): void {
  const machine = way.plan.machines.find(
    (each) => each.networkId === networkId && macNumber(each.mac) === packet.eth_dst,
  );
  if (machine === undefined) return arrive(way, packet, networkId);
  way.verdict.push(machine === way.sender ? answeredBy(macText(packet.eth_src)) : deliveredTo(machine.id, packet));
}

function arrive(way: Way, packet: Packet, networkId: NetworkId): void {
  const come = arriving(memoryOf(way), networkId, packet);
  if (come === 'dropped') return;
  if (come === 'left to services') return void way.verdict.push(LEFT_TO_SERVICES);
  if ('answer' in come) return meet(way, come.answer, networkId);
  route(way, come.packet, { router: come.router }, { hostId: come.hostId, isFromOutside: true, hops: 1 });
}

function memoryOf({ plan, translations }: Way): Parameters<typeof arriving>[0] {
  return { plan, translations, translate: (translation) => void translations.push(translation) };
}

function isForAll({ eth_dst }: Packet): boolean {
  return (BigInt(eth_dst!) & 0x0100_0000_0000n) !== 0n;
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
  /** By which of its interfaces; undefined: by its gateway. */
  readonly by?: RouterPort;
}

function interfacesOn({ routers }: Plan, networkId: NetworkId): Required<Attached>[] {
  return routers
    .filter(({ adminStateUp }) => adminStateUp)
    .flatMap((router) => router.interfaces.map((by) => ({ router, by })))
    .filter(({ by }) => by.networkId === networkId);
}

/** In the network: to a router, to all, or to the one port that has the MAC. */
function forward(way: Way, packet: Packet, network: Network, place: Place): void {
  const { plan, sender } = way;
  const attached = interfacesOn(plan, network.id).find(({ by }) => macNumber(by.mac) === packet.eth_dst);
  if (attached !== undefined) return route(way, packet, attached, place);
  for (const port of plan.ports) {
    if (port.networkId !== network.id || !isHere(plan, port)) continue;
    // Nothing comes back to its sender but by the outside.
    if (port === sender && !place.isFromOutside) continue;
    if (!isForAll(packet) && macNumber(port.mac) !== packet.eth_dst) continue;
    if (!crosses(plan, network, place, port)) continue;
    if (passes(way, port, 'ingress', packet)) way.verdict.push(deliveredTo(port.id, packet));
  }
}

/** Tunnels lead to every host, from where the packet is; a physical network only to those that have a bridge to it. */
function crosses(plan: Plan, network: Network, { hostId: from }: Place, { hostId: to }: Port): boolean {
  return from === to || network.physicalNetwork === null || (reachesWire(plan, from) && reachesWire(plan, to));
}

function route(way: Way, packet: Packet, { router, by }: Attached, place: Place): void {
  const to = destinationOf(packet);
  if (to === null) return;
  const held = [...router.interfaces, ...(router.gateway === null ? [] : [router.gateway])];
  const own = held.flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip));
  const isEcho =
    (packet.icmpv4_type === 8 && packet.icmpv4_code === 0) || (packet.icmpv6_type === 128 && packet.icmpv6_code === 0);
  const isForIt =
    own.some((ip) => isAddress(ip, to.value)) || (by !== undefined && to.version === 6 && isLinkLocalOf(by, to.value));
  // A router behind another one, or that is asked from outside, has no way to answer.
  if (isForIt && isEcho && place.hops === 0) return void way.verdict.push(answeredBy(by!.mac));
  // Behind an address that is translated to are others.
  const isTranslated =
    router.gateway?.enableSnat === true &&
    to.version === 4 &&
    router.gateway.fixedIps.some(({ ip }) => isAddress(ip, to.value));
  if ((isForIt && !isTranslated) || isLinkOnly(packet)) return;
  if (Number(packet.ip_ttl) < 2) return void way.verdict.push(LEFT_TO_SERVICES);
  const path = pathTo(way.plan, router, to);
  if (path === undefined) return void way.verdict.push(LEFT_TO_SERVICES);
  if (path.to === 'nowhere') return;
  const onward = { ...packet, ip_ttl: Number(packet.ip_ttl) - 1 };
  if (path.to === 'outside') return depart(way, onward, router, { ...place, network: path.network, hop: path.hop });
  const network = networkOf(way.plan, path.by.networkId);
  const hop = holderOf(way.plan, network.id, path.hop);
  if (hop === null) return;
  const routed = { ...onward, eth_src: macNumber(path.by.mac), eth_dst: macNumber(hop) };
  forward(way, routed, network, { ...place, hops: place.hops + 1 });
}

/** By the router's gateway to who has an address outside; the region is no way from outside to outside. */
function depart(
  way: Way,
  packet: Packet,
  router: Router,
  { hostId, isFromOutside, network, hop }: Place & { readonly network: Network; readonly hop: bigint },
): void {
  if (isFromOutside || hostId === null) return;
  const out = leaving(memoryOf(way), router, packet, hostId);
  if (out === 'dropped') return;
  const mac = answererOutside(way.plan, network.id, hop);
  // The host has to ask who has the address.
  if (out === 'left to services' || mac === null) return void way.verdict.push(LEFT_TO_SERVICES);
  meet(way, { ...out.packet, eth_dst: macNumber(mac) }, network.id);
}

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

function passes({ plan, connections }: Way, port: Port, direction: 'ingress' | 'egress', packet: Packet): boolean {
  if (!mayCross(plan, port, direction, packet)) return false;
  const { allowed, opens } = mayPass(plan, port, direction, packet, connections);
  if (allowed && opens !== undefined) connections.push(opens);
  return allowed;
}
