/**
 * Frames as bytes, and the headers in them as the pipeline's fields: for packets that a switch gives to the agent, and
 * those that the agent sends. Ethernet without tags; IPv6 without extension headers.
 */
import type { Packet } from './drivers/packet.ts';
import { allOnes } from './fields.ts';

export interface DecodedFrame {
  readonly headers: Packet;
  /** What follows the last header known: of UDP and TCP their data, of ICMP what follows the checksum. */
  readonly payload: Uint8Array;
}

/** Written field by field: frames come at the rate of the wire, and an object made of others by spreads takes the engine a hundred times as long. */
type Headers = { -readonly [F in keyof Packet]: Packet[F] };

const HOP_LIMIT = 64;
const none = new Uint8Array(0);

/** The headers of a frame as far as it goes; what is cut off, or is no header known here, is left out. */
export function decodeFrame(frame: Uint8Array): DecodedFrame {
  const view = viewOf(frame);
  if (frame.length < 14) return { headers: {}, payload: none };
  const eth_type = view.getUint16(12);
  const headers: Headers = { eth_dst: u48(view, 0), eth_src: u48(view, 6), eth_type };
  if (eth_type === 0x0806 && frame.length >= 42) return arpOf(headers, view);
  if (eth_type === 0x0800 && frame.length >= 34) return ipv4Of(headers, frame, view);
  if (eth_type === 0x86dd && frame.length >= 54) return ipv6Of(headers, frame, view);
  return { headers, payload: frame.slice(14) };
}

/**
 * A frame with these headers, lengths and checksums as they must be. Throws where a header lacks what it is made of. `transport`: the header
 * that follows IP's, where there is more to say in it than the fields do.
 */
export function encodeFrame(headers: Packet, payload: Uint8Array = none, transport?: TransportHeader): Uint8Array {
  const eth_type = number(headers, 'eth_type');
  const inner = (networkBytes[eth_type] ?? (() => payload))(headers, payload, transport);
  const frame = new Uint8Array(14 + inner.length);
  const view = viewOf(frame);
  putU48(view, 0, number(headers, 'eth_dst'));
  putU48(view, 6, number(headers, 'eth_src'));
  view.setUint16(12, eth_type);
  frame.set(inner, 14);
  return frame;
}

type NetworkBytes = (headers: Packet, payload: Uint8Array, transport?: TransportHeader) => Uint8Array;

const networkBytes: { readonly [ethType: number]: NetworkBytes } = {
  0x0800: ipv4Bytes,
  0x0806: arpBytes,
  0x86dd: ipv6Bytes,
};

function arpOf(headers: Headers, view: DataView): DecodedFrame {
  headers.arp_op = view.getUint16(20);
  headers.arp_sha = u48(view, 22);
  headers.arp_spa = view.getUint32(28);
  headers.arp_tha = u48(view, 32);
  headers.arp_tpa = view.getUint32(38);
  return { headers, payload: none };
}

function ipv4Of(headers: Headers, frame: Uint8Array, view: DataView): DecodedFrame {
  const start = 14 + (view.getUint8(14) & 0xf) * 4;
  const end = Math.min(frame.length, 14 + view.getUint16(16));
  headers.ip_proto = view.getUint8(23);
  headers.ip_ttl = view.getUint8(22);
  headers.ipv4_src = view.getUint32(26);
  headers.ipv4_dst = view.getUint32(30);
  readMark(headers, view.getUint8(15));
  const isLaterFragment = (view.getUint16(20) & 0x1fff) > 0;
  return (isLaterFragment ? rest : transportOf)(headers, frame, start, end);
}

function ipv6Of(headers: Headers, frame: Uint8Array, view: DataView): DecodedFrame {
  const end = Math.min(frame.length, 54 + view.getUint16(18));
  headers.ip_proto = view.getUint8(20);
  headers.ip_ttl = view.getUint8(21);
  headers.ipv6_src = u128(view, 22);
  headers.ipv6_dst = u128(view, 38);
  readMark(headers, (view.getUint16(14) >> 4) & 0xff);
  return transportOf(headers, frame, 54, end);
}

/** Of the eight bits that IPv4 and IPv6 alike have for it (RFC 2474): none is no field. */
function readMark(headers: Headers, trafficClass: number): void {
  if (trafficClass >> 2 !== 0) headers.ip_dscp = trafficClass >> 2;
}

function rest(headers: Packet, frame: Uint8Array, start: number, end: number): DecodedFrame {
  return { headers, payload: frame.slice(start, Math.max(start, end)) };
}

function transportOf(headers: Headers, frame: Uint8Array, at: number, end: number): DecodedFrame {
  const view = viewOf(frame);
  const length = end - at;
  switch (Number(headers.ip_proto)) {
    case 17:
      if (length < 8) break;
      headers.udp_src = view.getUint16(at);
      headers.udp_dst = view.getUint16(at + 2);
      return rest(headers, frame, at + 8, end);
    case 6:
      if (length < 20) break;
      headers.tcp_src = view.getUint16(at);
      headers.tcp_dst = view.getUint16(at + 2);
      return rest(headers, frame, at + (view.getUint8(at + 12) >> 4) * 4, end);
    case 1:
      if (length < 4 || headers.eth_type !== 0x0800) break;
      headers.icmpv4_type = view.getUint8(at);
      headers.icmpv4_code = view.getUint8(at + 1);
      return rest(headers, frame, at + 4, end);
    case 58:
      if (length < 4 || headers.eth_type !== 0x86dd) break;
      headers.icmpv6_type = view.getUint8(at);
      headers.icmpv6_code = view.getUint8(at + 1);
      readNeighborDiscovery(headers, view, at, length);
      return rest(headers, frame, at + 4, end);
    default:
  }
  return rest(headers, frame, at, end);
}

/** The target and the first option (RFC 4861 section 4.3, 4.4). */
function readNeighborDiscovery(headers: Headers, view: DataView, at: number, length: number): void {
  const type = view.getUint8(at);
  if ((type !== 135 && type !== 136) || length < 24) return;
  const option = length >= 32 && view.getUint8(at + 25) === 1 ? view.getUint8(at + 24) : 0;
  const address = option === 0 ? 0 : u48(view, at + 26);
  headers.nd_reserved = view.getUint32(at + 4);
  headers.nd_target = u128(view, at + 8);
  headers.nd_options_type = option;
  headers.nd_sll = option === 1 ? address : 0;
  headers.nd_tll = option === 2 ? address : 0;
}

function arpBytes(headers: Packet): Uint8Array {
  const bytes = new Uint8Array(28);
  const view = viewOf(bytes);
  view.setUint32(0, 0x0001_0800);
  view.setUint16(4, 0x0604);
  view.setUint16(6, number(headers, 'arp_op'));
  putU48(view, 8, number(headers, 'arp_sha'));
  view.setUint32(14, number(headers, 'arp_spa'));
  putU48(view, 18, number(headers, 'arp_tha'));
  view.setUint32(24, number(headers, 'arp_tpa'));
  return bytes;
}

function ipv4Bytes(headers: Packet, payload: Uint8Array, transport?: TransportHeader): Uint8Array {
  const pseudo = new Uint8Array(12);
  viewOf(pseudo).setUint32(0, number(headers, 'ipv4_src'));
  viewOf(pseudo).setUint32(4, number(headers, 'ipv4_dst'));
  pseudo[9] = number(headers, 'ip_proto');
  const header = transport ?? transportHeader(headers, payload.length);
  const inner = transportBytes(header, payload, pseudo, (length) => viewOf(pseudo).setUint16(10, length));
  const bytes = new Uint8Array(20 + inner.length);
  const view = viewOf(bytes);
  view.setUint16(0, 0x4500 | (Number(headers.ip_dscp ?? 0) << 2));
  view.setUint16(2, bytes.length);
  // Do not fragment.
  view.setUint16(6, 0x4000);
  view.setUint8(8, Number(headers.ip_ttl ?? HOP_LIMIT));
  view.setUint8(9, pseudo[9]);
  bytes.set(pseudo.subarray(0, 8), 12);
  view.setUint16(10, checksum(bytes.subarray(0, 20)));
  bytes.set(inner, 20);
  return bytes;
}

function ipv6Bytes(headers: Packet, payload: Uint8Array, transport?: TransportHeader): Uint8Array {
  const pseudo = new Uint8Array(40);
  putU128(viewOf(pseudo), 0, BigInt(headers.ipv6_src ?? missing('ipv6_src')));
  putU128(viewOf(pseudo), 16, BigInt(headers.ipv6_dst ?? missing('ipv6_dst')));
  pseudo[39] = number(headers, 'ip_proto');
  const header = transport ?? transportHeader(headers, payload.length);
  const inner = transportBytes(header, payload, pseudo, (length) => viewOf(pseudo).setUint32(32, length));
  const bytes = new Uint8Array(40 + inner.length);
  const view = viewOf(bytes);
  view.setUint16(0, 0x6000 | (Number(headers.ip_dscp ?? 0) << 6));
  view.setUint16(4, inner.length);
  view.setUint8(6, pseudo[39]);
  view.setUint8(7, Number(headers.ip_ttl ?? HOP_LIMIT));
  bytes.set(pseudo.subarray(0, 32), 8);
  bytes.set(inner, 40);
  return bytes;
}

/** The transport header and `payload`, with a checksum over `pseudo` where the protocol has one. */
function transportBytes(
  { header, checksumAt, hasPseudo, isUdp }: TransportHeader,
  payload: Uint8Array,
  pseudo: Uint8Array,
  setLength: (length: number) => void,
): Uint8Array {
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  bytes.set(payload, header.length);
  if (checksumAt === null) return bytes;
  setLength(bytes.length);
  const sum = hasPseudo ? checksum(pseudo, bytes) : checksum(bytes);
  viewOf(bytes).setUint16(checksumAt, sum === 0 && isUdp === true ? 0xffff : sum);
  return bytes;
}

export interface TransportHeader {
  readonly header: Uint8Array;
  readonly checksumAt: number | null;
  /** The checksum is over the addresses, too. */
  readonly hasPseudo: boolean;
  /** A checksum of 0 would say that there is none. */
  readonly isUdp?: true;
}

function transportHeader(headers: Packet, payload: number): TransportHeader {
  switch (Number(headers.ip_proto)) {
    case 17:
      return { header: words(8, [[0, number(headers, 'udp_src')], [2, number(headers, 'udp_dst')], [4, 8 + payload]]), checksumAt: 6, hasPseudo: true, isUdp: true }; // prettier-ignore
    case 6:
      // Five words of header, ACK, and a window.
      return { header: words(20, [[0, number(headers, 'tcp_src')], [2, number(headers, 'tcp_dst')], [12, 0x5010], [14, 0xffff]]), checksumAt: 16, hasPseudo: true }; // prettier-ignore
    case 1:
      return { header: icmpHeader(headers, 'icmpv4_type', 'icmpv4_code', payload), checksumAt: 2, hasPseudo: false };
    case 58:
      return { header: icmpv6Header(headers, payload), checksumAt: 2, hasPseudo: true };
    default:
      return { header: none, checksumAt: null, hasPseudo: false };
  }
}

/** The rest of the header (of an echo, identifier and number) is the payload's beginning, or nothing in particular. */
function icmpHeader(
  headers: Packet,
  type: 'icmpv4_type' | 'icmpv6_type',
  code: 'icmpv4_code' | 'icmpv6_code',
  payload: number,
): Uint8Array {
  return words(payload >= 4 ? 4 : 8, [[0, (number(headers, type) << 8) | number(headers, code)]]);
}

function icmpv6Header(headers: Packet, payload: number): Uint8Array {
  if (headers.nd_target === undefined || payload > 0) return icmpHeader(headers, 'icmpv6_type', 'icmpv6_code', payload);
  const option = Number(headers.nd_options_type ?? 0);
  const bytes = new Uint8Array(option === 0 ? 24 : 32);
  const view = viewOf(bytes);
  view.setUint8(0, number(headers, 'icmpv6_type'));
  view.setUint32(4, Number(headers.nd_reserved ?? 0));
  putU128(view, 8, BigInt(headers.nd_target));
  if (option === 0) return bytes;
  view.setUint16(24, (option << 8) | 1);
  putU48(view, 26, Number((option === 1 ? headers.nd_sll : headers.nd_tll) ?? 0));
  return bytes;
}

function words(length: number, values: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const [at, value] of values) viewOf(bytes).setUint16(at, value);
  return bytes;
}

/** The Internet checksum (RFC 1071) over the parts, one after the other; all but the last have even lengths. */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += (part[at]! << 8) | (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function number(headers: Packet, field: keyof Packet): number {
  return Number(headers[field] ?? missing(field));
}

function missing(field: string): never {
  throw new RangeError(`a frame cannot be made without ${field}`);
}

function u48(view: DataView, at: number): number {
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
}

function putU48(view: DataView, at: number, value: number): void {
  view.setUint16(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 2, value % 2 ** 32);
}

function u128(view: DataView, at: number): bigint {
  return (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8);
}

function putU128(view: DataView, at: number, value: bigint): void {
  view.setBigUint64(at, value >> 64n);
  view.setBigUint64(at + 8, value & allOnes(64));
}
