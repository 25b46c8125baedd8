import type { Goal } from '@alcor/contract';
import { type IntentStore, type NetworkId, type NodeId, refusal } from '@alcor/network';
import { aborted, type Bus, type Clock, type Topic } from '@alcor/runtime';
import { type Batch, follow, readBatch } from './follow.ts';
import type { Revisions } from './revisions.ts';

/** Whose goal states: what every host in a VPC must know, or what one host must besides. */
export type Scope = { readonly kind: 'vpc'; readonly id: string } | { readonly kind: 'host'; readonly id: string };

export interface GoalStatesOptions {
  /** Where they are published: topic `vpc/ID` for every host in the VPC, `host/ID` for one host. */
  readonly goals: Bus<Goal>;
  readonly store: Pick<IntentStore, 'networks' | 'nodes'>;
  /** Resolves when all that there was at the start has been published: before, nothing can be said to be whole. */
  readonly ready: Promise<void>;
  readonly revisions: Revisions;
  readonly clock: Clock;
}

export interface ReadOptions {
  /** A revision that an earlier batch had; empty: from the beginning. */
  readonly from: string;
  readonly limit: number;
}

/** The goal states as clients read them: out of the topics that hosts are served from, with the same promises. */
export class GoalStates {
  readonly #options: GoalStatesOptions;

  constructor(options: GoalStatesOptions) {
    this.#options = options;
  }

  /** The next batch after a revision. Rejects with NetworkNotFound, NodeNotFound, InvalidInput, RevisionGone. */
  async read(scope: Scope, { from, limit }: ReadOptions, signal: AbortSignal): Promise<Batch<Goal>> {
    const topic = await this.#topicOf(scope, signal);
    return readBatch(topic, { revisions: this.#options.revisions, from, limit });
  }

  /** Batch after batch, until `signal` aborts or the VPC is gone. Throws what `read` rejects with. */
  async *watch(scope: Scope, { from, limit }: ReadOptions, signal: AbortSignal): AsyncGenerator<Batch<Goal>, void> {
    const { goals, revisions, clock } = this.#options;
    const topic = await this.#topicOf(scope, signal);
    const isOver = (): boolean => goals.topics.get(nameOf(scope)) !== topic;
    yield* follow(topic, { revisions, clock, from, limit, isOver }, signal);
  }

  /** Checked against the store, so that nobody makes topics for what there is not. */
  async #topicOf(scope: Scope, signal: AbortSignal): Promise<Topic<Goal>> {
    const { store, goals, ready } = this.#options;
    await Promise.race([ready, aborted(signal)]);
    if (signal.aborted) throw refusal('ServiceUnavailable', { reason: 'it is stopping' });
    if (scope.kind === 'vpc') await store.networks.get(scope.id as NetworkId);
    else await store.nodes.get(scope.id as NodeId);
    return goals.topic(nameOf(scope));
  }
}

function nameOf({ kind, id }: Scope): string {
  return `${kind}/${id}`;
}
