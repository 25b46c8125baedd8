import { CmsNode, type NodeSettings } from '@alcor/contract';
import { defaultZone, type Node, type NodePlacement } from '@alcor/network';
import type { Told } from './follow.ts';

/** A node as its changes are told: without what is no part of its revision. What is not said of it is as for a new one. */
export type KnownNode = Node & Partial<NodePlacement>;

/** What settings say, under the names that the API has for it. */
export function attributesOf(settings: NodeSettings): Readonly<Record<string, unknown>> & { readonly id: string } {
  const { id, name, ip, agentAddress, availabilityZone, draining, maxPorts } = settings;
  const given = {
    name,
    ip,
    agent_address: agentAddress,
    availability_zone: availabilityZone,
    draining,
    max_ports: maxPorts === -1 ? null : maxPorts,
  };
  return { id, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** The node in the contract's words. */
export function messageOf(node: KnownNode & { readonly heartbeatAt?: Date | null }): CmsNode {
  const { id, name, ip, agentAddress, revision, heartbeatAt } = node;
  return {
    id,
    name,
    ip,
    agentAddress,
    availabilityZone: node.availabilityZone ?? defaultZone,
    draining: node.draining ?? false,
    maxPorts: node.maxPorts ?? -1,
    revisionNumber: revision,
    removed: false,
    heartbeatAt: heartbeatAt?.toISOString() ?? '',
  };
}

/** A change of a node in the contract's words; of one that is gone, its id and revision. */
export function changeOf({ key, value, removed }: Told<KnownNode>): CmsNode {
  if (!removed) return messageOf(value);
  return CmsNode.fromPartial({ id: key, revisionNumber: value.revision, maxPorts: -1, removed: true });
}
