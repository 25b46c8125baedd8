/** DNS as guests have it from their own host, at its service address. */
import {
  decodeFrame,
  encodeFrame,
  NO_PORT,
  type LocalPort,
  type PacketIn,
  type PacketOut,
} from '../dataplane/index.ts';
import { answerDns } from './answer.ts';
import type { Zone } from './resolve.ts';

export interface DnsOptions {
  readonly portAt: (ofport: number) => LocalPort | undefined;
  /** The names of a network; undefined where nothing is held of it. */
  readonly zoneOf: (vpcId: string) => Zone | undefined;
  /** Has others asked what is no name of the network; undefined: guests are refused. */
  readonly forward: ((packet: PacketIn) => void) | undefined;
}

/** The packets that answer `packet`: one, or none where it is no question, or one for others. */
export function answerDnsPacket(packet: PacketIn, { portAt, zoneOf, forward }: DnsOptions): readonly PacketOut[] {
  const port = portAt(packet.context.registers.reg0 ?? 0);
  const zone = port === undefined ? undefined : zoneOf(port.vpcId);
  if (zone === undefined) return [];
  const answer = answerDns(decodeFrame(packet.frame).payload, zone, forward !== undefined);
  if (answer === 'upstream') forward?.(packet);
  return answer === null || answer === 'upstream' ? [] : [replyTo(packet, answer)];
}

/** Back to who sent `packet`, by way of its groups, which have let the question out: their rules say whether it gets the answer. */
export function replyTo({ context, frame }: PacketIn, payload: Uint8Array): PacketOut {
  const { headers } = decodeFrame(frame);
  const { eth_src, eth_dst, ipv4_src, ipv4_dst, ipv6_src, ipv6_dst, udp_src, udp_dst, ...rest } = headers;
  const ends = { eth_src: eth_dst!, eth_dst: eth_src!, udp_src: udp_dst!, udp_dst: udp_src! };
  const ip =
    rest.eth_type === 0x0800
      ? { ipv4_src: ipv4_dst!, ipv4_dst: ipv4_src! }
      : { ipv6_src: ipv6_dst!, ipv6_dst: ipv6_src! };
  return {
    table: 'entering',
    context: { inPort: NO_PORT, vni: context.vni, registers: { reg1: context.registers.reg0 ?? 0 } },
    frame: encodeFrame({ ...ends, ...ip, eth_type: rest.eth_type!, ip_proto: 17 }, payload),
  };
}
