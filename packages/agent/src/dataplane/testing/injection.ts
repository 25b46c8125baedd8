/** Packets into and out of the dummy interfaces of a real switch: through its datapath, as a device would have them. */
import { ipv6Text, ipv4Text, macText } from '@alcor/openflow';
import type { Packet } from '../drivers/packet.ts';
import { realRuntime } from '@alcor/runtime';
import type { OpenVswitch } from './open-vswitch.ts';

const { clock } = realRuntime();

/** Has the interface receive the packet, in the words of `ovs-appctl netdev-dummy/receive`. */
export async function injected(ovs: OpenVswitch, ifaceId: string, packet: Packet): Promise<void> {
  await ovs.appctl('netdev-dummy/receive', `d-${ifaceId}`, datapathText(packet));
}

/** A dummy interface holds no more than a hundred. */
const AT_ONCE = 50;

/**
 * Has the interface receive as many of the packet and waits until the switch has done with them: as frames of so many bytes, which are padded
 * in a way that the connection tracker takes for invalid, or as they come (106 bytes, of UDP).
 */
export async function injectedOften(
  ovs: OpenVswitch,
  ifaceId: string,
  packet: Packet,
  { times, bytes }: { readonly times: number; readonly bytes?: number },
): Promise<void> {
  const text = datapathText(packet);
  for (let left = times; left > 0; left -= AT_ONCE) {
    const some = Array.from({ length: Math.min(left, AT_ONCE) }, () =>
      bytes === undefined ? [text] : [text, '--len', String(bytes)],
    );
    await ovs.appctl('netdev-dummy/receive', `d-${ifaceId}`, ...some.flat());
    for (let turn = 0; turn < 4; turn++) await ovs.appctl('version');
  }
}

/**
 * The interfaces of those named that sent something while `doing` ran and the switch had done with it. On a busy machine the datapath's
 * counters come late: where fewer than `wanted` have sent something, they are looked at again for a while.
 */
export async function received(
  ovs: OpenVswitch,
  ifaceIds: readonly string[],
  wanted: number,
  doing: () => Promise<void>,
): Promise<string[]> {
  const before = await sent(ovs);
  await doing();
  for (let looks = 1; ; looks++) {
    // One thread serves the datapath and these commands by turns: before the second one, the packet is all the way through.
    await ovs.appctl('version');
    await ovs.appctl('version');
    const after = await sent(ovs);
    const senders = ifaceIds.filter((id) => after.get(`d-${id}`) !== before.get(`d-${id}`));
    if (senders.length >= wanted || looks === 40) return senders;
    await clock.sleep(50);
  }
}

/** Packets sent by each port, as the datapath counts them. */
async function sent(ovs: OpenVswitch): Promise<Map<string, number>> {
  const text = await ovs.appctl('dpctl/show', '-s');
  const found = new Map<string, number>();
  for (const [, name, packets] of text.matchAll(/port \d+: (\S+)[^]*?TX packets:(\d+|\?)/g))
    found.set(name!, Number(packets));
  return found;
}

function datapathText(packet: Packet): string {
  const of = (field: keyof Packet): string => String(packet[field]);
  const eth = `eth(src=${macText(Number(packet.eth_src))},dst=${macText(Number(packet.eth_dst))})`;
  return ['in_port(1)', eth, `eth_type(0x${Number(packet.eth_type).toString(16).padStart(4, '0')})`, network(packet)]
    .concat(
      packet.ip_proto === 17 ? `udp(src=${of('udp_src')},dst=${of('udp_dst')})` : [],
      packet.ip_proto === 6 ? [`tcp(src=${of('tcp_src')},dst=${of('tcp_dst')})`, 'tcp_flags(ack)'] : [],
      packet.ip_proto === 1 ? `icmp(type=${of('icmpv4_type')},code=${of('icmpv4_code')})` : [],
      packet.ip_proto === 58 ? `icmpv6(type=${of('icmpv6_type')},code=${of('icmpv6_code')})` : [],
    )
    .join(',');
}

function network(packet: Packet): string {
  if (packet.eth_type === 0x0806) {
    const [sip, tip] = [packet.arp_spa, packet.arp_tpa].map((ip) => ipv4Text(Number(ip)));
    const [sha, tha] = [packet.arp_sha, packet.arp_tha].map((ethernet) => macText(Number(ethernet)));
    return `arp(sip=${sip},tip=${tip},op=${String(packet.arp_op)},sha=${sha},tha=${tha})`;
  }
  const rest = `proto=${String(packet.ip_proto)}`;
  if (packet.eth_type === 0x86dd) {
    const [src, dst] = [packet.ipv6_src, packet.ipv6_dst].map((ip) => ipv6Text(BigInt(ip!)));
    return `ipv6(src=${src},dst=${dst},label=0,${rest},tclass=0,hlimit=64,frag=no)`;
  }
  const [src, dst] = [packet.ipv4_src, packet.ipv4_dst].map((ip) => ipv4Text(Number(ip)));
  return `ipv4(src=${src},dst=${dst},${rest},tos=0,ttl=64,frag=no)`;
}
