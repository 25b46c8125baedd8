/**
 * The connection tracker of the switch in memory: as much of that of Open vSwitch as the pipeline asks about. Packets
 * here carry no TCP flags, no ICMP identifiers and nothing of another packet inside, and time stands still; so
 *
 * - a connection never ends, and any packet of TCP may open one;
 * - between two addresses there is one ICMP echo "connection";
 * - an ICMP error is invalid, where the real one may know it as related;
 * - nobody can read which port a client of FTP has named, so between the ends of an FTP connection any other one is related to it.
 *
 * As in userspace Open vSwitch, protocols beyond TCP, UDP, ICMP and ICMPv6 are invalid.
 */
import { CT_STATE } from '../fields.ts';
import type { FieldValue } from '../fields.ts';
import type { CtAction, NatAction } from '../flow.ts';
import { type Expected, expectedOf } from './expected.ts';
import type { Packet } from './packet.ts';

export interface Tuple {
  readonly v6: boolean;
  readonly protocol: number;
  readonly src: FieldValue;
  readonly dst: FieldValue;
  /** Of ICMP, type and code. */
  readonly srcPort: number;
  readonly dstPort: number;
}

export interface Connection {
  readonly original: Tuple;
  /** As the other end sees it. */
  readonly translated: Tuple;
  mark: number;
  answered: boolean;
  /** What it is followed by. */
  readonly alg: CtAction['alg'];
}

/** What a packet says that no tracker has seen. */
export const untracked: Packet = { ct_state: 0, ct_mark: 0, ...originalFields(null) };

/** ICMP questions and their answers (RFC 792, RFC 4443). */
const QUESTIONS: { readonly [protocol: number]: { readonly [type: number]: number } } = {
  1: { 8: 0, 13: 14 },
  58: { 128: 129 },
};

export class Conntrack {
  /** By zone and tuple, in both directions. */
  readonly #connections = new Map<string, Connection>();
  /** Those that others may be related to, by zone. */
  readonly #followed = new Map<number, Connection[]>();

  /** The ct_* fields of the packet in the zone. */
  look(packet: Packet, zone: number): Packet {
    const tuple = tupleOf(packet);
    const known = tuple === null ? undefined : this.#connections.get(keyOf(zone, tuple));
    if (tuple === null || (known === undefined && !mayOpen(tuple))) {
      return { ...untracked, ct_state: CT_STATE.tracked | CT_STATE.invalid };
    }
    const expected = known === undefined ? this.#expected(zone, tuple) : undefined;
    if (expected !== undefined) {
      const { mark, original } = expected.parent;
      const ct_state = CT_STATE.tracked | CT_STATE.new | CT_STATE.related;
      return { ct_state, ct_mark: mark, ...originalFields(original) };
    }
    if (known === undefined) {
      return { ct_state: CT_STATE.tracked | CT_STATE.new, ct_mark: 0, ...originalFields(tuple) };
    }
    const answer = !same(tuple, known.original);
    if (answer) known.answered = true;
    const state =
      CT_STATE.tracked | (known.answered ? CT_STATE.established : CT_STATE.new) | (answer ? CT_STATE.reply : 0);
    return { ct_state: state, ct_mark: known.mark, ...originalFields(known.original) };
  }

  /** The packet's addresses and ports as its connection has them translated; nothing of one that is not known. */
  translation(packet: Packet, zone: number): Packet {
    const tuple = tupleOf(packet);
    const known = tuple === null ? undefined : this.#connections.get(keyOf(zone, tuple));
    if (tuple === null || known === undefined || same(known.original, known.translated)) return {};
    return headersOf(same(tuple, known.original) ? known.translated : reversed(known.original));
  }

  /** Remembers the packet's connection; `mark` null leaves its mark as it is, `alg` says by what it is followed. */
  commit(packet: Packet, zone: number, mark: number | null, nat?: NatAction, alg?: CtAction['alg']): void {
    const tuple = tupleOf(packet);
    if (tuple === null) return;
    const known = this.#connections.get(keyOf(zone, tuple));
    if (known !== undefined) {
      known.mark = mark ?? known.mark;
      return;
    }
    if (!mayOpen(tuple)) return;
    const related = nat === undefined ? undefined : this.#expected(zone, tuple)?.translated;
    const translated = related ?? this.#free(zone, translate(tuple, nat), nat);
    const connection: Connection = { original: tuple, translated, mark: mark ?? 0, answered: false, alg };
    if (alg !== undefined) this.#followed.set(zone, [...(this.#followed.get(zone) ?? []), connection]);
    this.#connections.set(keyOf(zone, tuple), connection);
    this.#connections.set(keyOf(zone, reversed(translated)), connection);
  }

  /** With another source port where an answer could be meant for another connection. */
  #free(zone: number, tuple: Tuple, nat: NatAction | undefined): Tuple {
    if (nat?.side !== 'src') return tuple;
    for (let each = tuple; ; each = { ...each, srcPort: (each.srcPort % 0xffff) + 1 }) {
      if (!this.#connections.has(keyOf(zone, reversed(each))) || QUESTIONS[each.protocol] !== undefined) return each;
    }
  }

  #expected(zone: number, tuple: Tuple): Expected | undefined {
    for (const parent of this.#followed.get(zone) ?? []) {
      const expected = expectedOf(parent, tuple);
      if (expected !== undefined) return expected;
    }
    return undefined;
  }

  clear(): void {
    this.#connections.clear();
    this.#followed.clear();
  }
}

function translate(tuple: Tuple, nat: NatAction | undefined): Tuple {
  if (nat?.side === 'src') return { ...tuple, src: nat.ipv4?.min ?? tuple.src };
  if (nat?.side === 'dst')
    return { ...tuple, dst: nat.ipv4?.min ?? tuple.dst, dstPort: nat.ports?.min ?? tuple.dstPort };
  return tuple;
}

/** Of IPv4. */
function headersOf({ protocol, src, dst, srcPort, dstPort }: Tuple): Packet {
  const addresses = { ipv4_src: src, ipv4_dst: dst };
  if (protocol === 6) return { ...addresses, tcp_src: srcPort, tcp_dst: dstPort };
  if (protocol === 17) return { ...addresses, udp_src: srcPort, udp_dst: dstPort };
  return addresses;
}

function tupleOf(packet: Packet): Tuple | null {
  const v6 = packet.eth_type === 0x86dd;
  const protocol = Number(packet.ip_proto);
  const [src, dst] = v6 ? [packet.ipv6_src, packet.ipv6_dst] : [packet.ipv4_src, packet.ipv4_dst];
  const ports = portsOf(packet, protocol, v6);
  if (src === undefined || dst === undefined || ports === null) return null;
  const [srcPort, dstPort] = ports;
  return { v6, protocol, src, dst, srcPort, dstPort };
}

function portsOf(packet: Packet, protocol: number, v6: boolean): readonly [number, number] | null {
  if (protocol === 6 || protocol === 17) {
    const [src, dst] = protocol === 6 ? [packet.tcp_src, packet.tcp_dst] : [packet.udp_src, packet.udp_dst];
    // Port 0 is nobody's.
    return Number(src) > 0 && Number(dst) > 0 ? [Number(src), Number(dst)] : null;
  }
  if (protocol !== (v6 ? 58 : 1)) return null;
  const [type, code] = v6 ? [packet.icmpv6_type, packet.icmpv6_code] : [packet.icmpv4_type, packet.icmpv4_code];
  const isKnown = Object.entries(QUESTIONS[protocol]!).some(([question, answer]) =>
    [Number(question), answer].includes(Number(type)),
  );
  return isKnown ? [Number(type), Number(code)] : null;
}

function mayOpen({ protocol, srcPort }: Tuple): boolean {
  const questions = QUESTIONS[protocol];
  return questions === undefined || questions[srcPort] !== undefined;
}

function reversed(tuple: Tuple): Tuple {
  const { src, dst, srcPort, dstPort, protocol } = tuple;
  const answer = QUESTIONS[protocol]?.[srcPort];
  if (answer !== undefined) return { ...tuple, src: dst, dst: src, srcPort: answer };
  return { ...tuple, src: dst, dst: src, srcPort: dstPort, dstPort: srcPort };
}

function originalFields(of: Tuple | null): Packet {
  return {
    ct_nw_proto: of?.protocol ?? 0,
    ct_nw_src: of === null || of.v6 ? 0 : of.src,
    ct_nw_dst: of === null || of.v6 ? 0 : of.dst,
    ct_ipv6_src: of?.v6 ? of.src : 0n,
    ct_ipv6_dst: of?.v6 ? of.dst : 0n,
    ct_tp_src: of?.srcPort ?? 0,
    ct_tp_dst: of?.dstPort ?? 0,
  };
}

function keyOf(zone: number, { v6, protocol, src, dst, srcPort, dstPort }: Tuple): string {
  return `${zone} ${v6 ? 6 : 4} ${protocol} ${src} ${dst} ${srcPort} ${dstPort}`;
}

function same(a: Tuple, b: Tuple): boolean {
  return keyOf(0, a) === keyOf(0, b);
}
