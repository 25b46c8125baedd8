import { type Goal, goalKey } from '@alcor/contract';
import type { Change, Network, NetworkId, Node, NodeId, Port, PortId, Subnet, SubnetId } from '@alcor/network';
import { type Audience, goneGoal, neighborGoal, portGoal, subnetGoal, vpcGoal } from './goals.ts';
import type { Intent } from './recompute.ts';

/** One thing that an audience must be told. */
export interface Delta {
  readonly audience: Audience;
  readonly goal: Goal;
  readonly removed: boolean;
}

/** What one row means, by audience; at most one host and one VPC. */
type Meaning = readonly { readonly audience: Audience; readonly goal: Goal }[];

/**
 * Turns changes of intent into what must be told to whom, at a cost that follows the change:
 * a port costs its own row, a node costs the ports that are bound to it.
 *
 * The rules of a node in a calculation graph hold: what is told depends on the rows that are there now, never on how they came;
 * a row that refers to a missing one means what it can mean without it; a change that changes nothing tells nothing.
 */
export class Compiler {
  readonly #networks = new Map<NetworkId, Network>();
  readonly #subnets = new Map<SubnetId, Subnet>();
  readonly #ports = new Map<PortId, Port>();
  readonly #nodes = new Map<NodeId, Node>();
  /** Ports bound to a node, whether or not the node is known. */
  readonly #portsOf = new Map<NodeId, Set<PortId>>();
  readonly #portsIn = new Map<NetworkId, number>();
  readonly #counters = { changes: 0, stale: 0, rowsRead: 0, deltas: 0 };

  /** Work done so far, for metrics and for tests that guard the cost. */
  get counters(): Readonly<{ changes: number; stale: number; rowsRead: number; deltas: number }> {
    return this.#counters;
  }

  /** What decides how the goals of a VPC travel. Costs nothing that grows with it. */
  sizeOf(vpcId: string): { readonly ports: number; readonly largestGroup: number } {
    return { ports: this.#portsIn.get(vpcId as NetworkId) ?? 0, largestGroup: 0 };
  }

  /** The rows as they stand. */
  get intent(): Intent {
    return {
      networks: this.#networks.values(),
      subnets: this.#subnets.values(),
      ports: this.#ports.values(),
      nodes: this.#nodes.values(),
    };
  }

  /** Nodes that are registered. */
  get nodes(): ReadonlyMap<NodeId, Node> {
    return this.#nodes;
  }

  /** Takes one change in; a change that is not newer than what is known means nothing. */
  apply(change: Change): Delta[] {
    this.#counters.changes++;
    const deltas = this.#applyKind(change);
    this.#counters.deltas += deltas.length;
    return deltas;
  }

  /** The changes that remove what is known and not in `present`: after a new snapshot, what went while nobody looked. */
  missing(present: ReadonlySet<string>): Change[] {
    const gone = <K extends Change['kind'], Row extends { id: string; revision: number }>(
      kind: K,
      rows: ReadonlyMap<string, Row>,
    ): Change[] =>
      [...rows.values()]
        .filter((row) => !present.has(`${kind}/${row.id}`))
        .map((row) => ({ kind, id: row.id, revision: row.revision + 1, row: null }) as unknown as Change);
    return [
      ...gone('port', this.#ports),
      ...gone('subnet', this.#subnets),
      ...gone('network', this.#networks),
      ...gone('node', this.#nodes),
    ];
  }

  #applyKind(change: Change): Delta[] {
    switch (change.kind) {
      case 'network': {
        const { before, after } = this.#replace(this.#networks, change);
        return difference(this.#vpcMeaning(before), this.#vpcMeaning(after), change.revision);
      }
      case 'subnet': {
        const { before, after } = this.#replace(this.#subnets, change);
        return difference(this.#subnetMeaning(before), this.#subnetMeaning(after), change.revision);
      }
      case 'port': {
        const { before, after } = this.#replace(this.#ports, change);
        const meant = this.#portMeaning(before);
        this.#rebind(change.id, before?.hostId ?? null, after?.hostId ?? null);
        if (before !== after) this.#count(before, -1);
        if (before !== after) this.#count(after, 1);
        return difference(meant, this.#portMeaning(after), change.revision);
      }
      case 'node':
        return this.#applyNode(change);
      case 'channel':
      case 'lease':
        // How goals travel, and by whom, changes nothing in what they say.
        return [];
      case 'address-group':
      case 'security-group':
      case 'router':
        return [];
    }
  }

  #applyNode(change: Extract<Change, { kind: 'node' }>): Delta[] {
    const bound = [...(this.#portsOf.get(change.id) ?? [])].map((id) => this.#ports.get(id)!);
    const before = bound.map((port) => this.#portMeaning(port));
    const { before: old, after } = this.#replace(this.#nodes, change);
    if (old?.ip === after?.ip) return [];
    this.#counters.rowsRead += bound.length;
    return bound.flatMap((port, index) => difference(before[index]!, this.#portMeaning(port), port.revision));
  }

  #replace<Id extends string, Row extends { readonly revision: number }>(
    rows: Map<Id, Row>,
    change: { readonly id: Id; readonly revision: number; readonly row: Row | null },
  ): { before: Row | undefined; after: Row | undefined } {
    const before = rows.get(change.id);
    this.#counters.rowsRead++;
    if (before !== undefined && change.revision <= before.revision) {
      this.#counters.stale++;
      return { before, after: before };
    }
    if (change.row === null) rows.delete(change.id);
    else rows.set(change.id, change.row);
    return { before, after: change.row ?? undefined };
  }

  #count(port: Port | undefined, by: number): void {
    if (port === undefined) return;
    const ports = (this.#portsIn.get(port.networkId) ?? 0) + by;
    if (ports > 0) this.#portsIn.set(port.networkId, ports);
    else this.#portsIn.delete(port.networkId);
  }

  #rebind(id: PortId, before: NodeId | null, after: NodeId | null): void {
    if (before === after) return;
    if (before !== null) {
      const ports = this.#portsOf.get(before);
      ports?.delete(id);
      if (ports?.size === 0) this.#portsOf.delete(before);
    }
    if (after !== null) {
      const ports = this.#portsOf.get(after) ?? new Set();
      this.#portsOf.set(after, ports.add(id));
    }
  }

  #vpcMeaning(network: Network | undefined): Meaning {
    return network === undefined ? [] : [{ audience: `vpc/${network.id}`, goal: vpcGoal(network) }];
  }

  #subnetMeaning(subnet: Subnet | undefined): Meaning {
    return subnet === undefined ? [] : [{ audience: `vpc/${subnet.networkId}`, goal: subnetGoal(subnet) }];
  }

  #portMeaning(port: Port | undefined): Meaning {
    if (port === undefined || port.hostId === null) return [];
    const own = { audience: `host/${port.hostId}`, goal: portGoal(port) } as const;
    const node = this.#nodes.get(port.hostId);
    if (node === undefined) return [own];
    return [own, { audience: `vpc/${port.networkId}`, goal: neighborGoal(port, node) }];
  }
}

/** What must be told so that audiences that know `before` know `after`. New places are told before old ones are cleared. */
function difference(before: Meaning, after: Meaning, revision: number): Delta[] {
  const place = ({ audience, goal }: Meaning[number]): string => `${audience} ${goalKey(goal)}`;
  const known = new Map(before.map((each) => [place(each), each]));
  const put = after
    .filter((each) => !sameButRevision(known.get(place(each))?.goal, each.goal))
    .map(({ audience, goal }) => ({ audience, goal, removed: false }));
  const kept = new Set(after.map(place));
  const removed = before
    .filter((each) => !kept.has(place(each)))
    .map(({ audience, goal }) => ({ audience, goal: goneGoal(goal, revision), removed: true }));
  return [...put, ...removed];
}

/** A neighbour whose port was only renamed is the same neighbour: its VPC need not hear of it. */
function sameButRevision(a: Goal | undefined, b: Goal): boolean {
  if (a === undefined) return false;
  return JSON.stringify({ ...a.state, revisionNumber: 0 }) === JSON.stringify({ ...b.state, revisionNumber: 0 });
}
