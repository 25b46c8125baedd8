/** Of the oracle: what the network ACL of a port's subnet lets over the subnet's border. */
import type { Packet } from '@alcor/agent';
import { contains, type NetworkAclRule, parseCidr, type Port } from '@alcor/network';
import { type Address, isWithin, remoteOf, speaksOfProtocol } from './oracle-groups.ts';
import type { Plan } from './plan.ts';

export function mayCross(plan: Plan, port: Port, direction: NetworkAclRule['direction'], packet: Packet): boolean {
  if ((packet.eth_type !== 0x0800 && packet.eth_type !== 0x86dd) || isOnLinkOnly(direction, packet)) return true;
  const remote = remoteOf(packet, direction);
  const home = port.fixedIps.find(({ ip }) => ip.includes(':') === (remote.version === 6));
  const acl = plan.networkAcls.find(({ subnetIds }) => home !== undefined && subnetIds.includes(home.subnetId));
  if (acl === undefined) return true;
  const { cidr } = acl.subnets.find(({ id }) => id === home?.subnetId)!;
  if (isWithin(cidr, remote)) return true;
  const fitting = acl.rules
    .filter((rule) => rule.direction === direction && (rule.ethertype === 'IPv6') === (remote.version === 6))
    .filter((rule) => speaksOfProtocol(rule, packet))
    .filter(({ remoteIpPrefix }) => remoteIpPrefix === null || isWithin(remoteIpPrefix, remote));
  return fitting.toSorted((a, b) => a.number - b.number)[0]?.action === 'allow';
}

/** Neighbour discovery, what is for the link, who has no address yet, and on its way out what is for many: none of it crosses a border. */
function isOnLinkOnly(direction: NetworkAclRule['direction'], packet: Packet): boolean {
  if (packet.icmpv6_type === 135 || packet.icmpv6_type === 136) return true;
  const [src, dst] = [remoteOf(packet, 'ingress'), remoteOf(packet, 'egress')];
  if (direction === 'egress') return isOfLink(dst) || isForMany(dst);
  if (src.value === 0n) return true;
  return isOfLink(src) && (src.version === 4 || isOfLink(dst) || isForMany(dst));
}

function isOfLink(address: Address): boolean {
  return ['169.254.0.0/16', 'fe80::/10'].some((cidr) => contains(parseCidr(cidr)!, address));
}

function isForMany(address: Address): boolean {
  return ['224.0.0.0/4', '255.255.255.255/32', 'ff00::/8'].some((cidr) => contains(parseCidr(cidr)!, address));
}
