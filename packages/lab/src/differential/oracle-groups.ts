/** Of the oracle: what the security groups of a port let pass. */
import type { Packet } from '@alcor/agent';
import {
  contains,
  type GroupRule,
  type NetworkId,
  parseCidr,
  parseIp,
  type Port,
  type RuledSecurityGroup,
  type Traffic,
} from '@alcor/network';
import type { Plan } from './plan.ts';

/** What a port's host remembers of packets that one of its stateful groups has let pass: how the first of them began. */
export interface Connection {
  readonly portId: string;
  readonly first: Packet;
}

export interface Passage {
  readonly allowed: boolean;
  /** The connection that the packet is the first one of. */
  readonly opens?: Connection;
}

const refused: Passage = { allowed: false };
const allowed: Passage = { allowed: true };

export function mayPass(
  plan: Plan,
  port: Port,
  direction: GroupRule['direction'],
  packet: Packet,
  known: readonly Connection[],
): Passage {
  if (!port.portSecurityEnabled || isNeverJudged(direction, packet)) return allowed;
  if (packet.eth_type !== 0x0800 && packet.eth_type !== 0x86dd) return refused;
  const groups = plan.securityGroups.filter(({ id }) => port.securityGroupIds.includes(id));
  const someRuleOf = ({ rules }: RuledSecurityGroup): boolean =>
    rules.some((rule) => rule.direction === direction && speaksOf(plan, port, rule, packet));
  if (groups.some((group) => !group.stateful && someRuleOf(group))) return allowed;
  const stateful = groups.filter((group) => group.stateful);
  // The rules that let the first packet pass are still there.
  if (stateful.length > 0 && known.some((each) => each.portId === port.id && isAnswerTo(each.first, packet)))
    return allowed;
  if (!mayOpen(packet) || !stateful.some(someRuleOf)) return refused;
  return { allowed: true, opens: { portId: port.id, first: packet } };
}

/** Without these nothing works: ARP, neighbour and multicast listener discovery, and what guests and DHCP servers say to each other. */
function isNeverJudged(direction: GroupRule['direction'], packet: Packet): boolean {
  if (packet.eth_type === 0x0806) return true;
  const { icmpv6_type: type, udp_src, udp_dst } = packet;
  if (type !== undefined)
    return [130, 131, 132, direction === 'egress' ? 133 : 134, 135, 136, 143].includes(Number(type));
  const [client, server] = packet.eth_type === 0x0800 ? [68, 67] : [546, 547];
  const [from, to] = direction === 'egress' ? [client, server] : [server, client];
  return udp_src === from && udp_dst === to;
}

function speaksOf(plan: Plan, port: Port, rule: GroupRule, packet: Packet): boolean {
  const version = rule.ethertype === 'IPv4' ? 4 : 6;
  if (packet.eth_type !== (version === 4 ? 0x0800 : 0x86dd)) return false;
  return speaksOfProtocol(rule, packet) && speaksOfRemote(plan, port, rule, remoteOf(packet, rule.direction));
}

/** IANA's numbers of the protocols that plans name. */
const numbers: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, 'ipv6-icmp': 58, sctp: 132 };

export function speaksOfProtocol({ protocol, portRangeMin: min, portRangeMax: max }: Traffic, packet: Packet): boolean {
  if (protocol === null) return true;
  const number = numbers[protocol] ?? Number(protocol);
  if (packet.ip_proto !== number) return false;
  if (number === 1 || number === 58) {
    const [type, code] =
      number === 1 ? [packet.icmpv4_type, packet.icmpv4_code] : [packet.icmpv6_type, packet.icmpv6_code];
    return (min === null || min === type) && (max === null || max === code);
  }
  const to = Number(packet.tcp_dst ?? packet.udp_dst ?? packet.sctp_dst ?? 0);
  return (min === null || to >= min) && (max === null || to <= max);
}

export type Address = NonNullable<ReturnType<typeof parseIp>>;

/** The end of the packet that is not the port. */
export function remoteOf(packet: Packet, direction: GroupRule['direction']): Address {
  const [v4, v6] = direction === 'ingress' ? [packet.ipv4_src, packet.ipv6_src] : [packet.ipv4_dst, packet.ipv6_dst];
  return v4 === undefined ? { version: 6, value: BigInt(v6!) } : { version: 4, value: BigInt(v4) };
}

function speaksOfRemote(plan: Plan, port: Port, rule: GroupRule, remote: Address): boolean {
  const { remoteIpPrefix, remoteGroupId, remoteAddressGroupId } = rule;
  if (remoteIpPrefix !== null) return isWithin(remoteIpPrefix, remote);
  if (remoteAddressGroupId !== null)
    return plan.addressGroups.some(
      ({ id, addresses }) => id === remoteAddressGroupId && addresses.some((each) => isWithin(each, remote)),
    );
  return remoteGroupId === null || membersOf(plan, port, remoteGroupId).some((each) => isWithin(each, remote));
}

/** The addresses of the group's ports that are on hosts, where `port` can speak with them: in its network, or one that routers join with it. */
function membersOf(plan: Plan, port: Port, groupId: string): string[] {
  const joined = joinedWith(plan, port.networkId);
  return plan.ports
    .filter(
      (each) =>
        each.hostId !== null && joined.has(each.networkId) && each.securityGroupIds.some((id) => id === groupId),
    )
    .flatMap(({ fixedIps, allowedAddressPairs }) => [...fixedIps, ...allowedAddressPairs].map(({ ip }) => ip));
}

function joinedWith({ routers }: Plan, networkId: NetworkId): ReadonlySet<NetworkId> {
  const joined = new Set([networkId]);
  for (let size = 0; size !== joined.size;) {
    size = joined.size;
    for (const { adminStateUp, interfaces } of routers) {
      const networks = interfaces.map((each) => each.networkId);
      if (adminStateUp && networks.some((each) => joined.has(each))) for (const each of networks) joined.add(each);
    }
  }
  return joined;
}

export function isWithin(block: string, address: Address): boolean {
  const cidr = parseCidr(block.includes('/') ? block : `${block}/${block.includes(':') ? 128 : 32}`);
  return contains(cidr!, address);
}

/** What a connection can begin with: Open vSwitch's userspace tracker knows no other protocols, and of ICMP what asks for an answer. */
export function mayOpen({ ip_proto, icmpv4_type, icmpv6_type }: Packet): boolean {
  if (ip_proto === 6 || ip_proto === 17) return true;
  return icmpv4_type === 8 || icmpv4_type === 13 || icmpv6_type === 128;
}

export function isAnswerTo(first: Packet, packet: Packet): boolean {
  const same = (one: keyof Packet, other: keyof Packet): boolean => first[one] === packet[other];
  const turned = (one: keyof Packet, other: keyof Packet): boolean => same(one, other) && same(other, one);
  const ends = turned('ipv4_src', 'ipv4_dst') && turned('ipv6_src', 'ipv6_dst') && same('ip_proto', 'ip_proto');
  const ports = turned('tcp_src', 'tcp_dst') && turned('udp_src', 'udp_dst');
  const icmp =
    (first.icmpv4_type === undefined || (first.icmpv4_type === 8 && packet.icmpv4_type === 0)) &&
    (first.icmpv6_type === undefined || (first.icmpv6_type === 128 && packet.icmpv6_type === 129));
  return ends && ports && icmp;
}
