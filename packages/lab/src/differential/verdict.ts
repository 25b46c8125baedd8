import type { Packet } from '@alcor/agent';
import { ipv4Text, ipv6Text } from '@alcor/openflow';

/** What became of a packet, in words that can be compared: who got it and how it looked then. Empty: nobody. In order. */
export type Verdict = readonly string[];

/** The host itself is to answer: DHCP, router advertisements, what routers say of packets they cannot send on. */
export const LEFT_TO_SERVICES = 'left to the services of the host';

export function deliveredTo(portId: string, packet: Packet): string {
  const ttl = packet.ip_ttl === undefined ? '' : ` with ${packet.ip_ttl} hops left`;
  const mark = Number(packet.ip_dscp ?? 0) === 0 ? '' : ` under the mark ${packet.ip_dscp}`;
  return `delivered to ${portId} from ${macText(packet.eth_src)} to ${macText(packet.eth_dst)}${endsText(packet)}${ttl}${mark}`;
}

/** As whom, to whom: routers may have translated both. */
function endsText({ ipv4_src, ipv4_dst, ipv6_src, ipv6_dst, ...packet }: Packet): string {
  const [from, to] = [packet.tcp_src ?? packet.udp_src, packet.tcp_dst ?? packet.udp_dst];
  const port = (number: typeof from): string => (number === undefined ? '' : ` port ${number}`);
  if (ipv4_src !== undefined)
    return `, ${ipv4Text(Number(ipv4_src))}${port(from)} to ${ipv4Text(Number(ipv4_dst))}${port(to)},`;
  if (ipv6_src === undefined) return '';
  return `, ${ipv6Text(BigInt(ipv6_src))}${port(from)} to ${ipv6Text(BigInt(ipv6_dst!))}${port(to)},`;
}

/** The sender is answered at once, by whom it asked. */
export function answeredBy(mac: string): string {
  return `answered by ${mac}`;
}

/** Within which part of a verdict the port stands to which it was delivered. */
export function receiverOf(verdict: Verdict): string | null {
  const [only, ...more] = verdict;
  return more.length > 0 ? null : (/^delivered to (\S+)/.exec(only ?? '')?.[1] ?? null);
}

export function macText(mac: unknown): string {
  return Number(mac)
    .toString(16)
    .padStart(12, '0')
    .replaceAll(/(..)(?=.)/g, '$1:');
}
