import { type Goal, goalKey } from '@alcor/contract';
import { Compiler, type Delta } from '@alcor/compiler';
import { type Change, type Feed, FeedGap, type Position } from '@alcor/network';
import type { Bus, Clock, Topic } from '@alcor/runtime';

/** A host that goals can be sent to. */
export interface Host {
  readonly id: string;
  /** Where its agent serves the contract. */
  readonly agentAddress: string;
}

export interface DeliveryOptions {
  readonly feed: Feed;
  /** Where goals are published: topic `vpc/ID` for every host in the VPC, `host/ID` for one host. */
  readonly goals: Bus<Goal>;
  /** Where registered hosts are published, by id. */
  readonly hosts: Topic<Host>;
  readonly clock: Clock;
  readonly log: (message: string, error?: unknown) => void;
}

const firstRetryMs = 100;
const lastRetryMs = 5_000;

/**
 * The data-plane manager: follows the feed, compiles what changed and publishes it. Each change is published once, however many
 * hosts it is for; who reads it is the config manager's business.
 */
export class Delivery {
  readonly compiler = new Compiler();
  /** Resolves when everything that was there at the start has been published. */
  readonly ready: Promise<void>;
  readonly #options: DeliveryOptions;
  readonly #isReady: () => void;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { promise, resolve } = deferred();
    this.ready = promise;
    this.#isReady = resolve;
  }

  /** Runs until `signal` aborts. A feed that fails is tried again; what is published meanwhile stays in force. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, feed, log } = this.#options;
    let position: Position | undefined;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      try {
        position ??= await this.#loadSnapshot(signal);
        this.#isReady();
        for await (const batch of feed.changes(position, signal)) {
          for (const change of batch.changes) this.#take(change);
          position = batch.position;
          retryMs = firstRetryMs;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof FeedGap) position = undefined;
        log(`cannot follow the change feed; trying again in ${retryMs} ms`, error);
        await clock.sleep(retryMs, signal).catch(() => {});
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      }
    }
  }

  async #loadSnapshot(signal: AbortSignal): Promise<Position> {
    const { position, batches } = await this.#options.feed.snapshot(signal);
    const present = new Set<string>();
    for await (const batch of batches) {
      for (const change of batch) {
        present.add(`${change.kind}/${change.id}`);
        this.#take(change);
      }
    }
    for (const change of this.compiler.missing(present)) this.#take(change);
    return position;
  }

  #take(change: Change): void {
    for (const delta of this.compiler.apply(change)) this.#publish(delta);
    if (change.kind === 'node') this.#publishHost(change);
  }

  #publish({ audience, goal, removed }: Delta): void {
    const { goals } = this.#options;
    if (!removed) goals.topic(audience).put(goalKey(goal), goal);
    else if (goals.topics.has(audience)) goals.topic(audience).remove(goalKey(goal), goal);
    // A network is only deleted when nothing is left in it, so nobody reads its topic any more.
    if (removed && goal.kind === 'vpc') goals.drop(audience);
  }

  #publishHost({ id, row }: Extract<Change, { kind: 'node' }>): void {
    const { hosts } = this.#options;
    const known = hosts.get(id);
    if (row === null) hosts.remove(id, { id, agentAddress: '' });
    else if (known?.agentAddress !== row.agentAddress) hosts.put(id, { id, agentAddress: row.agentAddress });
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  const result = { promise: Promise.resolve(), resolve: (): void => undefined };
  result.promise = new Promise((resolve) => (result.resolve = resolve));
  return result;
}
