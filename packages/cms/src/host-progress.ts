import { type IntentStore, type NodeId, refusal } from '@alcor/network';
import type { HostProgress, ProgressSource } from './progress.ts';

export interface HostProgressOptions {
  readonly store: Pick<IntentStore, 'nodes' | 'networks'>;
  readonly progress: ProgressSource;
  /** The controller that drives the host; empty: none at the moment. */
  readonly controllerOf: (hostId: string) => string;
}

/** How far a host is, and who drives it. `elsewhere`: another controller does, which knows more. */
export interface HostProgressView extends Omit<HostProgress, 'state'> {
  readonly controller: string;
  readonly state: HostProgress['state'] | 'elsewhere';
}

/** Rejects with NodeNotFound. */
export async function progressOf(hostId: string, options: HostProgressOptions): Promise<HostProgressView> {
  const { id } = await options.store.nodes.get(hostId as NodeId);
  const controller = options.controllerOf(id);
  const known = options.progress.host(id);
  if (known !== undefined) return { ...known, controller };
  return { hostId: id, controller, state: 'elsewhere', reason: '', vpcs: [], failures: [] };
}

/** Says everything again to a host; gives the number of hosts that are told. Rejects with NodeNotFound and NodeElsewhere. */
export async function pushHost(hostId: string, options: HostProgressOptions): Promise<number> {
  const { id } = await options.store.nodes.get(hostId as NodeId);
  const told = options.progress.pushHost(id);
  if (told === 0) throw refusal('NodeElsewhere', { nodeId: id, controller: options.controllerOf(id) || '(none yet)' });
  return told;
}
