import { Compiler, gatewayGoal, type Goals, recompute } from '@alcor/compiler';
import { type Goal, goalVpc } from '@alcor/contract';
import { gatewayOf, isGateway, type MemoryFeed, type Node } from '@alcor/network';
import type { SimulatedHost } from './host.ts';

/** What the feed means for everybody, computed from nothing. */
export async function goalsOfFeed(feed: MemoryFeed): Promise<Goals> {
  const compiler = new Compiler();
  const { batches } = await feed.snapshot(new AbortController().signal);
  const onDemand: string[] = [];
  for await (const batch of batches) {
    for (const change of batch) {
      compiler.apply(change);
      if (change.kind === 'channel' && change.row?.channel === 'on-demand') onDemand.push(change.id);
    }
  }
  return withGateways(recompute(compiler.intent), onDemand, [...compiler.nodes.values()]);
}

/** Hosts of a network that is told on demand know its gateway, and the gateway that it is it. */
function withGateways(goals: Goals, onDemand: readonly string[], nodes: readonly Node[]): Goals {
  const all = new Map(goals);
  const gateways = nodes.filter(isGateway);
  for (const vpcId of onDemand) {
    const best = gatewayOf(
      vpcId,
      gateways.map(({ id }) => id),
    );
    const node = gateways.find(({ id }) => id === best);
    if (node === undefined) continue;
    const goal = gatewayGoal(vpcId, node, node.revision);
    all.set(`vpc/${vpcId}`, new Map([...(all.get(`vpc/${vpcId}`) ?? []), [`gateway/${node.id}`, goal]]));
    all.set(`host/${node.id}`, new Map([...(all.get(`host/${node.id}`) ?? []), [`gateway/${vpcId}`, goal]]));
  }
  return all;
}

/** Whether the host is told all neighbours of a VPC that is told on demand: because it forwards for it, or has the gateway of one of its routers. */
export function hasShare(goals: Goals, vpcId: string, hostId: string): boolean {
  const own = [...(goals.get(`host/${hostId}`)?.values() ?? [])];
  return own.some((goal) => (goal.kind === 'gateway' || goal.kind === 'router') && goalVpc(goal) === vpcId);
}

/** The VPCs that a host is in: those of its ports, those that it is the gateway of, and those that routers lead to from there. */
export function vpcsOf(goals: Goals, hostId: string): ReadonlySet<string> {
  const own = [...(goals.get(`host/${hostId}`)?.values() ?? [])];
  const vpcs = new Set(own.map(goalVpc));
  // A set that grows while it is walked is walked to its end.
  for (const vpcId of vpcs) {
    for (const goal of goals.get(`vpc/${vpcId}`)?.values() ?? []) {
      if (goal.kind !== 'router') continue;
      const { interfaces, externalGateway } = goal.state;
      for (const { vpcId: other } of interfaces) vpcs.add(other);
      if (externalGateway !== undefined) vpcs.add(externalGateway.vpcId);
    }
  }
  return vpcs;
}

/** What is meant for one host: of the neighbours of networks that are told on demand and that it has no share of, as many as it holds. */
export function goalsFor(goals: Goals, { held, node }: SimulatedHost, isOnDemand: (vpcId: string) => boolean): Goals {
  const own = new Map(goals);
  for (const [topic, all] of goals) {
    const vpcId = topic.slice('vpc/'.length);
    if (!topic.startsWith('vpc/') || !isOnDemand(vpcId) || hasShare(goals, vpcId, node.id)) continue;
    const known = held?.goals(vpcId);
    own.set(topic, new Map([...all].filter(([key, { kind }]) => kind !== 'neighbor' || known?.has(key) === true)));
  }
  return own;
}

/** The goals that the host's agent holds against those that it should; revisions aside, because what does not change is not told again. */
export function wrongGoals(goals: Goals, { node, held }: SimulatedHost): string[] {
  if (held === undefined) return [`${node.id} has no agent`];
  const wanted = new Map<string, string>();
  const vpcs = vpcsOf(goals, node.id);
  for (const vpcId of vpcs) {
    for (const [key, goal] of goals.get(`vpc/${vpcId}`) ?? []) wanted.set(`${vpcId} ${key}`, textOf(goal));
  }
  for (const [key, goal] of goals.get(`host/${node.id}`) ?? []) {
    if (goal.kind === 'port' || goal.kind === 'floating-ip') wanted.set(`${goal.state.vpcId} ${key}`, textOf(goal));
  }
  const wrong: string[] = [];
  for (const vpcId of held.vpcs) {
    if (!vpcs.has(vpcId)) wrong.push(`${node.id} still holds ${vpcId}`);
    for (const [key, goal] of held.goals(vpcId)) {
      const place = `${vpcId} ${key}`;
      const text = wanted.get(place);
      if (text === undefined) wrong.push(`${node.id} holds a goal too many: ${place}`);
      else if (text !== textOf(goal)) wrong.push(`${node.id} holds another goal than wanted: ${place}`);
      wanted.delete(place);
    }
  }
  return [...wrong, ...[...wanted.keys()].map((place) => `${node.id} lacks a goal: ${place}`)];
}

/** What a goal says, but for its revision. */
export function textOf(goal: Goal): string {
  return JSON.stringify({ ...goal.state, revisionNumber: 0 });
}
