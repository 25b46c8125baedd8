import { type Goal, goalVpc, isShare } from '@alcor/contract';
import type { Bus, Entry, Subscription, Topic } from '@alcor/runtime';

export interface HostMembershipOptions {
  /** Topics `vpc/ID/routers`. */
  readonly goals: Bus<Goal>;
  /** Called when `settle` may find something new. */
  readonly wake: () => void;
  /** The host is in the VPC from now on. */
  readonly onJoin: (vpcId: string) => void;
  readonly onLeave: (vpcId: string) => void;
  /** The host has become the gateway of a VPC that it is in, or is it no longer. */
  readonly onShare: (vpcId: string) => void;
}

/** What of one VPC only this host is told: keys in its own topic. */
interface Own {
  readonly keys: Set<string>;
  ports: number;
  /** Why it is the VPC's gateway, or has that of a router on it: it is in it whether it has ports or not, and is told all of it. */
  readonly shares: Set<string>;
}

/** Where routers lead to from one VPC that the host is in. */
interface Routes {
  readonly topic: Topic<Goal>;
  readonly subscription: Subscription;
  /** The VPCs that each router is attached to. */
  readonly attached: Map<string, readonly string[]>;
}

/**
 * The VPCs that one host is in: those of its ports, those that it is the gateway of, and those that routers lead to from there; found
 * anew when one of these comes or goes, at no cost otherwise.
 */
export class HostMembership {
  readonly #options: HostMembershipOptions;
  readonly #ownOf = new Map<string, Own>();
  readonly #vpcOf = new Map<string, string>();
  readonly #routes = new Map<string, Routes>();
  /** VPCs whose routers may have changed. */
  readonly #stirred = new Set<string>();
  #ports = 0;
  #isChanged = false;

  constructor(options: HostMembershipOptions) {
    this.#options = options;
  }

  get ports(): number {
    return this.#ports;
  }

  isGateway(vpcId: string): boolean {
    return (this.#ownOf.get(vpcId)?.shares.size ?? 0) > 0;
  }

  /** Keys in the host's own topic of what it alone is told of the VPC. */
  keysOf(vpcId: string): Iterable<string> {
    return this.#ownOf.get(vpcId)?.keys ?? [];
  }

  /** Takes an entry of the host's own topic. */
  note({ key, value: goal, removed }: Entry<Goal>): void {
    const vpcId = removed ? this.#vpcOf.get(key) : goalVpc(goal);
    if (vpcId === undefined) return;
    const own = this.#ownOf.get(vpcId) ?? { keys: new Set<string>(), ports: 0, shares: new Set<string>() };
    const [wasIn, wasGateway, hadPorts] = [isIn(own), own.shares.size > 0, own.ports];
    const isPort = goal.kind === 'port';
    if (isShare(goal)) {
      if (removed) own.shares.delete(key);
      else own.shares.add(key);
    } else if (removed) {
      if (own.keys.delete(key) && isPort) own.ports--;
    } else {
      if (!own.keys.has(key) && isPort) own.ports++;
      own.keys.add(key);
    }
    this.#ports += own.ports - hadPorts;
    if (removed) this.#vpcOf.delete(key);
    else this.#vpcOf.set(key, vpcId);
    if (own.keys.size === 0 && own.shares.size === 0) this.#ownOf.delete(vpcId);
    else this.#ownOf.set(vpcId, own);
    if (wasIn !== isIn(own)) this.#isChanged = true;
    if (wasGateway !== own.shares.size > 0 && this.#routes.has(vpcId)) this.#options.onShare(vpcId);
  }

  /** Joins and leaves VPCs as ports and routers came and went. */
  settle(): void {
    this.#takeRouters();
    while (this.#isChanged) {
      this.#isChanged = false;
      const needed = new Set<string>();
      for (const [vpcId, own] of this.#ownOf) if (isIn(own)) needed.add(vpcId);
      // A set that grows while it is walked is walked to its end.
      for (const vpcId of needed) {
        for (const attached of this.#routes.get(vpcId)?.attached.values() ?? []) {
          for (const other of attached) needed.add(other);
        }
      }
      for (const vpcId of this.#routes.keys()) if (!needed.has(vpcId)) this.#leave(vpcId);
      for (const vpcId of needed) if (!this.#routes.has(vpcId)) this.#join(vpcId);
      this.#takeRouters();
    }
  }

  close(): void {
    for (const { subscription } of this.#routes.values()) subscription.close();
  }

  #join(vpcId: string): void {
    const topic = this.#options.goals.topic(`vpc/${vpcId}/routers`);
    const subscription = topic.subscribe(() => {
      this.#stirred.add(vpcId);
      this.#options.wake();
    });
    this.#routes.set(vpcId, { topic, subscription, attached: new Map() });
    this.#stirred.add(vpcId);
    this.#options.onJoin(vpcId);
  }

  #leave(vpcId: string): void {
    this.#routes.get(vpcId)?.subscription.close();
    this.#routes.delete(vpcId);
    this.#stirred.delete(vpcId);
    this.#options.onLeave(vpcId);
  }

  #takeRouters(): void {
    // To clear a set that is empty costs it a new table.
    if (this.#stirred.size === 0) return;
    for (const vpcId of this.#stirred) this.#takeRoutersOf(this.#routes.get(vpcId)!);
    this.#stirred.clear();
  }

  #takeRoutersOf({ topic, subscription, attached }: Routes): void {
    for (const { value: goal, removed } of topic.take(subscription, Number.POSITIVE_INFINITY)) {
      if (goal.kind !== 'router') continue;
      const { id, interfaces, externalGateway } = goal.state;
      if (removed) attached.delete(id);
      else
        attached.set(
          id,
          [...interfaces, ...(externalGateway === undefined ? [] : [externalGateway])].map((each) => each.vpcId),
        );
      this.#isChanged = true;
    }
  }
}

function isIn({ ports, shares }: Own): boolean {
  return ports > 0 || shares.size > 0;
}
