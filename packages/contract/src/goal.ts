import type { AddressGroupConfiguration } from './generated/addressgroup.ts';
import type { FloatingIpConfiguration } from './generated/floatingip.ts';
import type { GatewayConfiguration } from './generated/gateway.ts';
import type { NeighborConfiguration } from './generated/neighbor.ts';
import type { NetworkAclConfiguration } from './generated/networkacl.ts';
import type { PortConfiguration } from './generated/port.ts';
import type { QosPolicyConfiguration } from './generated/qospolicy.ts';
import type { RouterConfiguration } from './generated/router.ts';
import type { SecurityGroupConfiguration } from './generated/securitygroup.ts';
import type { SubnetConfiguration } from './generated/subnet.ts';
import type { VpcConfiguration } from './generated/vpc.ts';

/**
 * One resource's goal state as it travels between rooms of one process: what topics hold and messages are made of.
 * For a resource that is gone the configuration names no more than id, revision and VPC. Groups, network ACLs, QoS
 * policies, routers and gateways are of several VPCs; each has a goal of its own, for its hosts.
 */
export type Goal =
  | { readonly kind: 'vpc'; readonly state: VpcConfiguration }
  | { readonly kind: 'subnet'; readonly state: SubnetConfiguration }
  | { readonly kind: 'port'; readonly state: PortConfiguration }
  | { readonly kind: 'neighbor'; readonly state: NeighborConfiguration }
  | { readonly kind: 'security-group'; readonly state: SecurityGroupConfiguration }
  | { readonly kind: 'address-group'; readonly state: AddressGroupConfiguration }
  | { readonly kind: 'network-acl'; readonly state: NetworkAclConfiguration }
  | { readonly kind: 'qos-policy'; readonly state: QosPolicyConfiguration }
  | { readonly kind: 'floating-ip'; readonly state: FloatingIpConfiguration }
  | { readonly kind: 'router'; readonly state: RouterConfiguration }
  | { readonly kind: 'gateway'; readonly state: GatewayConfiguration };

export type GoalKind = Goal['kind'];

/** V8 keeps the pieces that a string is put together of, and keys are many: so there are two of each key, and the first is everybody's. */
const prefixes: { readonly [K in GoalKind]: string } = {
  vpc: 'vpc/',
  subnet: 'subnet/',
  port: 'port/',
  neighbor: 'neighbor/',
  'security-group': 'security-group/',
  'address-group': 'address-group/',
  'network-acl': 'network-acl/',
  'qos-policy': 'qos-policy/',
  'floating-ip': 'floating-ip/',
  router: 'router/',
  gateway: 'gateway/',
};

/** Names the goal within its topic, and among the goals of one VPC. */
export function goalKey(goal: Goal): string {
  return prefixes[goal.kind] + goal.state.id;
}

/** Says in a host's own topic what the host does for a VPC; all hosts of the VPC are told of it by the VPC's. */
export function isShare({ kind }: Goal): boolean {
  return kind === 'gateway' || kind === 'router';
}

/** The VPC that the goal belongs to. */
export function goalVpc(goal: Goal): string {
  return goal.kind === 'vpc' ? goal.state.id : goal.state.vpcId;
}
