/** What a router says to who sent a packet that it could not pass on: RFC 792, RFC 4443, by the rules of RFC 1122 section 3.2.2. */
import { ipv4, ipv6, mac } from '@alcor/openflow';
import {
  decodeFrame,
  encodeFrame,
  NO_PORT,
  type LocalPort,
  type Packet,
  type PacketIn,
  type PacketOut,
  type RouterInterface,
} from './dataplane/index.ts';

export interface IcmpErrorOptions {
  readonly portAt: (ofport: number) => LocalPort | undefined;
  /** By which a router is on the network. */
  readonly interfaceAt: (vni: number, ethernet: number) => RouterInterface | undefined;
}

/** Bytes of the packet that are sent back, so that the answer fits everywhere. */
const QUOTED = { v4: 576 - 28, v6: 1280 - 48 } as const;

const exceeded = { v4: { icmpv4_type: 11, icmpv4_code: 0 }, v6: { icmpv6_type: 3, icmpv6_code: 0 } } as const;
/** RFC 1191 section 4, RFC 4443 section 3.2. */
const tooLarge = { v4: { icmpv4_type: 3, icmpv4_code: 4 }, v6: { icmpv6_type: 2, icmpv6_code: 0 } } as const;
const noRoute = { v4: { icmpv4_type: 3, icmpv4_code: 0 }, v6: { icmpv6_type: 1, icmpv6_code: 0 } } as const;

/** ICMPv4's errors, of which no error speaks; ICMPv6's are all below 128. */
const ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);

/** The packets that answer one that the table `routing` had nowhere to send to: one, or none. */
export function answerUndeliverable(packet: PacketIn, { portAt, interfaceAt }: IcmpErrorOptions): readonly PacketOut[] {
  const { vni, registers } = packet.context;
  const { headers } = decodeFrame(packet.frame);
  const port = portAt(registers.reg0 ?? 0);
  const at = interfaceAt(vni, Number(headers.eth_dst ?? 0));
  if (port === undefined || at === undefined || !deserves(headers, packet.frame)) return [];
  const family = headers.eth_type === 0x86dd ? 'v6' : 'v4';
  const own = at.addresses.map(({ ip }) => ip).find((ip) => ip.includes(':') === (family === 'v6'));
  if (own === undefined) return [];
  const mtu = registers.reg14 ?? 0;
  if (mtu > 0 && family === 'v4' && mayBeFragmented(packet.frame)) return [];
  const what = mtu > 0 ? tooLarge : Number(headers.ip_ttl ?? 0) <= 1 ? exceeded : noRoute;
  // Where another router stands between, the frame's sender is that one.
  const eth_dst = registers.reg5 === 1 ? mac(port.mac) : Number(headers.eth_src);
  const frame = { eth_dst, eth_src: mac(at.mac), eth_type: Number(headers.eth_type) };
  const ends =
    family === 'v6'
      ? { ip_proto: 58, ipv6_src: ipv6(own), ipv6_dst: headers.ipv6_src!, ...what.v6 }
      : { ip_proto: 1, ipv4_src: ipv4(own), ipv4_dst: headers.ipv4_src!, ...what.v4 };
  const quoted = packet.frame.subarray(14, 14 + QUOTED[family]);
  const answer = encodeFrame({ ...frame, ...ends }, Uint8Array.of(0, 0, mtu >> 8, mtu & 255, ...quoted));
  const context = { inPort: NO_PORT, vni, registers: { reg1: registers.reg0 ?? 0 } };
  return [{ table: 'output', context, frame: answer }];
}

/** Its sender expects what is too large to come in parts, which no router here makes of it: it is dropped. */
function mayBeFragmented(frame: Uint8Array): boolean {
  return ((frame[20] ?? 0) & 0x40) === 0;
}

/** No error about an error, a later fragment, or what is from or to no single host. */
function deserves(headers: Packet, frame: Uint8Array): boolean {
  const { eth_type, ip_proto, ipv4_src, ipv4_dst, ipv6_src, ipv6_dst, icmpv4_type, icmpv6_type } = headers;
  if (eth_type === 0x86dd) {
    if (ipv6_src === undefined || ipv6_dst === undefined) return false;
    const isError = ip_proto === 58 && Number(icmpv6_type ?? 0) < 128;
    return !isError && isOneHost6(BigInt(ipv6_src)) && BigInt(ipv6_dst) >> 120n !== 0xffn;
  }
  if (ipv4_src === undefined || ipv4_dst === undefined) return false;
  const isLaterFragment = (((frame[20] ?? 0) << 8) | (frame[21] ?? 0)) & 0x1fff;
  const isError = ip_proto === 1 && (icmpv4_type === undefined || ERRORS.has(Number(icmpv4_type)));
  return !isLaterFragment && !isError && isOneHost4(Number(ipv4_src)) && Number(ipv4_dst) >>> 28 < 0xe;
}

function isOneHost4(address: number): boolean {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}

function isOneHost6(address: bigint): boolean {
  return address > 1n && address >> 120n !== 0xffn;
}
