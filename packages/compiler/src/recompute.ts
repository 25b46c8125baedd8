import type { Goal } from '@alcor/contract';
import type {
  AddressGroup,
  ForwardedFloatingIp,
  Network,
  NetworkId,
  Node,
  Port,
  QosPolicyId,
  Router,
  RuledNetworkAcl,
  RuledQosPolicy,
  RuledSecurityGroup,
  Subnet,
} from '@alcor/network';
import { isGateway } from '@alcor/network';
import { networkAclGoal, networksJudgedBy } from './acl-goal.ts';
import { type Audience, placeOf, neighborGoal, portGoal, subnetGoal, vpcGoal } from './goals.ts';
import { addressGroupGoal, securityGroupGoal } from './group-goals.ts';
import { qosPolicyGoal } from './policy-goal.ts';
import { floatingIpMeaning, routerMeaning } from './outward.ts';

/** Everything the region is meant to be, at one moment. */
export interface Intent {
  readonly networks: Iterable<Network>;
  readonly subnets: Iterable<Subnet>;
  readonly ports: Iterable<Port>;
  readonly nodes: Iterable<Node>;
  readonly routers: Iterable<Router>;
  readonly securityGroups: Iterable<RuledSecurityGroup>;
  readonly addressGroups: Iterable<AddressGroup>;
  readonly networkAcls: Iterable<RuledNetworkAcl>;
  readonly qosPolicies: Iterable<RuledQosPolicy>;
  readonly floatingIps: Iterable<ForwardedFloatingIp>;
}

/** By audience, each under its place. */
export type Goals = ReadonlyMap<Audience, ReadonlyMap<string, Goal>>;

/** The goals that an intent means, computed from nothing. This defines the answer; `Compiler` only gives it sooner. */
export function recompute(intent: Intent): Goals {
  const goals = new Map<Audience, Map<string, Goal>>();
  const say = (audience: Audience, goal: Goal): void => {
    const keyed = goals.get(audience) ?? new Map<string, Goal>();
    goals.set(audience, keyed.set(placeOf(audience, goal), goal));
  };
  const nodes = new Map([...intent.nodes].map((node) => [node.id, node]));
  const networks = [...intent.networks];
  for (const network of networks) say(`vpc/${network.id}`, vpcGoal(network));
  for (const subnet of intent.subnets) say(`vpc/${subnet.networkId}`, subnetGoal(subnet));
  const floatingIps = [...intent.floatingIps];
  const qosPolicies = [...intent.qosPolicies];
  const rows = outwardRows({ ...intent, networks, nodes: nodes.values(), qosPolicies });
  for (const router of rows.routers) for (const { audience, goal } of routerMeaning(router, rows)) say(audience, goal);
  for (const each of floatingIps) for (const { audience, goal } of floatingIpMeaning(each, rows)) say(audience, goal);
  for (const acl of intent.networkAcls) {
    for (const vpcId of networksJudgedBy(acl)) say(`vpc/${vpcId}`, networkAclGoal(acl, vpcId));
  }
  const bound = rows.ports.filter(({ hostId }) => hostId !== null);
  for (const port of bound) {
    if (port.hostId === null) continue;
    say(`host/${port.hostId}`, portGoal(port));
    const node = nodes.get(port.hostId);
    if (node !== undefined) say(`vpc/${port.networkId}`, neighborGoal(port, node));
  }
  sayGroups(intent, bound, say);
  sayPolicies(qosPolicies, [...networks.map(useOfNetwork), ...bound.map(useOfPort)], say);
  return goals;
}

function byId<Row extends { readonly id: string }>(rows: Iterable<Row>): ReadonlyMap<string, Row> {
  return new Map([...rows].map((row) => [row.id, row]));
}

function outwardRows({
  networks,
  ports,
  nodes,
  routers,
  qosPolicies,
}: Pick<Intent, 'networks' | 'ports' | 'nodes' | 'routers' | 'qosPolicies'>) {
  const known = { networks: byId(networks), ports: byId(ports), nodes: byId(nodes), routers: byId(routers) };
  const policies = byId(qosPolicies);
  return {
    network: (id: NetworkId) => known.networks.get(id),
    port: (id: string) => known.ports.get(id),
    node: (id: string) => known.nodes.get(id),
    router: (id: string) => known.routers.get(id),
    policy: (id: string) => policies.get(id),
    gateways: () => [...known.nodes.values()].filter(isGateway),
    routers: [...known.routers.values()],
    ports: [...known.ports.values()],
  };
}

/** A VPC is told of the groups that its bound ports are in, and of the address groups that these groups' rules name. */
function sayGroups(
  { securityGroups, addressGroups }: Intent,
  bound: readonly Port[],
  say: (audience: Audience, goal: Goal) => void,
): void {
  const known = [...addressGroups];
  for (const group of securityGroups) {
    const vpcs = new Set<NetworkId>(
      bound.filter((port) => port.securityGroupIds.includes(group.id)).map(({ networkId }) => networkId),
    );
    const named = new Set(group.rules.map(({ remoteAddressGroupId }) => remoteAddressGroupId));
    for (const vpcId of vpcs) {
      say(`vpc/${vpcId}`, securityGroupGoal(group, vpcId));
      for (const addresses of known) {
        if (named.has(addresses.id)) say(`vpc/${vpcId}`, addressGroupGoal(addresses, vpcId));
      }
    }
  }
}

interface PolicyUse {
  readonly policyId: QosPolicyId | null;
  readonly vpcId: NetworkId;
}

function useOfNetwork({ id, qosPolicyId }: Network): PolicyUse {
  return { policyId: qosPolicyId, vpcId: id };
}

function useOfPort({ networkId, qosPolicyId }: Port): PolicyUse {
  return { policyId: qosPolicyId, vpcId: networkId };
}

/** A VPC is told of the QoS policies that it names itself or its bound ports do. */
function sayPolicies(
  policies: Iterable<RuledQosPolicy>,
  uses: readonly PolicyUse[],
  say: (audience: Audience, goal: Goal) => void,
): void {
  for (const policy of policies) {
    const vpcs = uses.filter(({ policyId }) => policyId === policy.id).map(({ vpcId }) => vpcId);
    for (const vpcId of new Set(vpcs)) say(`vpc/${vpcId}`, qosPolicyGoal(policy, vpcId));
  }
}
