/** Frames as guests and machines send them, in the fields of the pipeline. */
import type { Packet } from '@alcor/agent';
import { parseIp } from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { chance } from './random-plan.ts';

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const TTL = 64;

export interface Ends {
  readonly from: { readonly mac: string; readonly ip: string };
  readonly to: { readonly mac: string; readonly ip: string };
}

/** Some guests mark what they send themselves. */
export function traffic(random: Random, ends: Ends): Packet {
  const packet = plainTraffic(random, ends);
  return chance(random, 0.1) ? { ...packet, ip_dscp: pick(random, [8, 46]) } : packet;
}

export function plainTraffic(random: Random, ends: Ends): Packet {
  const ports = [22, 53, 80, 81, 443, 444, 999, 1000, 1023, 1024, 2999, 3000, 33_434, 33_523, 33_524, 65_535];
  const port = chance(random, 0.4) ? pick(random, [53, 80, 1000]) : pick(random, ports);
  const own = between(random, 40_000, 40_003);
  const v6 = isV6(ends.to.ip);
  if (chance(random, 0.9))
    return pick(random, [() => tcp(ends, own, port), () => udp(ends, own, port), () => icmp(ends, v6 ? 128 : 8)])();
  return pick(random, [
    () => icmp(ends, pick(random, v6 ? [1, 129] : [0, 3, 13])),
    () => sctp(ends, own, port),
    () => ({ ...over(ends, 47) }),
  ])();
}

export function over({ from, to }: Ends, ip_proto: number): Packet {
  const frame = { eth_src: macNumber(from.mac), eth_dst: macNumber(to.mac) };
  if (isV6(to.ip))
    return {
      ...frame,
      eth_type: 0x86dd,
      ip_proto,
      ip_ttl: TTL,
      ipv6_src: numberOf(from.ip),
      ipv6_dst: numberOf(to.ip),
    };
  const [src, dst] = [Number(numberOf(from.ip)), Number(numberOf(to.ip))];
  return { ...frame, eth_type: 0x0800, ip_proto, ip_ttl: TTL, ipv4_src: src, ipv4_dst: dst };
}

export function tcp(ends: Ends, src: number, dst: number): Packet {
  return { ...over(ends, 6), tcp_src: src, tcp_dst: dst };
}

export function udp(ends: Ends, src: number, dst: number): Packet {
  return { ...over(ends, 17), udp_src: src, udp_dst: dst };
}

export function sctp(ends: Ends, _: number, dst: number): Packet {
  return { ...over(ends, 132), sctp_dst: dst };
}

export function icmp(ends: Ends, type: number): Packet {
  if (isV6(ends.to.ip)) return { ...over(ends, 58), icmpv6_type: type, icmpv6_code: 0 };
  return { ...over(ends, 1), icmpv4_type: type, icmpv4_code: 0 };
}

export function arp(op: number, { from, to }: Ends): Packet {
  return {
    eth_src: macNumber(from.mac),
    eth_dst: macNumber(to.mac),
    eth_type: 0x0806,
    arp_op: op,
    arp_spa: Number(numberOf(from.ip)),
    arp_tpa: Number(numberOf(to.ip)),
    arp_sha: macNumber(from.mac),
    arp_tha: 0,
  };
}

/** With its sender's link address, unless it has no address yet (RFC 4861 section 4.3). */
export function solicitation(mac: string, src: string, target: string): Packet {
  const low = numberOf(target) & 0xffffffn;
  const to = { mac: '', ip: `ff02::1:ff00:0` };
  const probe = src === '::';
  return {
    ...over({ from: { mac, ip: src }, to: { ...to, mac: '33:33:ff:00:00:00' } }, 58),
    eth_dst: 0x3333ff000000 + Number(low),
    ip_ttl: 255,
    ipv6_dst: (0xff02n << 112n) | 0x1ff000000n | low,
    icmpv6_type: 135,
    icmpv6_code: 0,
    nd_target: numberOf(target),
    nd_reserved: 0,
    nd_options_type: probe ? 0 : 1,
    nd_sll: probe ? 0 : macNumber(mac),
    nd_tll: 0,
  };
}

export function isV6(ip: string): boolean {
  return ip.includes(':');
}

export function numberOf(ip: string): bigint {
  const parsed = parseIp(ip);
  if (parsed === null) throw new Error(`no address: ${ip}`);
  return parsed.value;
}

/** As packets have it. */
export function valueOf(ip: string): bigint | number {
  return isV6(ip) ? numberOf(ip) : Number(numberOf(ip));
}

export function macNumber(text: string): number {
  return Number.parseInt(text.replaceAll(':', ''), 16);
}

/** RFC 4291 appendix A. */
export function linkLocalOf(mac: string): string {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const id = [bytes[0]! ^ 2, bytes[1]!, bytes[2]!, 0xff, 0xfe, bytes[3]!, bytes[4]!, bytes[5]!];
  const word = (n: number): string => ((id[2 * n]! << 8) | id[2 * n + 1]!).toString(16);
  return `fe80::${word(0)}:${word(1)}:${word(2)}:${word(3)}`;
}
