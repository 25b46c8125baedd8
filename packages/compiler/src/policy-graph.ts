import type { Change, Network, NetworkId, Port, QosPolicyId, RuledQosPolicy } from '@alcor/network';
import { type Delta, difference, type Meaning } from './delta.ts';
import { qosPolicyGoal } from './policy-goal.ts';
import { Table, type Work } from './table.ts';
import { Usage } from './usage.ts';

/**
 * Which VPCs must know of which QoS policies: those that name one themselves or have a bound port that does. So a change of a policy
 * costs the VPCs in which it is used, however many ports of them have it.
 */
export class PolicyGraph {
  readonly policies: Table<QosPolicyId, RuledQosPolicy>;
  readonly #uses = new Usage<QosPolicyId, NetworkId>();

  constructor(work: Work) {
    this.policies = new Table(work);
  }

  /** A port has another policy, is on a host or on none, or gone. */
  replacePort(before: Port | undefined, after: Port | undefined): Delta[] {
    return this.#replace(useOfPort(before), useOfPort(after));
  }

  replaceNetwork(before: Network | undefined, after: Network | undefined): Delta[] {
    return this.#replace(useOfNetwork(before), useOfNetwork(after));
  }

  apply(change: Extract<Change, { kind: 'qos-policy' }>): Delta[] {
    const replaced = this.policies.take(change);
    if (replaced === undefined) return [];
    const { before, after } = replaced;
    return [...this.#uses.places(change.id)].flatMap((vpcId) =>
      difference(meaning(before, vpcId), meaning(after, vpcId), change.revision),
    );
  }

  /** Counted in before out, so that a policy that stays in use does not go in between. */
  #replace(before: readonly Use[], after: readonly Use[]): Delta[] {
    return [...after.flatMap((use) => this.#enter(use)), ...before.flatMap((use) => this.#leave(use))];
  }

  #enter({ id, vpcId }: Use): Delta[] {
    return this.#uses.add(id, vpcId) > 1 ? [] : difference([], meaning(this.policies.get(id), vpcId), 0);
  }

  #leave({ id, vpcId }: Use): Delta[] {
    if (this.#uses.remove(id, vpcId) > 0) return [];
    const policy = this.policies.get(id);
    return difference(meaning(policy, vpcId), [], policy?.revision ?? 0);
  }
}

interface Use {
  readonly id: QosPolicyId;
  readonly vpcId: NetworkId;
}

function useOfNetwork(network: Network | undefined): readonly Use[] {
  return network === undefined ? [] : named(network.qosPolicyId, network.id);
}

function useOfPort(port: Port | undefined): readonly Use[] {
  return port === undefined || port.hostId === null ? [] : named(port.qosPolicyId, port.networkId);
}

function named(id: QosPolicyId | null, vpcId: NetworkId): readonly Use[] {
  return id === null ? [] : [{ id, vpcId }];
}

function meaning(policy: RuledQosPolicy | undefined, vpcId: NetworkId): Meaning {
  return policy === undefined ? [] : [{ audience: `vpc/${vpcId}`, goal: qosPolicyGoal(policy, vpcId) }];
}
