import type { Goal } from '@alcor/contract';
import { type Audience, goneGoal, placeOf } from './goals.ts';

/** One thing that an audience must be told. */
export interface Delta {
  readonly audience: Audience;
  readonly goal: Goal;
  readonly removed: boolean;
}

/** What rows mean, by audience. */
export type Meaning = readonly { readonly audience: Audience; readonly goal: Goal }[];

/** What must be told so that audiences that know `before` know `after`; what goes gets the revision of the change. */
export function difference(before: Meaning, after: Meaning, revision: number): Delta[] {
  if (before.length === 0) return after.map(({ audience, goal }) => ({ audience, goal, removed: false }));
  const place = ({ audience, goal }: Meaning[number]): string => `${audience} ${placeOf(audience, goal)}`;
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

/** New places are told before old ones are cleared, so that nothing is nowhere meanwhile. */
export function inOrder(deltas: readonly Delta[]): readonly Delta[] {
  if (!deltas.some(({ removed }) => removed)) return deltas;
  return [...deltas.filter(({ removed }) => !removed), ...deltas.filter(({ removed }) => removed)];
}

/** A neighbour whose port was only renamed is the same neighbour: its VPC need not hear of it. */
function sameButRevision(a: Goal | undefined, b: Goal): boolean {
  if (a === undefined) return false;
  return JSON.stringify({ ...a.state, revisionNumber: 0 }) === JSON.stringify({ ...b.state, revisionNumber: 0 });
}
