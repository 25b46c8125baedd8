import {
  type Goal,
  goalKey,
  goalVpc,
  type NeighborConfiguration,
  OperationStatus,
  type PortConfiguration,
  type StatedGoal,
  type SubnetConfiguration,
  type VpcConfiguration,
} from '@alcor/contract';
import type { LocalPort, Neighbor } from './dataplane/index.ts';

/** What the held state drives: the data plane, as far as it concerns goals. */
export interface GoalSink {
  setPort(port: LocalPort): void;
  removePort(id: string): void;
  setNeighbor(neighbor: Neighbor): void;
  removeNeighbor(id: string): void;
}

/** What became of a goal that the data plane was not asked about. */
export interface Verdict {
  readonly goal: Goal;
  readonly removed: boolean;
  readonly status: OperationStatus;
  readonly reason: string;
}

interface Held<T> {
  readonly state: T;
  /** The stream that named it last. */
  readonly stream: number;
}

interface Vpc {
  own: Held<VpcConfiguration> | undefined;
  readonly subnets: Map<string, Held<SubnetConfiguration>>;
  readonly ports: Map<string, Held<PortConfiguration>>;
  readonly neighbors: Map<string, Held<NeighborConfiguration>>;
  /** Groups and routers, by kind and id. */
  readonly others: Map<string, Held<Goal['state']>>;
}

const empty = (): Vpc => ({
  own: undefined,
  subnets: new Map(),
  ports: new Map(),
  neighbors: new Map(),
  others: new Map(),
});

/**
 * The goal state that this host holds, by VPC. A VPC is held while a port of it is bound here and forgotten with its last port,
 * neighbours and all; the config manager counts alike and tells the VPC again, whole, when a port comes back.
 *
 * What is programmed depends on what is held now, never on the order in which it came.
 */
export class HeldState {
  readonly #sink: GoalSink;
  readonly #observe: (goal: StatedGoal) => void;
  readonly #vpcs = new Map<string, Vpc>();
  readonly #vpcOfPort = new Map<string, string>();
  #stream = 0;

  constructor(sink: GoalSink, observe: (goal: StatedGoal) => void = () => undefined) {
    this.#sink = sink;
    this.#observe = observe;
  }

  /** Goals from now on come from a new stream, which will say everything again. */
  beginStream(): void {
    this.#stream++;
  }

  /** The stream has said everything: what it did not name is no longer wanted. */
  completeStream(): void {
    for (const [vpcId, vpc] of this.#vpcs) {
      for (const kind of ['ports', 'neighbors', 'subnets', 'others'] as const) {
        for (const [id, { stream }] of vpc[kind]) if (stream !== this.#stream) this.#forget(vpc, kind, id);
      }
      this.#leaveUnlessNeeded(vpcId);
    }
  }

  /** Takes a whole message in; answers for the goals that were not taken. */
  apply(goals: readonly StatedGoal[]): Verdict[] {
    const verdicts: Verdict[] = [];
    const touched = new Set<string>();
    for (const { goal, removed } of goals) {
      touched.add(goalVpc(goal));
      const newer = this.#newerThan(goal);
      if (newer === undefined) {
        this.#observe({ goal, removed });
        this.#take(goal, removed);
      } else {
        const reason = `revision ${newer} is held`;
        verdicts.push({ goal, removed, status: OperationStatus.OUT_OF_ORDER, reason });
      }
    }
    for (const vpcId of touched) this.#leaveUnlessNeeded(vpcId);
    return verdicts;
  }

  /** The port of this id, whatever its VPC. */
  findPort(id: string): PortConfiguration | undefined {
    const vpcId = this.#vpcOfPort.get(id);
    return vpcId === undefined ? undefined : this.#vpcs.get(vpcId)?.ports.get(id)?.state;
  }

  /** True when the port is held but its VPC's own state is not, so that nothing can be programmed yet. */
  waitsForVpc(vpcId: string): boolean {
    const vpc = this.#vpcs.get(vpcId);
    return vpc !== undefined && vpc.own === undefined;
  }

  /** For people: how much is held. */
  describe(): { vpcs: number; ports: number; neighbors: number } {
    const vpcs = [...this.#vpcs.values()];
    const sum = (count: (vpc: Vpc) => number): number => vpcs.reduce((total, vpc) => total + count(vpc), 0);
    return { vpcs: vpcs.length, ports: sum((vpc) => vpc.ports.size), neighbors: sum((vpc) => vpc.neighbors.size) };
  }

  #newerThan(goal: Goal): number | undefined {
    const vpc = this.#vpcs.get(goalVpc(goal));
    const held = vpc === undefined ? undefined : find(vpc, goal);
    return held !== undefined && held.state.revisionNumber > goal.state.revisionNumber
      ? held.state.revisionNumber
      : undefined;
  }

  #take(goal: Goal, removed: boolean): void {
    const vpcId = goalVpc(goal);
    const vpc = this.#vpcs.get(vpcId) ?? empty();
    this.#vpcs.set(vpcId, vpc);
    const stream = this.#stream;
    switch (goal.kind) {
      case 'vpc':
        return this.#takeVpc(vpc, removed ? undefined : { state: goal.state, stream });
      case 'subnet':
        if (removed) this.#forget(vpc, 'subnets', goal.state.id);
        else vpc.subnets.set(goal.state.id, { state: goal.state, stream });
        return undefined;
      case 'port':
        if (removed) return this.#forget(vpc, 'ports', goal.state.id);
        vpc.ports.set(goal.state.id, { state: goal.state, stream });
        this.#vpcOfPort.set(goal.state.id, vpcId);
        return this.#programPort(vpc, goal.state);
      case 'neighbor':
        if (removed) return this.#forget(vpc, 'neighbors', goal.state.id);
        vpc.neighbors.set(goal.state.id, { state: goal.state, stream });
        return this.#programNeighbor(vpc, goal.state);
      case 'security-group':
      case 'address-group':
      case 'router':
        if (removed) this.#forget(vpc, 'others', goalKey(goal));
        else vpc.others.set(goalKey(goal), { state: goal.state, stream });
        return undefined;
    }
  }

  #takeVpc(vpc: Vpc, own: Held<VpcConfiguration> | undefined): void {
    const before = vpc.own?.state;
    vpc.own = own;
    if (before?.adminStateDown !== own?.state.adminStateDown || before?.tunnelId !== own?.state.tunnelId) {
      for (const { state } of vpc.ports.values()) this.#programPort(vpc, state);
    }
    if (before?.tunnelId !== own?.state.tunnelId) {
      for (const { state } of vpc.neighbors.values()) this.#programNeighbor(vpc, state);
    }
  }

  #programPort({ own }: Vpc, port: PortConfiguration): void {
    if (own === undefined) return this.#sink.removePort(port.id);
    return this.#sink.setPort({
      id: port.id,
      vpcId: port.vpcId,
      vni: own.state.tunnelId,
      mac: port.macAddress,
      ips: port.fixedIps.map(({ ipAddress }) => ipAddress),
      adminStateUp: port.adminStateUp && !own.state.adminStateDown,
      portSecurityEnabled: !port.portSecurityDisabled,
      revision: port.revisionNumber,
    });
  }

  #programNeighbor({ own }: Vpc, neighbor: NeighborConfiguration): void {
    if (own === undefined) return this.#sink.removeNeighbor(neighbor.id);
    return this.#sink.setNeighbor({
      id: neighbor.id,
      vpcId: neighbor.vpcId,
      vni: own.state.tunnelId,
      mac: neighbor.macAddress,
      ips: neighbor.fixedIps.map(({ ipAddress }) => ipAddress),
      hostIp: neighbor.hostIpAddress,
      revision: neighbor.revisionNumber,
    });
  }

  #forget(vpc: Vpc, kind: 'ports' | 'neighbors' | 'subnets' | 'others', id: string): void {
    if (!vpc[kind].delete(id)) return;
    if (kind === 'ports') {
      this.#vpcOfPort.delete(id);
      this.#sink.removePort(id);
    }
    if (kind === 'neighbors') this.#sink.removeNeighbor(id);
  }

  #leaveUnlessNeeded(vpcId: string): void {
    const vpc = this.#vpcs.get(vpcId);
    if (vpc === undefined || vpc.ports.size > 0) return;
    for (const id of vpc.neighbors.keys()) this.#sink.removeNeighbor(id);
    this.#vpcs.delete(vpcId);
  }
}

function find(vpc: Vpc, goal: Goal): Held<{ revisionNumber: number }> | undefined {
  switch (goal.kind) {
    case 'vpc':
      return vpc.own;
    case 'subnet':
      return vpc.subnets.get(goal.state.id);
    case 'port':
      return vpc.ports.get(goal.state.id);
    case 'neighbor':
      return vpc.neighbors.get(goal.state.id);
    case 'security-group':
    case 'address-group':
    case 'router':
      return vpc.others.get(goalKey(goal));
  }
}
