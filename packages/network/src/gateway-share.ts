import type { Lease } from './lease.ts';
import type { Node, NodeId } from './nouns.ts';

/** Whether the node takes a share of the VPCs that are told on demand. */
export function isGateway({ gateway, draining, lost }: Node): boolean {
  return gateway === true && draining !== true && lost !== true;
}

/** Keeps what its controller says of a gateway. */
export interface GatewayStore {
  /**
   * Says whether the gateway answers. Rejects with LeaseLost when `lease`, that of the node's shard, is in other hands. Does nothing for a node
   * that is gone, or of which as much is known.
   */
  setGatewayLost(nodeId: NodeId, lost: boolean, lease: Lease): Promise<void>;
}

/**
 * How much a gateway wants a VPC: the one that wants it most has it (rendezvous hashing, highest random weight). It depends on the two
 * alone, so one gateway more or less moves only what it gets or had.
 */
export function gatewayWeight(vpcId: string, gatewayId: NodeId): number {
  // FNV-1a leaves the last characters in the low bits; the rest, as MurmurHash3 ends, has them change all.
  let hash = 0x811c9dc5;
  for (const text of [gatewayId, '\0', vpcId]) {
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The gateway of the VPC; of two that want it as much, that with the smaller id. */
export function gatewayOf(vpcId: string, gatewayIds: Iterable<NodeId>): NodeId | undefined {
  let best: { readonly id: NodeId; readonly weight: number } | undefined;
  for (const id of gatewayIds) {
    const weight = gatewayWeight(vpcId, id);
    if (best === undefined || weight > best.weight || (weight === best.weight && id < best.id)) best = { id, weight };
  }
  return best?.id;
}
