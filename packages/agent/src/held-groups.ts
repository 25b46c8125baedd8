import {
  type AddressGroupConfiguration,
  EtherType,
  type NetworkAclConfiguration,
  NetworkAclConfiguration_Action as AclAction,
  NetworkAclConfiguration_Direction as AclDirection,
  type NetworkAclConfiguration_Rule as AclRule,
  type SecurityGroupConfiguration,
  SecurityGroupConfiguration_Direction as Direction,
  type SecurityGroupConfiguration_SecurityGroupRule as Rule,
} from '@alcor/contract';
import { Copies } from './copies.ts';
import type { AddressGroup, NetworkAcl, NetworkAclRule, SecurityGroup, SecurityGroupRule } from './dataplane/index.ts';

/** What groups and ACLs drive: the data plane, as far as it concerns them. */
export interface GroupSink {
  setSecurityGroup(group: SecurityGroup): void;
  removeSecurityGroup(id: string): void;
  setAddressGroup(group: AddressGroup): void;
  removeAddressGroup(id: string): void;
  setNetworkAcl(acl: NetworkAcl): void;
  removeNetworkAcl(id: string): void;
}

/**
 * Groups and network ACLs as VPCs tell of them: one that ports of several VPCs use is told by each of them, and the newest word counts for all until
 * the last one has gone.
 */
export class HeldGroups {
  readonly #securityGroups: Copies<SecurityGroupConfiguration>;
  readonly #addressGroups: Copies<AddressGroupConfiguration>;
  readonly #networkAcls: Copies<NetworkAclConfiguration>;

  constructor(sink: GroupSink) {
    this.#securityGroups = new Copies(
      (state) => sink.setSecurityGroup(securityGroupOf(state)),
      (id) => sink.removeSecurityGroup(id),
    );
    this.#addressGroups = new Copies(
      (state) => sink.setAddressGroup(addressGroupOf(state)),
      (id) => sink.removeAddressGroup(id),
    );
    this.#networkAcls = new Copies(
      (state) => sink.setNetworkAcl(networkAclOf(state)),
      (id) => sink.removeNetworkAcl(id),
    );
  }

  setSecurityGroup(state: SecurityGroupConfiguration): void {
    this.#securityGroups.set(state);
  }

  removeSecurityGroup(vpcId: string, id: string): void {
    this.#securityGroups.remove(vpcId, id);
  }

  setAddressGroup(state: AddressGroupConfiguration): void {
    this.#addressGroups.set(state);
  }

  removeAddressGroup(vpcId: string, id: string): void {
    this.#addressGroups.remove(vpcId, id);
  }

  setNetworkAcl(state: NetworkAclConfiguration): void {
    this.#networkAcls.set(state);
  }

  removeNetworkAcl(vpcId: string, id: string): void {
    this.#networkAcls.remove(vpcId, id);
  }
}

/** What the data plane makes of an ACL's goal. */
export function networkAclOf({ id, subnets, rules, revisionNumber: revision }: NetworkAclConfiguration): NetworkAcl {
  return { id, subnets, rules: rules.map(aclRuleOf), revision };
}

function aclRuleOf(rule: AclRule): NetworkAclRule {
  const { id, number, ipProtocol, portRangeMin, portRangeMax, icmpType, icmpCode, remoteIpPrefix } = rule;
  return {
    id,
    number,
    action: rule.action === AclAction.ALLOW ? 'allow' : 'deny',
    direction: rule.direction === AclDirection.INGRESS ? 'ingress' : 'egress',
    ethertype: rule.ethertype === EtherType.IPV4 ? 'IPv4' : 'IPv6',
    protocol: ipProtocol ?? null,
    portRangeMin: portRangeMin ?? icmpType ?? null,
    portRangeMax: portRangeMax ?? icmpCode ?? null,
    remoteIpPrefix: remoteIpPrefix || null,
  };
}

/** What the data plane makes of an address group's goal. */
export function addressGroupOf({ id, cidrs, revisionNumber: revision }: AddressGroupConfiguration): AddressGroup {
  return { id, addresses: cidrs, revision };
}

/** What the data plane makes of a group's goal. */
export function securityGroupOf(state: SecurityGroupConfiguration): SecurityGroup {
  const { id, securityGroupRules, stateless, revisionNumber: revision } = state;
  return { id, rules: securityGroupRules.map(ruleOf), stateful: !stateless, revision };
}

function ruleOf(rule: Rule): SecurityGroupRule {
  const isIcmp = rule.ipProtocol === 1 || rule.ipProtocol === 58;
  const [portRangeMin, portRangeMax] = isIcmp ? [rule.icmpType, rule.icmpCode] : portsOf(rule);
  return {
    id: rule.id,
    direction: rule.direction === Direction.INGRESS ? 'ingress' : 'egress',
    ethertype: rule.ethertype === EtherType.IPV4 ? 'IPv4' : 'IPv6',
    protocol: rule.ipProtocol ?? null,
    portRangeMin: portRangeMin ?? null,
    portRangeMax: portRangeMax ?? null,
    remoteIpPrefix: rule.remoteIpPrefix || null,
    remoteGroupId: rule.remoteGroupId || null,
    remoteAddressGroupId: rule.remoteAddressGroupId || null,
  };
}

/** The whole range, or none at all as older senders have it, is no condition. */
function portsOf({ portRangeMin, portRangeMax }: Rule): readonly [number | null, number | null] {
  const isAny = portRangeMax === 0 || (portRangeMin === 0 && portRangeMax === 65_535);
  return isAny ? [null, null] : [portRangeMin, portRangeMax];
}
