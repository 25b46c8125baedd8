import {
  type AddressGroupConfiguration,
  EtherType,
  type SecurityGroupConfiguration,
  SecurityGroupConfiguration_Direction as Direction,
  type SecurityGroupConfiguration_SecurityGroupRule as Rule,
} from '@alcor/contract';
import { Copies } from './copies.ts';
import type { AddressGroup, SecurityGroup, SecurityGroupRule } from './dataplane/index.ts';

/** What groups drive: the data plane, as far as it concerns them. */
export interface GroupSink {
  setSecurityGroup(group: SecurityGroup): void;
  removeSecurityGroup(id: string): void;
  setAddressGroup(group: AddressGroup): void;
  removeAddressGroup(id: string): void;
}

/**
 * Groups as VPCs tell of them: a group that ports of several VPCs use is told by each of them, and the newest word counts for all until
 * the last one has gone.
 */
export class HeldGroups {
  readonly #securityGroups: Copies<SecurityGroupConfiguration>;
  readonly #addressGroups: Copies<AddressGroupConfiguration>;

  constructor(sink: GroupSink) {
    this.#securityGroups = new Copies(
      (state) => sink.setSecurityGroup(securityGroupOf(state)),
      (id) => sink.removeSecurityGroup(id),
    );
    this.#addressGroups = new Copies(
      (state) => sink.setAddressGroup(addressGroupOf(state)),
      (id) => sink.removeAddressGroup(id),
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
