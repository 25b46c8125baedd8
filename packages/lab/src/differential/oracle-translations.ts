/** Of the oracle: how routers remember whom they have translated, so that answers find back. */
import type { Packet } from '@alcor/agent';
import { isAnswerTo } from './oracle-groups.ts';

export interface Translation {
  readonly routerId: string;
  /** The packet that was translated first, as it came and as it went on. */
  readonly before: Packet;
  readonly after: Packet;
}

/** The packet in the place of one that has gone, or come, the same way before; undefined where none has. */
export function translatedAs(packet: Packet, routerId: string, known: readonly Translation[]): Packet | undefined {
  for (const { routerId: id, before, after } of known) {
    if (id !== routerId) continue;
    if (isAnswerTo(after, packet)) return { ...packet, ...turned(before) };
    if (isSame(before, packet)) return { ...packet, ...endsOf(after) };
  }
  return undefined;
}

const ends = ['ipv4_src', 'ipv4_dst', 'tcp_src', 'tcp_dst', 'udp_src', 'udp_dst'] as const;

function endsOf(packet: Packet): Packet {
  return Object.fromEntries(ends.flatMap((end) => (packet[end] === undefined ? [] : [[end, packet[end]]])));
}

/** The ends of the answer. */
function turned(packet: Packet): Packet {
  return Object.fromEntries(Object.entries(endsOf(packet)).map(([end, value]) => [otherEnd(end), value]));
}

function otherEnd(end: string): string {
  return end.replace(/src$|dst$/, (side) => (side === 'src' ? 'dst' : 'src'));
}

function isSame(one: Packet, other: Packet): boolean {
  return (['ip_proto', 'icmpv4_type', ...ends] as const).every((field) => one[field] === other[field]);
}
