import { type Delta, difference, gatewayGoal } from '@alcor/compiler';
import { gatewayOf, isGateway, type Node, type NodeId } from '@alcor/network';

/**
 * Which gateway host has which VPC, of those that are told on demand. The same rows give the same shares in every process; a gateway that
 * comes or goes moves only what it gets or had.
 */
export class GatewayShares {
  readonly #gateways = new Map<NodeId, Node>();
  readonly #vpcs = new Map<string, Node | undefined>();
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
    for (const [vpcId, held] of this.#vpcs) {
      // Who had the VPC has it still, unless it was this one; this one may want it more.
      const rivals = held === undefined || held === before ? ids : [held.id, ...(this.#gateways.has(id) ? [id] : [])];
      const best = gatewayOf(vpcId, rivals);
      this.#move(vpcId, best === undefined ? undefined : this.#gateways.get(best), revision);
    }
  }

  /** The VPC is told on demand from now on, or not any more. */
  setVpc(vpcId: string, isOnDemand: boolean): void {
    if (isOnDemand === this.#vpcs.has(vpcId)) return;
    if (isOnDemand) this.#vpcs.set(vpcId, undefined);
    const best = isOnDemand ? gatewayOf(vpcId, this.#gateways.keys()) : undefined;
    this.#move(vpcId, best === undefined ? undefined : this.#gateways.get(best), 0);
    if (!isOnDemand) this.#vpcs.delete(vpcId);
  }

  #move(vpcId: string, to: Node | undefined, revision: number): void {
    const from = this.#vpcs.get(vpcId);
    if (from === to) return;
    this.#vpcs.set(vpcId, to);
    const meaning = (node: Node | undefined): Parameters<typeof difference>[0] => {
      if (node === undefined) return [];
      const goal = gatewayGoal(vpcId, node);
      return [
        { audience: `host/${node.id}`, goal },
        { audience: `vpc/${vpcId}`, goal },
      ];
    };
    const isOver = from !== undefined && !this.#gateways.has(from.id);
    const until = isOver ? Math.max(revision, from.revision) : (from?.revision ?? 0);
    for (const delta of difference(meaning(from), meaning(to), until)) this.#publish(delta);
  }
}
