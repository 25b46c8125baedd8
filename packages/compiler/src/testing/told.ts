import type { Goal } from '@alcor/contract';
import type { Change } from '@alcor/network';
import type { Compiler } from '../compiler.ts';
import { type Audience, placeOf } from '../goals.ts';

/** What audiences know after they were told everything. */
export class Told {
  readonly goals = new Map<Audience, Map<string, Goal>>();
  readonly #revisions = new Map<string, number>();

  /** Throws where an audience is told an older revision after a newer. */
  take(compiler: Compiler, change: Change): void {
    for (const { audience, goal, removed } of compiler.apply(change)) {
      const key = placeOf(audience, goal);
      this.#checkRevision(`${audience} ${key}`, goal.state.revisionNumber);
      const keyed = this.goals.get(audience) ?? new Map<string, Goal>();
      if (removed) keyed.delete(key);
      else keyed.set(key, goal);
      if (keyed.size === 0) this.goals.delete(audience);
      else this.goals.set(audience, keyed);
    }
  }

  #checkRevision(place: string, revision: number): void {
    const known = this.#revisions.get(place) ?? 0;
    if (revision < known) throw new Error(`${place}: revision ${revision} after ${known}`);
    this.#revisions.set(place, revision);
  }
}

/** A neighbour whose port was renamed keeps its old revision, so revisions are left out of comparisons. */
export function plain(goals: ReadonlyMap<Audience, ReadonlyMap<string, Goal>>): unknown {
  return [...goals]
    .map(([audience, keyed]) => [
      audience,
      [...keyed].map(([key, goal]) => [key, { ...goal.state, revisionNumber: 0 }]).sort(),
    ])
    .sort();
}
