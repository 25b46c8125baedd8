import {
  EtherType,
  type Goal,
  NeighborConfiguration,
  NetworkAclConfiguration,
  NetworkAclConfiguration_Action as Action,
  NetworkAclConfiguration_Direction as Direction,
  type NetworkAclConfiguration_Rule as Rule,
} from '@alcor/contract';
import { parseIp } from '@alcor/network';
import { expect, it } from 'vitest';
import { aclsAllow } from './acl-allows.ts';
import type { End } from './may-reach.ts';
import { RemoteGroups, VpcDirectory } from './vpc-directory.ts';

const rule = (number: number, changes: Partial<Rule> = {}): Partial<Rule> => ({ number, ...changes });
const egress = { direction: Direction.EGRESS, ethertype: EtherType.IPV4 };
const ingress = { direction: Direction.INGRESS, ethertype: EtherType.IPV4 };

/** Two subnets of one VPC, of which the first has an ACL with these rules. */
function vpc(rules: readonly Partial<Rule>[]) {
  const directory = new VpcDirectory('vpc', new RemoteGroups());
  const state = NetworkAclConfiguration.fromPartial({
    id: 'acl',
    vpcId: 'vpc',
    subnets: [{ id: 'inner', cidr: '10.0.0.0/24' }],
    rules: [...rules],
  });
  const take = (removed: boolean): void => {
    const value: Goal = { kind: 'network-acl', state };
    directory.take({ key: 'network-acl/acl', value, removed } as Parameters<VpcDirectory['take']>[0]);
  };
  take(false);
  const end = (ip: string, subnetId: string): End => ({
    neighbor: NeighborConfiguration.fromPartial({ id: ip, fixedIps: [{ ipAddress: ip, subnetId }] }),
    address: parseIp(ip)!,
    directory,
  });
  return { inner: end('10.0.0.5', 'inner'), beside: end('10.0.0.6', 'inner'), outer: end('10.0.1.5', 'outer'), take };
}

/** Whether something may come in. */
function allows(...rules: Partial<Rule>[]): boolean {
  const { inner, outer } = vpc(rules);
  return aclsAllow(outer, inner);
}

it('asks the ACL of what crosses the border of its subnet, in the direction that it does', () => {
  const { inner, beside, outer, take } = vpc([rule(10, egress)]);
  expect(aclsAllow(inner, outer)).toBe(true);
  expect(aclsAllow(outer, inner)).toBe(false);
  expect(aclsAllow(inner, beside)).toBe(true);
  expect(aclsAllow(beside, inner)).toBe(true);
  take(true);
  expect(aclsAllow(outer, inner)).toBe(true);
});

it('takes rules in the order of their numbers, up to the one that is about all protocols', () => {
  const deny = { ...ingress, action: Action.DENY };
  expect(allows(rule(20, ingress), rule(10, deny))).toBe(false);
  expect(allows(rule(20, ingress), rule(10, { ...deny, ipProtocol: 6 }))).toBe(true);
  expect(allows(rule(20, ingress), rule(10, { ...deny, remoteIpPrefix: '10.0.2.0/24' }))).toBe(true);
  expect(allows(rule(10, { ...ingress, remoteIpPrefix: '10.0.2.0/24' }))).toBe(false);
  expect(allows(rule(10, { ...ingress, ethertype: EtherType.IPV6 }))).toBe(false);
  expect(allows(rule(10, { ...ingress, ipProtocol: 17 }), rule(20, deny))).toBe(true);
});
