import type { Goal, StatedGoal } from '@alcor/contract';
import type { Clock } from '@alcor/runtime';
import type { Item } from './held-vpc.ts';

/** A word on a goal that is not held any more. */
export interface LastWord {
  readonly revision: number;
  /** Generation of the topic's reading that said it; 0: a stream did. */
  readonly topic: number;
  /** What it said; undefined: that the resource is gone. */
  readonly goal: Goal | undefined;
}

/** How far one source may lag behind another, in ms. */
const keptMs = 120_000;
const keptAtMost = 100_000;

/**
 * What was last said of goals that are gone, for as long as a source that lags behind might still speak of their past; bounded,
 * the oldest go first.
 */
export class Remembered {
  readonly #clock: Clock;
  /** In the order in which they were said. */
  readonly #words = new Map<string, LastWord & { readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#words.size;
  }

  get(vpcId: string, goal: string): LastWord | undefined {
    // A host that is told everything asks for each goal: mostly there is nothing to look for.
    return this.#words.size === 0 ? undefined : this.#words.get(keyOf(vpcId, goal));
  }

  set(vpcId: string, goalKey: string, { revision, topic, goal }: LastWord): void {
    const key = keyOf(vpcId, goalKey);
    this.#words.delete(key);
    this.#words.set(key, { revision, topic, goal, until: this.#clock.now() + keptMs });
    for (const [oldest, { until }] of this.#words) {
      if (until > this.#clock.now() && this.#words.size <= keptAtMost) break;
      this.#words.delete(oldest);
    }
  }

  delete(vpcId: string, goal: string): void {
    if (this.#words.size > 0) this.#words.delete(keyOf(vpcId, goal));
  }
}

function keyOf(vpcId: string, goal: string): string {
  return `${vpcId} ${goal}`;
}

/** The word that stands on something that is held. */
export function wordOf({ goal, said }: Item): LastWord {
  return { revision: goal.state.revisionNumber, topic: said, goal };
}

/** The goal if it is not older than what is known; of an older revision that says the same, with the newer one. */
export function upToDate({ goal, removed }: StatedGoal, known: LastWord | undefined): Goal | undefined {
  if (known === undefined || goal.state.revisionNumber >= known.revision) return goal;
  if (removed || known.goal === undefined || contentOf(known.goal) !== contentOf(goal)) return undefined;
  return known.goal;
}

function contentOf({ state }: Goal): string {
  return JSON.stringify({ ...state, revisionNumber: 0 });
}
