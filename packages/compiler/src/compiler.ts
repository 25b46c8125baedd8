import type {
  Change,
  FloatingIpId,
  ForwardedFloatingIp,
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
import { isGateway } from '@alcor/network';
import { networkAclGoal, networksJudgedBy } from './acl-goal.ts';
import { type Delta, difference, inOrder, type Meaning } from './delta.ts';
import { neighborGoal, portGoal, subnetGoal, vpcGoal } from './goals.ts';
import { GroupGraph } from './group-graph.ts';
import { PolicyGraph } from './policy-graph.ts';
import type { Intent } from './recompute.ts';
import { floatingIpMeaning, OutwardIndex, type OutwardRows, routerMeaning } from './outward.ts';
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
  readonly #floatingIps = new Table<FloatingIpId, ForwardedFloatingIp>(this.#work);
  readonly #outward = new OutwardIndex();
  readonly #outwardRows: OutwardRows = {
    network: (id) => this.#networks.rows.get(id),
    port: (id) => this.#ports.rows.get(id),
    node: (id) => this.#nodes.rows.get(id),
    router: (id) => this.#routers.rows.get(id),
    policy: (id) => this.#policies.policies.rows.get(id),
    gateways: () => {
      const { gateways } = this.#outward;
      this.#work.rowsRead += gateways.size;
      return gateways.values();
    },
  };
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
      floatingIps: this.#floatingIps.rows.values(),
    };
  }

  /** Whether no row is known, so that none can be missing. */
  get isEmpty(): boolean {
    return this.#work.changes === 0;
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
  apply(change: Change): readonly Delta[] {
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
      ...gone('floating-ip', this.#floatingIps),
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
        return this.#applyRouter(change);
      case 'floating-ip':
        return this.#applyFloatingIp(change);
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
        return this.#applyPolicy(change);
      case 'channel':
      case 'lease':
        // How goals travel, and by whom, changes nothing in what they say.
        return [];
    }
  }

  #applyNetwork(change: Extract<Change, { kind: 'network' }>): Delta[] {
    const deltas: Delta[] = [];
    const around = this.#around({ routers: this.#outward.routersOut.of(change.id) }, null, () => {
      const replaced = this.#networks.take(change);
      if (replaced === undefined) return;
      this.#outward.replaceNetwork(replaced.before, replaced.after);
      deltas.push(
        ...this.#policies.replaceNetwork(replaced.before, replaced.after),
        ...changed(replaced, vpcMeaning, change.revision),
      );
    });
    return [...deltas, ...around];
  }

  #applyPolicy(change: Extract<Change, { kind: 'qos-policy' }>): Delta[] {
    const deltas: Delta[] = [];
    const around = this.#around(this.#outward.usersOf(change.id), null, () => {
      deltas.push(...this.#policies.apply(change));
    });
    return [...deltas, ...around];
  }

  #applyRouter(change: Extract<Change, { kind: 'router' }>): Delta[] {
    const { rows } = this.#routers;
    return this.#around({ routers: [change.id] }, change.revision, () => {
      const replaced = this.#routers.take(change);
      if (replaced !== undefined) this.#outward.replaceRouter(replaced.before, rows.get(change.id));
    });
  }

  #applyFloatingIp(change: Extract<Change, { kind: 'floating-ip' }>): Delta[] {
    const replaced = this.#floatingIps.take(change);
    if (replaced === undefined) return [];
    this.#outward.replaceFloatingIp(replaced.before, replaced.after);
    return changed(replaced, (row) => floatingIpMeaning(row, this.#outwardRows), change.revision);
  }

  /** What routers, and the floating IPs on them and on ports, mean otherwise once `change` is done; what is gone goes with `revision`. */
  #around(concerned: Concerned, revision: number | null, change: () => void): Delta[] {
    const routers = concerned.routers ?? [];
    const floating = new Set(concerned.floating);
    for (const id of routers) for (const each of this.#outward.floatingOnRouter.of(id)) floating.add(each);
    for (const id of concerned.ports ?? []) for (const each of this.#outward.floatingOnPort.of(id)) floating.add(each);
    this.#work.rowsRead += routers.length + floating.size;
    if (routers.length + floating.size === 0) {
      change();
      return [];
    }
    const look = () => ({
      routers: routers.map((id) =>
        meaningOf(this.#routers.rows.get(id), (row) => routerMeaning(row, this.#outwardRows)),
      ),
      floating: [...floating].map((id) =>
        meaningOf(this.#floatingIps.rows.get(id), (row) => floatingIpMeaning(row, this.#outwardRows)),
      ),
    });
    const before = look();
    change();
    const after = look();
    const old = (row: { readonly revision: number } | undefined): number => revision ?? row?.revision ?? 0;
    return [
      ...routers.flatMap((id, at) =>
        difference(before.routers[at]!, after.routers[at]!, old(this.#routers.rows.get(id))),
      ),
      ...[...floating].flatMap((id, at) =>
        difference(before.floating[at]!, after.floating[at]!, this.#floatingIps.rows.get(id)?.revision ?? 0),
      ),
    ];
  }

  #applyPort(change: Extract<Change, { kind: 'port' }>): Delta[] {
    const deltas: Delta[] = [];
    const around = this.#around({ ports: [change.id] }, null, () => {
      const replaced = this.#ports.take(change);
      if (replaced === undefined) return;
      const { before, after } = replaced;
      this.#rebind(change.id, before?.hostId ?? null, after?.hostId ?? null);
      deltas.push(
        ...this.#policies.replacePort(before, after),
        ...changed(replaced, (port) => this.#portMeaning(port), change.revision),
        ...this.#groups.replacePort(before, after),
      );
    });
    return [...deltas, ...around];
  }

  #applyNode(change: Extract<Change, { kind: 'node' }>): Delta[] {
    const bound = [...(this.#portsOf.get(change.id) ?? [])];
    const held = this.#nodes.rows.get(change.id);
    const moves = held?.ip !== change.row?.ip;
    const ports = moves ? bound.map((id) => this.#ports.rows.get(id)!) : [];
    const concerned = {
      routers: leads(held, change.row) ? this.#outward.routersOut.all() : [],
      ports: reachesElse(held, change.row) ? bound : [],
    };
    const before = ports.map((port) => this.#portMeaning(port));
    const around = this.#around(concerned, null, () => {
      const replaced = this.#nodes.take(change);
      if (replaced !== undefined) this.#outward.setNode(change.id, replaced.after);
    });
    this.#work.rowsRead += ports.length;
    const neighbors = ports.flatMap((port, at) => difference(before[at]!, this.#portMeaning(port), port.revision));
    return [...neighbors, ...around];
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

/** Rows whose meaning a change of another may make another one. */
interface Concerned {
  readonly routers?: readonly RouterId[];
  readonly ports?: readonly PortId[];
  readonly floating?: readonly FloatingIpId[];
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

function meaningOf<Row>(row: Row | undefined, mean: (row: Row) => Meaning): Meaning {
  return row === undefined ? [] : mean(row);
}

/** Whether another host may have routers' gateways once the node is what it will be. */
function leads(before: Node | undefined, after: Node | null): boolean {
  const [was, is] = [before !== undefined && isGateway(before), after !== null && isGateway(after)];
  return (was || is) && (was !== is || before?.ip !== after?.ip || reachesElse(before, after));
}

/** Whether the node has other physical networks than before. */
function reachesElse(before: Node | undefined, after: Node | null): boolean {
  if (before === undefined || after === null) return true;
  return JSON.stringify(before.bridgeMappings ?? {}) !== JSON.stringify(after.bridgeMappings ?? {});
}
