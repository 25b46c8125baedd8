import type {
  Change,
  Network,
  NetworkAclId,
  NetworkId,
  Node,
  NodeId,
  Port,
  PortId,
  Router,
  RouterId,
  RuledNetworkAcl,
  Subnet,
  SubnetId,
} from '@alcor/network';
import { networkAclGoal, networksJudgedBy } from './acl-goal.ts';
import { type Delta, difference, inOrder, type Meaning } from './delta.ts';
import { neighborGoal, portGoal, subnetGoal, vpcGoal } from './goals.ts';
import { GroupGraph } from './group-graph.ts';
import { PolicyGraph } from './policy-graph.ts';
import type { Intent } from './recompute.ts';
import { networksOf, routerGoal } from './router-goal.ts';
import { type Replaced, Table, type Work } from './table.ts';
import type { VpcSize } from './vpc-sizes.ts';

/**
 * Turns changes of intent into what must be told to whom, at a cost that follows the change:
 * a port costs its own row, a node costs the ports that are bound to it, a group the VPCs in which it is used.
 *
 * The rules of a node in a calculation graph hold: what is told depends on the rows that are there now, never on how they came;
 * a row that refers to a missing one means what it can mean without it; a change that changes nothing tells nothing.
 */
export class Compiler {
  readonly #work: Work = { changes: 0, stale: 0, rowsRead: 0, deltas: 0 };
  readonly #networks = new Table<NetworkId, Network>(this.#work);
  readonly #subnets = new Table<SubnetId, Subnet>(this.#work);
  readonly #ports = new Table<PortId, Port>(this.#work);
  readonly #nodes = new Table<NodeId, Node>(this.#work);
  readonly #routers = new Table<RouterId, Router>(this.#work);
  readonly #acls = new Table<NetworkAclId, RuledNetworkAcl>(this.#work);
  readonly #groups = new GroupGraph(this.#work);
  readonly #policies = new PolicyGraph(this.#work);
  /** Ports bound to a node, whether or not the node is known. */
  readonly #portsOf = new Map<NodeId, Set<PortId>>();

  /** For metrics and for tests that guard the cost. */
  get counters(): Readonly<Work> {
    return this.#work;
  }

  /** The rows as they stand. */
  get intent(): Intent {
    return {
      networks: this.#networks.rows.values(),
      subnets: this.#subnets.rows.values(),
      ports: this.#ports.rows.values(),
      nodes: this.#nodes.rows.values(),
      routers: this.#routers.rows.values(),
      securityGroups: this.#groups.securityGroups.rows.values(),
      addressGroups: this.#groups.addressGroups.rows.values(),
      networkAcls: this.#acls.rows.values(),
      qosPolicies: this.#policies.policies.rows.values(),
    };
  }

  /** Nodes that are registered. */
  get nodes(): ReadonlyMap<NodeId, Node> {
    return this.#nodes.rows;
  }

  /** How large the VPC is; costs the same for one of any size. */
  sizeOf(vpcId: string): VpcSize {
    return this.#groups.sizeOf(vpcId as NetworkId);
  }

  /** Takes one change in; a change that is not newer than what is known means nothing. */
  apply(change: Change): Delta[] {
    this.#work.changes++;
    const deltas = inOrder(this.#applyKind(change));
    this.#work.deltas += deltas.length;
    return deltas;
  }

  /** The changes that remove what is known and not in `present`: after a new snapshot, what went while nobody looked. */
  missing(present: ReadonlySet<string>): Change[] {
    const gone = <K extends Change['kind'], Row extends { id: string; revision: number }>(
      kind: K,
      { rows }: { readonly rows: ReadonlyMap<string, Row> },
    ): Change[] =>
      [...rows.values()]
        .filter((row) => !present.has(`${kind}/${row.id}`))
        .map((row) => ({ kind, id: row.id, revision: row.revision + 1, row: null }) as unknown as Change);
    return [
      ...gone('router', this.#routers),
      ...gone('port', this.#ports),
      ...gone('network-acl', this.#acls),
      ...gone('subnet', this.#subnets),
      ...gone('security-group', this.#groups.securityGroups),
      ...gone('address-group', this.#groups.addressGroups),
      ...gone('network', this.#networks),
      ...gone('qos-policy', this.#policies.policies),
      ...gone('node', this.#nodes),
    ];
  }

  #applyKind(change: Change): Delta[] {
    const { revision } = change;
    switch (change.kind) {
      case 'network':
        return this.#applyNetwork(change);
      case 'subnet':
        return changed(this.#subnets.take(change), subnetMeaning, revision);
      case 'router':
        return changed(this.#routers.take(change), routerMeaning, revision);
      case 'network-acl':
        return changed(this.#acls.take(change), aclMeaning, revision);
      case 'port':
        return this.#applyPort(change);
      case 'node':
        return this.#applyNode(change);
      case 'security-group':
        return this.#groups.applySecurityGroup(change);
      case 'address-group':
        return this.#groups.applyAddressGroup(change);
      case 'qos-policy':
        return this.#policies.apply(change);
      case 'channel':
      case 'lease':
        // How goals travel, and by whom, changes nothing in what they say.
        return [];
    }
  }

  #applyNetwork(change: Extract<Change, { kind: 'network' }>): Delta[] {
    const replaced = this.#networks.take(change);
    if (replaced === undefined) return [];
    return [
      ...this.#policies.replaceNetwork(replaced.before, replaced.after),
      ...changed(replaced, vpcMeaning, change.revision),
    ];
  }

  #applyPort(change: Extract<Change, { kind: 'port' }>): Delta[] {
    const replaced = this.#ports.take(change);
    if (replaced === undefined) return [];
    const { before, after } = replaced;
    this.#rebind(change.id, before?.hostId ?? null, after?.hostId ?? null);
    return [
      ...this.#policies.replacePort(before, after),
      ...changed(replaced, (port) => this.#portMeaning(port), change.revision),
      ...this.#groups.replacePort(before, after),
    ];
  }

  #applyNode(change: Extract<Change, { kind: 'node' }>): Delta[] {
    const bound = [...(this.#portsOf.get(change.id) ?? [])].map((id) => this.#ports.rows.get(id)!);
    const before = bound.map((port) => this.#portMeaning(port));
    const replaced = this.#nodes.take(change);
    if (replaced === undefined || replaced.before?.ip === replaced.after?.ip) return [];
    this.#work.rowsRead += bound.length;
    return bound.flatMap((port, index) => difference(before[index]!, this.#portMeaning(port), port.revision));
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

  #portMeaning(port: Port): Meaning {
    if (port.hostId === null) return [];
    const own = { audience: `host/${port.hostId}`, goal: portGoal(port) } as const;
    const node = this.#nodes.rows.get(port.hostId);
    if (node === undefined) return [own];
    return [own, { audience: `vpc/${port.networkId}`, goal: neighborGoal(port, node) }];
  }
}

/** What the change of a row means, by what the row means. */
function changed<Row>(replaced: Replaced<Row> | undefined, mean: (row: Row) => Meaning, revision: number): Delta[] {
  if (replaced === undefined) return [];
  const { before, after } = replaced;
  return difference(before === undefined ? [] : mean(before), after === undefined ? [] : mean(after), revision);
}

function vpcMeaning(network: Network): Meaning {
  return [{ audience: `vpc/${network.id}`, goal: vpcGoal(network) }];
}

function subnetMeaning(subnet: Subnet): Meaning {
  return [{ audience: `vpc/${subnet.networkId}`, goal: subnetGoal(subnet) }];
}

function aclMeaning(acl: RuledNetworkAcl): Meaning {
  return networksJudgedBy(acl).map((vpcId) => ({ audience: `vpc/${vpcId}`, goal: networkAclGoal(acl, vpcId) }));
}

function routerMeaning(router: Router): Meaning {
  return networksOf(router).map((vpcId) => ({ audience: `vpc/${vpcId}`, goal: routerGoal(router, vpcId) }));
}
