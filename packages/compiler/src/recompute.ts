import { type Goal, goalKey } from '@alcor/contract';
import type { Network, Node, Port, Subnet } from '@alcor/network';
import { type Audience, neighborGoal, portGoal, subnetGoal, vpcGoal } from './goals.ts';

/** Everything the region is meant to be, at one moment. */
export interface Intent {
  readonly networks: Iterable<Network>;
  readonly subnets: Iterable<Subnet>;
  readonly ports: Iterable<Port>;
  readonly nodes: Iterable<Node>;
}

export type Goals = ReadonlyMap<Audience, ReadonlyMap<string, Goal>>;

/** The goals that an intent means, computed from nothing. This defines the answer; `Compiler` only gives it sooner. */
export function recompute(intent: Intent): Goals {
  const goals = new Map<Audience, Map<string, Goal>>();
  const say = (audience: Audience, goal: Goal): void => {
    const keyed = goals.get(audience) ?? new Map<string, Goal>();
    goals.set(audience, keyed.set(goalKey(goal), goal));
  };
  const nodes = new Map([...intent.nodes].map((node) => [node.id, node]));
  for (const network of intent.networks) say(`vpc/${network.id}`, vpcGoal(network));
  for (const subnet of intent.subnets) say(`vpc/${subnet.networkId}`, subnetGoal(subnet));
  for (const port of intent.ports) {
    if (port.hostId === null) continue;
    say(`host/${port.hostId}`, portGoal(port));
    const node = nodes.get(port.hostId);
    if (node !== undefined) say(`vpc/${port.networkId}`, neighborGoal(port, node));
  }
  return goals;
}
