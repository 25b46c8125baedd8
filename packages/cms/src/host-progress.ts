import type { ConfigManager, GoalStates, HostState } from '@alcor/config-manager';
import { ResourceType } from '@alcor/contract';
import { type IntentStore, type NetworkId, type NodeId, refusal } from '@alcor/network';
import type { Scope } from './goal-states.ts';

export interface HostProgressOptions {
  readonly store: Pick<IntentStore, 'nodes' | 'networks'>;
  /** The config manager of this controller: it knows the hosts that it drives. */
  readonly manager: Pick<ConfigManager, 'goalStates' | 'hostsIn' | 'repush'>;
  /** The controller that drives the host; empty: none at the moment. */
  readonly controllerOf: (hostId: string) => string;
}

/** What a host could not do. */
interface Failure {
  /** port, neighbor, … */
  readonly kind: string;
  readonly resourceId: string;
  readonly revision: number;
  /** The switch's or the agent's own words. */
  readonly reason: string;
}

/** How far a host is, and who drives it. */
export interface HostProgressView extends Omit<GoalStates, 'state' | 'failures'> {
  readonly controller: string;
  /** `elsewhere`: another controller drives it, and knows more. */
  readonly state: HostState['state'] | 'elsewhere';
  /** Why, when unreachable or without its switch. */
  readonly reason: string;
  readonly failures: readonly Failure[];
}

const nothing = { wanted: 0, sent: 0, applied: 0 };
const kinds: ReadonlyMap<number, string> = new Map(
  Object.entries(ResourceType).map(([name, number]) => [number, name.toLowerCase()]),
);

/** Rejects with NodeNotFound. */
export async function progressOf(hostId: string, options: HostProgressOptions): Promise<HostProgressView> {
  const { id } = await options.store.nodes.get(hostId as NodeId);
  const controller = options.controllerOf(id);
  const known = options.manager.goalStates(id);
  if (known === undefined) {
    const empty = { own: nothing, vpcs: [], failures: [], failuresLeftOut: 0 };
    return { hostId: id, controller, state: 'elsewhere', reason: '', ...empty };
  }
  const failures = known.failures.map(({ resourceType, resourceId, revisionNumber: revision, reason }) => {
    return { kind: kinds.get(resourceType) ?? 'unknown', resourceId, revision, reason };
  });
  return { ...known, controller, state: known.state.state, reason: known.state.reason, failures };
}

/**
 * Says everything again to a host, or of a VPC to each of its hosts; gives the number of hosts of this controller that are told. Rejects
 * with NodeNotFound, NetworkNotFound and NodeElsewhere.
 */
export async function push(scope: Scope, { store, manager, controllerOf }: HostProgressOptions): Promise<number> {
  if (scope.kind === 'vpc') {
    const { id } = await store.networks.get(scope.id as NetworkId);
    return manager.hostsIn(id).filter((hostId) => manager.repush(hostId, id)).length;
  }
  const { id } = await store.nodes.get(scope.id as NodeId);
  if (manager.repush(id)) return 1;
  throw refusal('NodeElsewhere', { nodeId: id, controller: controllerOf(id) || '(none yet)' });
}
