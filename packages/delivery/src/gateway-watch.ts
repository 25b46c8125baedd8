import type { GatewayStore, Lease, Node, NodeId } from '@alcor/network';
import type { Clock, Topic } from '@alcor/runtime';

export interface GatewayWatchOptions {
  /** Every registered node. */
  readonly nodes: Topic<Node>;
  /** The right of this process to speak to the node; undefined: another one has it. */
  readonly leaseOf: (nodeId: NodeId) => Lease | undefined;
  /** Whether the node answers; undefined: that is not known yet. */
  readonly answers: (nodeId: NodeId) => boolean | undefined;
  readonly store: GatewayStore;
  readonly clock: Clock;
  readonly log: (message: string, error?: unknown) => void;
}

const lookMs = 500;
/** For so long a gateway may be silent: an agent is started anew in less. */
const silentAtMostMs = 5_000;
/** One that was lost has its share again when it has answered for so long: each move ends the connections that are translated there. */
const steadyMs = 10_000;

/**
 * Says of the gateways that this process speaks to whether they answer, so that others have the share of one that does not. Packets may still
 * go by it meanwhile, if it is only its agent that is gone. When there is no controller, nothing is said and nothing moves.
 */
export class GatewayWatch {
  readonly #options: GatewayWatchOptions;
  readonly #gateways = new Set<NodeId>();
  /** Since when each has not answered, on the clock. */
  readonly #silentSince = new Map<NodeId, number>();
  readonly #answeringSince = new Map<NodeId, number>();

  constructor(options: GatewayWatchOptions) {
    this.#options = options;
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { nodes, clock } = this.#options;
    const subscription = nodes.subscribe(() => undefined);
    while (!signal.aborted) {
      for (const { value, removed } of nodes.take(subscription, Number.POSITIVE_INFINITY)) {
        if (!removed && value.gateway === true) this.#gateways.add(value.id);
        else this.#gateways.delete(value.id);
      }
      for (const id of this.#gateways) await this.#look(id);
      await clock.sleep(lookMs, signal).catch(() => undefined);
    }
    subscription.close();
  }

  async #look(id: NodeId): Promise<void> {
    const { nodes, leaseOf, answers, store, clock, log } = this.#options;
    const lease = leaseOf(id);
    const isThere = answers(id);
    if (isThere === undefined) return;
    const [now, before] = isThere
      ? [this.#answeringSince, this.#silentSince]
      : [this.#silentSince, this.#answeringSince];
    before.delete(id);
    const since = now.get(id) ?? clock.now();
    now.set(id, since);
    const isLost = !isThere;
    const known = nodes.get(id);
    if (lease === undefined || known === undefined || isLost === (known.lost === true)) return;
    // Until then nothing is said: it may be back in a moment, or gone again.
    if (clock.now() - since < (isLost ? silentAtMostMs : steadyMs)) return;
    try {
      await store.setGatewayLost(id, isLost, lease);
      log(`gateway ${id} ${isLost ? 'does not answer: others have its share' : 'answers again'}`);
    } catch (error) {
      log(`cannot say whether gateway ${id} answers`, error);
    }
  }
}
