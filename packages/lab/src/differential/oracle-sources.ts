/** Of the oracle: what a port with port security may send. */
import type { Packet } from '@alcor/agent';
import { contains, parseCidr, type Port } from '@alcor/network';
import { linkLocalOf, macNumber } from './frames.ts';

/** Is it sent by an address of the port or an allowed pair, and nothing that only routers and DHCP servers say? */
export function isOwn(port: Port, packet: Packet): boolean {
  const blocks = blocksOf(port, Number(packet.eth_src));
  switch (Number(packet.eth_type)) {
    case 0x0806:
      return isOwnArp(blocks, packet);
    case 0x0800:
      return isOwnIpv4(port, blocks, packet);
    case 0x86dd:
      return isOwnIpv6(blocks, packet);
    default:
      return false;
  }
}

type Block = NonNullable<ReturnType<typeof parseCidr>>;

/** The addresses that the port may have with a MAC. With an IPv6 one goes the link-local one that a guest makes of the MAC. */
function blocksOf(port: Port, mac: number): Block[] {
  const pairs = port.allowedAddressPairs.map((pair) => ({ mac: pair.mac, ip: pair.ip }));
  const own = port.fixedIps.map(({ ip }) => ({ mac: port.mac, ip }));
  const its = [...own, ...pairs].filter((each) => macNumber(each.mac) === mac);
  const linkLocal = its.filter(({ ip }) => ip.includes(':')).map((each) => linkLocalOf(each.mac));
  return [...its.map(({ ip }) => ip), ...linkLocal].map(blockOf);
}

function blockOf(ip: string): Block {
  const whole = ip.includes('/') ? ip : `${ip}/${ip.includes(':') ? 128 : 32}`;
  return parseCidr(whole)!;
}

function holds(block: Block, version: 4 | 6, value: number | bigint | undefined): boolean {
  return value !== undefined && contains(block, { version, value: BigInt(value) });
}

function isOwnArp(blocks: readonly Block[], { eth_src, arp_sha, arp_spa, arp_tpa }: Packet): boolean {
  if (arp_sha !== eth_src) return false;
  // A probe (RFC 5227) has no sender address yet.
  return blocks.some((block) => holds(block, 4, arp_spa) || (arp_spa === 0 && holds(block, 4, arp_tpa)));
}

function isOwnIpv4(port: Port, blocks: readonly Block[], packet: Packet): boolean {
  const { udp_src, udp_dst } = packet;
  if (udp_src === 67 && udp_dst === 68) return false;
  const hasIpv4 = [...port.fixedIps, ...port.allowedAddressPairs].some(({ ip }) => !ip.includes(':'));
  const isClient = udp_src === 68 && udp_dst === 67 && packet.ipv4_src === 0;
  if (isClient && hasIpv4 && macNumber(port.mac) === packet.eth_src) return true;
  return blocks.some((block) => holds(block, 4, packet.ipv4_src));
}

function isOwnIpv6(blocks: readonly Block[], packet: Packet): boolean {
  const { icmpv6_type: type, udp_src, udp_dst, ipv6_src: src, nd_target: target } = packet;
  if (udp_src === 547 && udp_dst === 546) return false;
  if (type === 134 || type === 137) return false;
  if (type === 135 && src === 0n) return blocks.some((block) => holds(block, 6, target));
  if (type === 135 && packet.nd_sll !== packet.eth_src) return false;
  if (type === 136)
    return packet.nd_tll === packet.eth_src && blocks.some((block) => holds(block, 6, src) && holds(block, 6, target));
  return blocks.some((block) => holds(block, 6, src));
}
