import {
  EtherType,
  type NetworkAclConfiguration_Rule as Rule,
  NetworkAclConfiguration_Action as Action,
  NetworkAclConfiguration_Direction as Direction,
} from '@alcor/contract';
import { contains, formatIp, parseCidr } from '@alcor/network';
import type { End } from './may-reach.ts';

/**
 * Whether some packet from the one to the other may pass the network ACLs of their subnets, as far as addresses say. Two addresses of
 * one subnet have no border between them.
 */
export function aclsAllow(from: End, to: End): boolean {
  if (!from.directory.hasAcls && !to.directory.hasAcls) return true;
  const [left, entered] = [subnetOf(from), subnetOf(to)];
  if (left !== undefined && left === entered) return true;
  return crosses(from, left, Direction.EGRESS, to) && crosses(to, entered, Direction.INGRESS, from);
}

/** Undefined for an address that is not one of the port's own. */
function subnetOf({ neighbor, address }: End): string | undefined {
  const text = formatIp(address);
  return neighbor.fixedIps.find(({ ipAddress }) => ipAddress === text)?.subnetId;
}

type Way = typeof Direction.EGRESS | typeof Direction.INGRESS;

/** Up to the first rule that is about all protocols there may be something that is allowed; that one decides the rest. */
function crosses({ directory }: End, subnetId: string | undefined, way: Way, { address }: End): boolean {
  const acl = subnetId === undefined ? undefined : directory.aclOf(subnetId);
  if (acl === undefined) return true;
  const ethertype = address.version === 4 ? EtherType.IPV4 : EtherType.IPV6;
  const speaksOfIt = (rule: Rule): boolean => {
    if (rule.direction !== way || rule.ethertype !== ethertype) return false;
    const cidr = rule.remoteIpPrefix === '' ? null : parseCidr(rule.remoteIpPrefix);
    return cidr === null || contains(cidr, address);
  };
  for (const rule of acl.rules.filter(speaksOfIt).sort((a, b) => a.number - b.number)) {
    if (rule.action === Action.ALLOW) return true;
    if (rule.ipProtocol === undefined) return false;
  }
  return false;
}
