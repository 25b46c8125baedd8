/**
 * ICMP errors through a floating IP. They quote the packet that they are about, which has been translated as well: so must be what is quoted,
 * or whoever gets the error does not know what it is about. (RFC 792; RFC 5508 section 4.)
 */
import { ipv4, ipv4Text, macText } from '@alcor/openflow';
import type { FloatingIp, PacketIn, PacketOut, ServedAddress } from './dataplane/index.ts';

const ETHERNET = 14;
const SRC = 12;
const DST = 16;
const ICMP_HEADER = 8;

export interface Answered {
  /** The floating IP of this host with an address on a network. */
  readonly floatingIpAt: (vni: number, ip: string) => FloatingIp | undefined;
  /** Addresses of this host with a MAC on a network. */
  readonly servedAt: (vni: number, mac: string) => readonly ServedAddress[];
}

/** The packet as it goes on; undefined where it is no such error. */
export function translatedError(packet: PacketIn, { floatingIpAt, servedAt }: Answered): PacketOut | undefined {
  const frame = Uint8Array.from(packet.frame);
  const at = places(frame);
  if (at === undefined) return undefined;
  const view = new DataView(frame.buffer);
  const { vni } = packet.context;
  if (packet.table === 'arriving') {
    const floating = floatingIpAt(vni, ipv4Text(view.getUint32(ETHERNET + DST)));
    if (!floating?.fixedIp) return undefined;
    rewrite(view, at, [DST, SRC], ipv4(floating.fixedIp));
    return { ...packet, table: 'routing', frame };
  }
  // The flow that gave it has written the floating IP's MAC as its sender.
  const sender = macText(view.getUint16(6) * 2 ** 32 + view.getUint32(8));
  const [own] = servedAt(vni, sender);
  if (own === undefined) return undefined;
  rewrite(view, at, [SRC, DST], ipv4(own.ip));
  return { ...packet, table: 'outward', frame };
}

interface Places {
  readonly icmp: number;
  readonly quoted: number;
  readonly quotedHeader: number;
  readonly end: number;
}

function places(frame: Uint8Array): Places | undefined {
  const icmp = ETHERNET + (frame[ETHERNET]! & 15) * 4;
  const quoted = icmp + ICMP_HEADER;
  const end = Math.min(frame.length, ETHERNET + ((frame[ETHERNET + 2]! << 8) | frame[ETHERNET + 3]!));
  const quotedHeader = (frame[quoted]! & 15) * 4;
  const isWhole = frame[quoted]! >> 4 === 4 && quotedHeader >= 20 && quoted + quotedHeader <= end;
  return isWhole ? { icmp, quoted, quotedHeader, end } : undefined;
}

/** Writes the address in the packet and in what it quotes, and their checksums. */
function rewrite(view: DataView, at: Places, [outer, inner]: readonly [number, number], ip: number): void {
  view.setUint32(ETHERNET + outer, ip);
  sumAt(view, ETHERNET, at.icmp, ETHERNET + 10);
  view.setUint32(at.quoted + inner, ip);
  sumAt(view, at.quoted, at.quoted + at.quotedHeader, at.quoted + 10);
  sumAt(view, at.icmp, at.end, at.icmp + 2);
}

/** RFC 1071. */
function sumAt(view: DataView, from: number, to: number, place: number): void {
  view.setUint16(place, 0);
  let sum = 0;
  for (let at = from; at < to; at += 2) sum += at + 1 < to ? view.getUint16(at) : view.getUint8(at) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(place, ~sum & 0xffff);
}
