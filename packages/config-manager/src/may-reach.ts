import {
  EtherType,
  type NeighborConfiguration,
  type SecurityGroupConfiguration,
  SecurityGroupConfiguration_Direction as Direction,
} from '@alcor/contract';
import { type Cidr, contains, type Ip, parseCidr, parseIp } from '@alcor/network';
import { aclsAllow } from './acl-allows.ts';
import type { VpcDirectory } from './vpc-directory.ts';

/** One end of a conversation: a port, the address that it uses and what is known of its VPC. */
export interface End {
  readonly neighbor: NeighborConfiguration;
  readonly address: Ip;
  readonly directory: VpcDirectory;
}

type Way = typeof Direction.EGRESS | typeof Direction.INGRESS;

/**
 * Whether security groups and network ACLs can let the two speak with each other at all, whoever begins: what is asked for is an address and the answer is
 * remembered for all protocols and ports. When unsure, yes: the hosts judge each packet.
 */
export function mayReach(source: End, destination: End): boolean {
  return mayOpen(source, destination) || mayOpen(destination, source);
}

function mayOpen(from: End, to: End): boolean {
  return aclsAllow(from, to) && allows(from, Direction.EGRESS, to) && allows(to, Direction.INGRESS, from);
}

function allows({ neighbor, directory }: End, direction: Way, remote: End): boolean {
  const { securityGroupIds } = neighbor;
  // No group is also what a port without port security has.
  if (securityGroupIds.length === 0) return true;
  return securityGroupIds.some((id) => {
    const group = directory.groups.get(id);
    return group === undefined || groupAllows(group, direction, remote, directory);
  });
}

function groupAllows(
  group: SecurityGroupConfiguration,
  direction: Way,
  remote: End,
  { addressGroups }: VpcDirectory,
): boolean {
  const { anyone, groupIds, addressGroupIds, prefixes } = remotesOf(group)[direction][remote.address.version];
  if (anyone) return true;
  if (remote.neighbor.securityGroupIds.some((id) => groupIds.has(id))) return true;
  if (prefixes.some((prefix) => contains(prefix, remote.address))) return true;
  return addressGroupIds.some((id) => {
    const addresses = addressGroups.get(id);
    return addresses === undefined || addresses.cidrs.some((text) => holds(text, remote.address));
  });
}

function holds(text: string, address: Ip): boolean {
  const cidr = blockOf(text);
  return cidr !== null && contains(cidr, address);
}

/** With whom a group's rules of one direction and version allow something. */
interface Remotes {
  anyone: boolean;
  readonly groupIds: Set<string>;
  readonly addressGroupIds: string[];
  readonly prefixes: Cidr[];
}

type RemotesOf = { readonly [D in Way]: { readonly 4: Remotes; readonly 6: Remotes } };

/** Made out of a group's rules when it is first asked about. */
const known = new WeakMap<SecurityGroupConfiguration, RemotesOf>();

function remotesOf(group: SecurityGroupConfiguration): RemotesOf {
  let remotes = known.get(group);
  if (remotes === undefined) known.set(group, (remotes = read(group)));
  return remotes;
}

function read({ securityGroupRules }: SecurityGroupConfiguration): RemotesOf {
  const remotes = {
    [Direction.EGRESS]: { 4: nobody(), 6: nobody() },
    [Direction.INGRESS]: { 4: nobody(), 6: nobody() },
  };
  for (const rule of securityGroupRules) {
    const direction = rule.direction === Direction.INGRESS ? Direction.INGRESS : Direction.EGRESS;
    const into = remotes[direction][rule.ethertype === EtherType.IPV6 ? 6 : 4];
    const prefix = rule.remoteIpPrefix === '' ? null : blockOf(rule.remoteIpPrefix);
    if (rule.remoteGroupId !== '') into.groupIds.add(rule.remoteGroupId);
    else if (rule.remoteAddressGroupId !== '') into.addressGroupIds.push(rule.remoteAddressGroupId);
    else if (prefix === null || prefix.prefix === 0) into.anyone = true;
    else into.prefixes.push(prefix);
  }
  return remotes;
}

function nobody(): Remotes {
  return { anyone: false, groupIds: new Set(), addressGroupIds: [], prefixes: [] };
}

/** An address alone is a block of one. */
function blockOf(text: string): Cidr | null {
  if (text.includes('/')) return parseCidr(text);
  const ip = parseIp(text);
  return ip === null ? null : { version: ip.version, first: ip.value, prefix: ip.version === 4 ? 32 : 128 };
}
