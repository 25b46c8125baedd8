/** TCP segments as bytes (RFC 9293 section 3.1). */
import { decodeFrame, encodeFrame, type Packet } from '../dataplane/index.ts';

export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface Segment {
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: number;
  readonly window: number;
  /** The largest segment that the sender takes; 0: it does not say. */
  readonly most: number;
  readonly data: Uint8Array;
}

const HEADER = 20;

/** Null for what is no whole segment. */
export function decodeSegment(frame: Uint8Array): Segment | null {
  const { headers, payload: data } = decodeFrame(frame);
  if (headers.tcp_dst === undefined) return null;
  const at = headers.eth_type === 0x0800 ? 14 + (frame[14]! & 0xf) * 4 : 54;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const length = (view.getUint8(at + 12) >> 4) * 4;
  if (length < HEADER || at + length > frame.length) return null;
  return {
    sequence: view.getUint32(at + 4),
    acknowledged: view.getUint32(at + 8),
    flags: view.getUint8(at + 13),
    window: view.getUint16(at + 14),
    most: mostOf(frame.subarray(at + HEADER, at + length)),
    data,
  };
}

/** What goes back to who sent a frame with these headers. */
export function encodeAnswer(to: Packet, { sequence, acknowledged, flags, window, most, data }: Segment): Uint8Array {
  const header = new Uint8Array(most > 0 ? HEADER + 4 : HEADER);
  const view = new DataView(header.buffer);
  view.setUint16(0, Number(to.tcp_dst));
  view.setUint16(2, Number(to.tcp_src));
  view.setUint32(4, sequence);
  view.setUint32(8, acknowledged);
  view.setUint8(12, (header.length / 4) << 4);
  view.setUint8(13, flags);
  view.setUint16(14, window);
  if (most > 0) view.setUint32(HEADER, (2 << 24) | (4 << 16) | most);
  const ends = { eth_src: to.eth_dst!, eth_dst: to.eth_src!, eth_type: to.eth_type!, ip_proto: 6 };
  const ip =
    to.eth_type === 0x0800
      ? { ipv4_src: to.ipv4_dst!, ipv4_dst: to.ipv4_src! }
      : { ipv6_src: to.ipv6_dst!, ipv6_dst: to.ipv6_src! };
  return encodeFrame({ ...ends, ...ip }, data, { header, checksumAt: 16, hasPseudo: true });
}

function mostOf(options: Uint8Array): number {
  for (let at = 0; at < options.length && options[at] !== 0;) {
    if (options[at] === 1) {
      at += 1;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (options[at] === 2 && length === 4 && at + 4 <= options.length)
      return (options[at + 2]! << 8) | options[at + 3]!;
    if (length < 2) return 0;
    at += length;
  }
  return 0;
}
