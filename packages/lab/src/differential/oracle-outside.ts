/** Of the oracle: what leaves the region by a router's gateway and what comes by it, as whom, and who has which address outside. */
import type { Packet } from '@alcor/agent';
import { type ForwardedFloatingIp, type NetworkId, parseIp, portsOf, type Router } from '@alcor/network';
import { linkLocalOf, macNumber } from './frames.ts';
import { mayOpen } from './oracle-groups.ts';
import { type Translation, translatedAs } from './oracle-translations.ts';
import { gatewayHostOf, type Plan, reachesWire } from './plan.ts';

/** How a packet goes on, and from which host. */
export interface Onward {
  readonly packet: Packet;
  readonly hostId: string;
}

/** Dropped, or left to what hosts say themselves. */
export type Ended = 'dropped' | 'left to services';

interface Memory {
  readonly plan: Plan;
  readonly translations: readonly Translation[];
  readonly translate: (translation: Translation) => void;
}

/** ICMP errors: what they quote is translated by the host that knows how. */
const ERRORS = [3, 11, 12];

/** As whom it leaves: a floating IP in the place of its sender's address, where that is or where the gateway is; all else by the gateway. */
export function leaving(memory: Memory, router: Router, packet: Packet, hostId: string): Onward | Ended {
  const { plan } = memory;
  const gateway = router.gateway!;
  const gatewayHost = gatewayHostOf(plan, router);
  const floating = plan.floatingIps.find(
    ({ routerId, fixedIp }) => routerId === router.id && fixedIp !== null && isAddress(fixedIp, packet.ipv4_src),
  );
  const at = floating === undefined ? undefined : hostOf(plan, floating);
  if (floating !== undefined && at !== undefined && (at === hostId || at === gatewayHost)) {
    if (ERRORS.includes(Number(packet.icmpv4_type ?? -1))) return 'left to services';
    const as = { eth_src: macNumber(floating.mac), ipv4_src: numberOf(floating.ip) };
    return { packet: { ...packet, ...as }, hostId: at };
  }
  if (gatewayHost === undefined) return 'dropped';
  const out = { ...packet, eth_src: macNumber(gateway.mac) };
  if (packet.eth_type !== 0x0800) return { packet: out, hostId: gatewayHost };
  const known = translatedAs(out, router.id, memory.translations);
  if (known !== undefined || !gateway.enableSnat) return { packet: known ?? out, hostId: gatewayHost };
  const own = gateway.fixedIps.find(({ ip }) => !ip.includes(':'));
  if (own === undefined || !mayOpen(out)) return 'dropped';
  const after = { ...out, ipv4_src: numberOf(own.ip) };
  memory.translate({ routerId: router.id, before: out, after });
  return { packet: after, hostId: gatewayHost };
}

/** What comes to a MAC of the region on an external network: whose router has it, as what, and where; or the MAC that answers itself. */
export function arriving(
  memory: Memory,
  networkId: NetworkId,
  packet: Packet,
): (Onward & { readonly router: Router }) | { readonly answer: Packet } | Ended {
  const { plan } = memory;
  const floating = plan.floatingIps.find(({ mac, ...its }) => its.networkId === networkId && isMac(mac, packet));
  if (floating !== undefined) return toFloating(memory, floating, packet);
  const router = plan.routers.find(({ gateway }) => gateway?.networkId === networkId && isMac(gateway.mac, packet));
  const hostId = router && gatewayHostOf(plan, router);
  if (router === undefined || hostId === undefined) return 'dropped';
  return toGateway(memory, router, hostId, packet);
}

function toFloating(memory: Memory, floating: ForwardedFloatingIp, packet: Packet): ReturnType<typeof arriving> {
  const { plan } = memory;
  const hostId = hostOf(plan, floating);
  if (hostId === undefined) return 'dropped';
  if (packet.arp_op === 2) return 'left to services';
  const router = plan.routers.find(({ id }) => id === floating.routerId)!;
  if (!isAddress(floating.ip, packet.ipv4_dst)) return 'dropped';
  if (floating.fixedIp === null) return translatedBack(memory, router, hostId, packet);
  if (ERRORS.includes(Number(packet.icmpv4_type ?? -1))) return 'left to services';
  return { packet: { ...packet, ipv4_dst: numberOf(floating.fixedIp) }, router, hostId };
}

function toGateway(memory: Memory, router: Router, hostId: string, packet: Packet): ReturnType<typeof arriving> {
  const { fixedIps } = router.gateway!;
  if (packet.arp_op === 2) return 'left to services';
  if (packet.icmpv6_type === 136 && fixedIps.some(({ ip }) => ip.includes(':'))) return 'left to services';
  // Those inside as far as they are not hidden behind those outside.
  const inside = router.interfaces
    .flatMap((each) => each.fixedIps)
    .filter(({ ip }) => ip.includes(':') || !router.gateway!.enableSnat);
  const own = [...fixedIps, ...inside].some(({ ip }) => isAddress(ip, packet.ipv4_dst ?? packet.ipv6_dst));
  const isEcho =
    (packet.icmpv4_type === 8 && packet.icmpv4_code === 0) || (packet.icmpv6_type === 128 && packet.icmpv6_code === 0);
  if (own && isEcho) return { answer: pong(packet) };
  if (packet.eth_type === 0x86dd) return { packet, router, hostId };
  return packet.eth_type === 0x0800 ? translatedBack(memory, router, hostId, packet) : 'dropped';
}

/** Back to who asked, or to a forwarded port; what is for neither passes only where nothing is translated. */
function translatedBack(memory: Memory, router: Router, hostId: string, packet: Packet): ReturnType<typeof arriving> {
  const known = translatedAs(packet, router.id, memory.translations);
  if (known !== undefined) return { packet: known, router, hostId };
  const after = forwarded(memory.plan, router, packet);
  if (after !== undefined) memory.translate({ routerId: router.id, before: packet, after });
  if (after === undefined && router.gateway!.enableSnat) return 'dropped';
  return { packet: after ?? packet, router, hostId };
}

function forwarded({ floatingIps }: Plan, router: Router, packet: Packet): Packet | undefined {
  const field = packet.tcp_dst === undefined ? 'udp_dst' : 'tcp_dst';
  const port = packet[field];
  for (const { ip, routerId, forwardings } of floatingIps) {
    if (routerId !== router.id || port === undefined || !isAddress(ip, packet.ipv4_dst)) continue;
    for (const { protocol, fixedIp, externalPorts, internalPorts } of forwardings) {
      const [external, internal] = [portsOf(externalPorts), portsOf(internalPorts)];
      if (`${protocol}_dst` !== field || port < external.first || port > external.last) continue;
      const within = internal.first === internal.last ? internal.first : internal.first + Number(port) - external.first;
      return { ...packet, ipv4_dst: numberOf(fixedIp), [field]: within };
    }
  }
  return undefined;
}

/** The answer of a router that is asked whether it is there. */
function pong({ eth_src, eth_dst, ipv4_src, ipv4_dst, ipv6_src, ipv6_dst, ...packet }: Packet): Packet {
  const turned = { ...packet, eth_src: eth_dst!, eth_dst: eth_src!, ip_ttl: 64 };
  if (ipv4_src !== undefined) return { ...turned, icmpv4_type: 0, ipv4_src: ipv4_dst!, ipv4_dst: ipv4_src };
  return { ...turned, icmpv6_type: 129, ipv6_src: ipv6_dst!, ipv6_dst: ipv6_src! };
}

/** The MAC of who answers for the address on an external network; null: nobody. */
export function answererOutside(plan: Plan, networkId: NetworkId, ip: bigint): string | null {
  const machine = plan.machines.find(
    (each) => each.networkId === networkId && each.ips.some((own) => isAddress(own, ip)),
  );
  return machine?.mac ?? answererOfRegion(plan, networkId, ip);
}

/** Of gateways and floating IPs. */
export function answererOfRegion(plan: Plan, networkId: NetworkId, ip: bigint): string | null {
  const gateway = plan.routers.find(
    (router) =>
      router.gateway?.networkId === networkId &&
      gatewayHostOf(plan, router) !== undefined &&
      (router.gateway.fixedIps.some((fixed) => isAddress(fixed.ip, ip)) || isLinkLocalOf(router.gateway, ip)),
  )?.gateway;
  const floating = plan.floatingIps.find((each) => each.networkId === networkId && isAddress(each.ip, ip));
  if (floating !== undefined && hostOf(plan, floating) !== undefined) return floating.mac;
  return gateway?.mac ?? null;
}

function isLinkLocalOf({ mac, fixedIps }: NonNullable<Router['gateway']>, ip: bigint): boolean {
  return fixedIps.some((each) => each.ip.includes(':')) && isAddress(linkLocalOf(mac), ip);
}

/** Who answers for a floating IP that is led somewhere: its port's host, where that is on the wire, or else its router's gateway host. */
function hostOf(plan: Plan, { portId, routerId }: ForwardedFloatingIp): string | undefined {
  const router = plan.routers.find(({ id }) => id === routerId);
  if (router?.gateway == null || !router.adminStateUp) return undefined;
  const hostId = plan.ports.find(({ id }) => id === portId)?.hostId ?? null;
  return hostId !== null && reachesWire(plan, hostId) ? hostId : gatewayHostOf(plan, router);
}

function isAddress(text: string, value: number | bigint | undefined): boolean {
  return value !== undefined && parseIp(text)!.value === BigInt(value);
}

function isMac(text: string, { eth_dst }: Packet): boolean {
  return macNumber(text) === eth_dst;
}

function numberOf(ip: string): number {
  return Number(parseIp(ip)!.value);
}
