import { type Delta, difference, gatewayGoal } from '@alcor/compiler';
import { gatewayOf, isGateway, type Node, type NodeId } from '@alcor/network';

interface Vpc {
  /** That of the row which says how it is told. */
  readonly revision: number;
  readonly held: Node | undefined;
}

/**
 * Which gateway host has which VPC, of those that are told on demand. The same rows give the same shares in every process; a gateway that
 * comes or goes moves only what it gets or had. Who has a VPC follows from two rows that change: so the sum of their revisions is the goal's.
 */
export class GatewayShares {
  readonly #gateways = new Map<NodeId, Node>();
  readonly #vpcs = new Map<string, Vpc>();
  readonly #publish: (delta: Delta) => void;

  /** `publish` is given what is to be told to the hosts of a VPC, and to a gateway host (`host/ID`) of its share. */
  constructor(publish: (delta: Delta) => void) {
    this.#publish = publish;
  }

  /** The node as it is now; `revision`: that of its row, or of its end. */
  setNode(id: NodeId, node: Node | undefined, revision: number): void {
    const before = this.#gateways.get(id);
    if (node !== undefined && isGateway(node)) this.#gateways.set(id, node);
    else if (!this.#gateways.delete(id)) return;
    const ids = [...this.#gateways.keys()];
    for (const [vpcId, vpc] of this.#vpcs) {
      const { held } = vpc;
      // Who had the VPC has it still, unless it was this one; this one may want it more.
      const rivals = held === undefined || held === before ? ids : [held.id, ...(this.#gateways.has(id) ? [id] : [])];
      this.#move(vpcId, vpc, { ...vpc, held: this.#best(vpcId, rivals) }, revision);
    }
  }

  /** The VPC is told on demand from now on, or not any more; `revision`: that of the row which says so. */
  setVpc(vpcId: string, isOnDemand: boolean, revision: number): void {
    const before = this.#vpcs.get(vpcId);
    const held = isOnDemand ? (before?.held ?? this.#best(vpcId, this.#gateways.keys())) : undefined;
    this.#move(vpcId, before, { revision, held }, 0);
    if (!isOnDemand) this.#vpcs.delete(vpcId);
  }

  #best(vpcId: string, among: Iterable<NodeId>): Node | undefined {
    const best = gatewayOf(vpcId, among);
    return best === undefined ? undefined : this.#gateways.get(best);
  }

  /** `nodeRevision`: of the node that has changed, where the VPC was its. */
  #move(vpcId: string, from: Vpc | undefined, to: Vpc, nodeRevision: number): void {
    this.#vpcs.set(vpcId, to);
    const last = from?.held;
    if (last === to.held) return;
    const isOver = last !== undefined && !this.#gateways.has(last.id);
    const until = to.revision + (isOver ? Math.max(nodeRevision, last.revision) : (last?.revision ?? 0));
    for (const delta of difference(meaningOf(vpcId, from), meaningOf(vpcId, to), until)) this.#publish(delta);
  }
}

function meaningOf(vpcId: string, vpc: Vpc | undefined): Parameters<typeof difference>[0] {
  if (vpc?.held === undefined) return [];
  const goal = gatewayGoal(vpcId, vpc.held, vpc.revision + vpc.held.revision);
  return [
    { audience: `host/${vpc.held.id}`, goal },
    { audience: `vpc/${vpcId}`, goal },
  ];
}
