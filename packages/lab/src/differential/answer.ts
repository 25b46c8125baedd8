import type { Packet } from '@alcor/agent';
import type { Sent } from './random-packet.ts';

const TTL = 64;

/** What a guest says to a packet that it got; null where there is nothing to say. */
export function answerTo(receiver: string, got: Packet): Sent | null {
  const turned = transport(got);
  if (turned === null) return null;
  const { eth_src, eth_dst, eth_type, ip_proto, ipv4_src, ipv4_dst, ipv6_src, ipv6_dst } = got;
  const frame = { eth_src: eth_dst!, eth_dst: eth_src!, eth_type: eth_type!, ip_proto: ip_proto!, ip_ttl: TTL };
  const ends =
    ipv4_src === undefined ? { ipv6_src: ipv6_dst!, ipv6_dst: ipv6_src! } : { ipv4_src: ipv4_dst!, ipv4_dst: ipv4_src };
  return { from: receiver, packet: { ...frame, ...ends, ...turned } };
}

function transport(got: Packet): Packet | null {
  if (got.tcp_dst !== undefined) return { tcp_src: got.tcp_dst, tcp_dst: got.tcp_src! };
  if (got.udp_dst !== undefined) return { udp_src: got.udp_dst, udp_dst: got.udp_src! };
  if (got.icmpv4_type === 8) return { icmpv4_type: 0, icmpv4_code: 0 };
  return got.icmpv6_type === 128 ? { icmpv6_type: 129, icmpv6_code: 0 } : null;
}
