import type { AddressGroup, AddressGroupId } from './address-group.ts';
import type { Channel } from './channel.ts';
import type { FloatingIpId, ForwardedFloatingIp } from './floating-ip.ts';
import type { HeldLease, Shard } from './lease.ts';
import type { NetworkAclId, RuledNetworkAcl } from './network-acl.ts';
import type { Network, NetworkId, Node, NodeId, Port, PortId, Subnet, SubnetId } from './nouns.ts';
import type { QosPolicyId, RuledQosPolicy } from './qos.ts';
import type { Router, RouterId } from './router.ts';
import type { RuledSecurityGroup, SecurityGroupId } from './security-group.ts';

/**
 * One resource's present state. `row` is null when the resource is gone; `revision` is then one more than the last row had.
 * A reader that sees a revision not newer than the one it knows has seen it before.
 */
export type Change =
  | ChangeOf<'network', NetworkId, Network>
  | ChangeOf<'channel', NetworkId, Channel>
  | ChangeOf<'qos-policy', QosPolicyId, RuledQosPolicy>
  | ChangeOf<'address-group', AddressGroupId, AddressGroup>
  | ChangeOf<'security-group', SecurityGroupId, RuledSecurityGroup>
  | ChangeOf<'subnet', SubnetId, Subnet>
  | ChangeOf<'port', PortId, Port>
  | ChangeOf<'network-acl', NetworkAclId, RuledNetworkAcl>
  | ChangeOf<'router', RouterId, Router>
  | ChangeOf<'floating-ip', FloatingIpId, ForwardedFloatingIp>
  | ChangeOf<'node', NodeId, Node>
  | ChangeOf<'lease', Shard, HeldLease>;

interface ChangeOf<Kind extends string, Id extends string, Row> {
  readonly kind: Kind;
  readonly id: Id;
  readonly revision: number;
  readonly row: Row | null;
}

/** An opaque place in the feed; only the feed that gave it can read it. */
export type Position = string;

export interface FeedBatch {
  /** Continue here after this batch. */
  readonly position: Position;
  readonly changes: readonly Change[];
}

/**
 * The seam between the store and everything that is driven from it.
 *
 * Promises: a change is in the feed exactly if its transaction committed; a reader that takes a snapshot and then follows
 * from its position sees the final state of every resource; changes of one resource come in the order of their revisions
 * (intermediate states may be left out, the newest never is).
 */
export interface Feed {
  /** Everything there is, in batches, and the position from which `changes` continues. What is referred to comes first: networks before subnets and groups before network ACLs and ports before routers. */
  snapshot(
    signal: AbortSignal,
  ): Promise<{ readonly position: Position; readonly batches: AsyncIterable<readonly Change[]> }>;
  /** Batches after `position`, waiting for new ones until `signal` aborts (the iteration then ends). Throws FeedGap when `position` is no longer kept. */
  changes(position: Position, signal: AbortSignal): AsyncIterable<FeedBatch>;
}

/** The position is older than what the feed keeps: take a new snapshot. */
export class FeedGap extends Error {
  override readonly name = 'FeedGap';
}
