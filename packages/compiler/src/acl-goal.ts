import {
  EtherType,
  type Goal,
  NetworkAclConfiguration,
  NetworkAclConfiguration_Action as Action,
  NetworkAclConfiguration_Direction as Direction,
  type NetworkAclConfiguration_Rule as Rule,
} from '@alcor/contract';
import {
  hasPorts,
  isIcmp,
  type NetworkAclRule,
  type NetworkId,
  normalizedCidr,
  protocolNumber,
  type RuledNetworkAcl,
} from '@alcor/network';

/** The networks that are told of an ACL: those of its subnets. */
export function networksJudgedBy({ subnets }: RuledNetworkAcl): readonly NetworkId[] {
  return [...new Set(subnets.map(({ networkId }) => networkId))];
}

/** What an ACL means to every host of a VPC that has one of its subnets. */
export function networkAclGoal(acl: RuledNetworkAcl, vpcId: NetworkId): Goal {
  return {
    kind: 'network-acl',
    state: NetworkAclConfiguration.fromPartial({
      id: acl.id,
      revisionNumber: acl.revision,
      vpcId,
      subnets: acl.subnets.map(({ id, cidr }) => ({ id, cidr })),
      rules: acl.rules.map(ruleOf),
    }),
  };
}

function ruleOf(rule: NetworkAclRule): Partial<Rule> {
  const { id, number, direction, ethertype, action, protocol, remoteIpPrefix } = rule;
  return {
    id,
    number,
    direction: direction === 'ingress' ? Direction.INGRESS : Direction.EGRESS,
    action: action === 'allow' ? Action.ALLOW : Action.DENY,
    ethertype: ethertype === 'IPv4' ? EtherType.IPV4 : EtherType.IPV6,
    ...(remoteIpPrefix === null ? {} : { remoteIpPrefix: normalizedCidr(remoteIpPrefix) }),
    ...(protocol === null ? {} : protocolOf(protocol, rule)),
  };
}

/** A rule keeps the type and the code of ICMP where those of other protocols have ports. */
function protocolOf(name: string, { portRangeMin, portRangeMax }: NetworkAclRule): Partial<Rule> {
  const ipProtocol = protocolNumber(name);
  const [first, last] = [portRangeMin ?? undefined, portRangeMax ?? undefined];
  if (hasPorts(name)) return { ipProtocol, portRangeMin: first, portRangeMax: last };
  return isIcmp(name) ? { ipProtocol, icmpType: first, icmpCode: last } : { ipProtocol };
}
