import { EtherType, type HostRequest_ResourceStateRequest as Question, Protocol, RequestType } from '@alcor/contract';
import { ipv4Text, ipv6Text } from '@alcor/openflow';
import { decodeFrame, type Packet, type PacketContext, type PacketIn } from './dataplane/index.ts';

/** Between whom a packet is, as far as addresses go. */
export interface Ends {
  /** In the pipeline's own form: IPv4 a number, IPv6 a bigint. */
  readonly source: number | bigint;
  readonly destination: number | bigint;
  /** That it goes to; of a packet that only asks for a MAC, undefined. */
  readonly mac: number | undefined;
  readonly headers: Packet;
}

/** Whom a packet is looking for; undefined if it does not say, or looks for nobody in particular. */
export function endsOf({ table, context, frame }: PacketIn): Ends | undefined {
  const { headers } = decodeFrame(frame);
  const from = headers.ipv4_src ?? headers.ipv6_src;
  if (table === 'nextHop') return ends(headers, from, nextHop(headers, context), undefined);
  const { arp_op, arp_spa, arp_tpa, icmpv6_type, nd_target, eth_dst } = headers;
  if (arp_op !== undefined) return arp_op === 1 ? ends(headers, arp_spa, arp_tpa, undefined) : undefined;
  if (icmpv6_type === 135) return ends(headers, headers.ipv6_src, nd_target, undefined);
  const mac = Number(eth_dst);
  return (
    ends(headers, headers.ipv4_src, headers.ipv4_dst, mac) ?? ends(headers, headers.ipv6_src, headers.ipv6_dst, mac)
  );
}

/** Whom a router sends to: the registers hold it (pipeline.ts). */
function nextHop({ eth_type }: Packet, { registers }: PacketContext): number | bigint {
  const { reg4 = 0, reg8 = 0, reg9 = 0, reg10 = 0, reg11 = 0 } = registers;
  if (eth_type !== 0x86dd) return reg4;
  return [reg8, reg9, reg10, reg11].reduce((address, word) => (address << 32n) | BigInt(word), 0n);
}

/** The question that a packet asks of its network. */
export function questionOf(id: string, vni: number, { source, destination, headers }: Ends): Question {
  return {
    requestType: RequestType.ON_DEMAND,
    requestId: id,
    tunnelId: vni,
    sourceIp: addressText(source),
    sourcePort: Number(headers.tcp_src ?? headers.udp_src ?? 0),
    destinationIp: addressText(destination),
    destinationPort: Number(headers.tcp_dst ?? headers.udp_dst ?? 0),
    ethertype: typeof destination === 'bigint' ? EtherType.IPV6 : EtherType.IPV4,
    protocol: protocolOf(headers),
  };
}

export function addressText(address: number | bigint): string {
  return typeof address === 'bigint' ? ipv6Text(address) : ipv4Text(address);
}

function ends(
  headers: Packet,
  source: number | bigint | undefined,
  destination: number | bigint | undefined,
  mac: number | undefined,
): Ends | undefined {
  return source === undefined || destination === undefined ? undefined : { source, destination, mac, headers };
}

/** ARP where nothing is said yet of what is to follow: discovery, and protocols that the contract has no word for. */
function protocolOf({ ip_proto, icmpv6_type }: Packet): Protocol {
  if (ip_proto === 6) return Protocol.TCP;
  if (ip_proto === 17) return Protocol.UDP;
  if (ip_proto === 1 || (ip_proto === 58 && icmpv6_type !== 135)) return Protocol.ICMP;
  return Protocol.ARP;
}
