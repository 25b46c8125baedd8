/** The way of a packet as `ofproto/trace` tells it, against the one that the switch in memory takes. */
import { cookieText } from '../cookie.ts';
import { valueText, type Packet } from '../drivers/packet.ts';
import type { Walk } from '../drivers/walk.ts';
import type { Field } from '../fields.ts';
import { pipeline } from '../pipeline.ts';

const traceNames: { readonly [F in Field]?: string } = {
  ipv4_src: 'ip_src',
  ipv4_dst: 'ip_dst',
  ip_ttl: 'nw_ttl',
  icmpv4_type: 'icmp_type',
  icmpv4_code: 'icmp_code',
  tunnel_id: 'tun_id',
};

/** The packet in the words of `ofproto/trace`. */
export function traceText(packet: Packet, inPort: number): string {
  const absent = packet.icmpv6_type === 135 ? 'nd_tll' : 'nd_sll';
  const said = (Object.keys(packet) as Field[])
    .filter((field) => field !== absent)
    .map((field) => `${traceNames[field] ?? field}=${valueText(field, packet[field]!)}`);
  return [`in_port=${inPort}`, ...said].join(',');
}

/** Table and cookie of each flow taken, as the switch says. */
export function flowsTraced(trace: string): string[] {
  return [...trace.matchAll(/^ *(\d+)\. (?:.*cookie (0x[0-9a-f]+)|No match)/gm)].map(
    ([, table, cookie]) => `${table} ${cookie === undefined ? 'none' : cookieText(BigInt(cookie))}`,
  );
}

export function flowsWalked({ trace }: Walk): string[] {
  return trace.map(({ table, flow }) =>
    flow === null ? `${pipeline[table as keyof typeof pipeline].id} none` : `${flow.table} ${cookieText(flow.cookie)}`,
  );
}

export function finalFlow(trace: string): Record<string, string> {
  const text = /^Final flow: (.*)$/m.exec(trace)?.[1] ?? '';
  return Object.fromEntries(text.split(',').map((part) => part.split('=') as [string, string]));
}

/** What the final flow must say of a packet that comes out. */
export function finalFields(packet: Packet): Record<string, string> {
  const said = finalNames(packet);
  return Object.fromEntries(
    (Object.keys(said) as Field[]).map((field) => [said[field]!, valueText(field, packet[field]!)]),
  );
}

function finalNames(packet: Packet): { readonly [F in Field]?: string } {
  const frame = { eth_src: 'dl_src', eth_dst: 'dl_dst' };
  if (packet.arp_op !== undefined)
    return {
      ...frame,
      arp_spa: 'arp_spa',
      arp_tpa: 'arp_tpa',
      arp_sha: 'arp_sha',
      arp_tha: 'arp_tha',
      arp_op: 'arp_op',
    };
  if (packet.nd_target !== undefined) return { ...frame, nd_target: 'nd_target', nd_tll: 'nd_tll' };
  if (packet.icmpv6_type !== undefined)
    return { ...frame, ipv6_src: 'ipv6_src', ipv6_dst: 'ipv6_dst', ip_ttl: 'nw_ttl', icmpv6_type: 'icmp_type' };
  const icmp = packet.icmpv4_type === undefined ? {} : { icmpv4_type: 'icmp_type' };
  return { ...frame, ipv4_src: 'nw_src', ipv4_dst: 'nw_dst', ip_ttl: 'nw_ttl', ...icmp };
}
