import {
  AddressGroupConfiguration,
  EtherType,
  type Goal,
  OperationType,
  Protocol,
  SecurityGroupConfiguration,
  SecurityGroupConfiguration_Direction as Direction,
  type SecurityGroupConfiguration_SecurityGroupRule as Rule,
  UpdateType,
} from '@alcor/contract';
import {
  type AddressGroup,
  type GroupRule,
  hasPorts,
  isIcmp,
  type NetworkId,
  normalizedCidr,
  protocolNumber,
  type RuledSecurityGroup,
} from '@alcor/network';

/** What a group's rules mean to every host of a VPC that has a port in the group. */
export function securityGroupGoal(group: RuledSecurityGroup, vpcId: NetworkId): Goal {
  return {
    kind: 'security-group',
    state: SecurityGroupConfiguration.fromPartial({
      id: group.id,
      revisionNumber: group.revision,
      updateType: UpdateType.FULL,
      vpcId,
      name: group.name,
      stateless: !group.stateful,
      securityGroupRules: group.rules.map((rule) => ruleOf(group, rule)),
    }),
  };
}

/** What an address group that rules name means to the same hosts. */
export function addressGroupGoal(group: AddressGroup, vpcId: NetworkId): Goal {
  return {
    kind: 'address-group',
    state: AddressGroupConfiguration.fromPartial({
      id: group.id,
      revisionNumber: group.revision,
      vpcId,
      cidrs: [...group.addresses],
    }),
  };
}

/** The names that the contract has for protocols, by their numbers. */
const protocols: ReadonlyMap<number, Protocol> = new Map([
  [1, Protocol.ICMP],
  [6, Protocol.TCP],
  [17, Protocol.UDP],
]);

function ruleOf({ id: securityGroupId }: RuledSecurityGroup, rule: GroupRule): Partial<Rule> {
  const { direction, ethertype, remoteIpPrefix, remoteGroupId, remoteAddressGroupId } = rule;
  return {
    operationType: OperationType.CREATE,
    securityGroupId,
    id: rule.id,
    direction: direction === 'ingress' ? Direction.INGRESS : Direction.EGRESS,
    ethertype: ethertype === 'IPv4' ? EtherType.IPV4 : EtherType.IPV6,
    ...(remoteIpPrefix === null ? {} : { remoteIpPrefix: normalizedCidr(remoteIpPrefix) }),
    ...(remoteGroupId === null ? {} : { remoteGroupId }),
    ...(remoteAddressGroupId === null ? {} : { remoteAddressGroupId }),
    ...(rule.protocol === null ? {} : protocolOf(rule.protocol, rule)),
  };
}

/** A rule keeps the type and the code of ICMP where those of other protocols have ports. */
function protocolOf(name: string, { portRangeMin: first, portRangeMax: last }: GroupRule): Partial<Rule> {
  const ipProtocol = protocolNumber(name);
  const named = { ipProtocol, protocol: protocols.get(ipProtocol) ?? Protocol.TCP };
  if (hasPorts(name)) return { ...named, portRangeMin: first ?? 0, portRangeMax: last ?? 65_535 };
  if (!isIcmp(name)) return named;
  return { ...named, icmpType: first ?? undefined, icmpCode: last ?? undefined };
}
