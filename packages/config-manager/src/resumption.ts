import { bucketOf, bucketsOf, type Goal, type GoalDigest, type OfferedDigest } from '@alcor/contract';
import type { Entry } from '@alcor/runtime';

/** How a VPC is told to a host that has offered what it holds of it: the difference, up to where the topic was when they were compared. */
export interface Resumption {
  /** Of the offered buckets, those that are told from nothing; none: what the host holds is what is meant. */
  readonly staleBuckets: readonly number[];
  readonly position: number;
  /** Whether the host has to be told of the goal. */
  readonly tells: (goal: Goal) => boolean;
}

/**
 * Compares with what is meant for all hosts of the VPC, and what for this one alone; undefined when nothing that the host offered is what is
 * meant, so that the VPC is told from nothing.
 */
export function resume(
  common: GoalDigest,
  own: readonly Goal[],
  offer: OfferedDigest,
  position: number,
): Resumption | undefined {
  const count = bucketsOf(offer.digests);
  const staleBuckets = common.differing(offer, own);
  if (count === undefined || staleBuckets === undefined || staleBuckets.length === count) return undefined;
  const stale = new Set(staleBuckets);
  return { staleBuckets, position, tells: (goal) => stale.has(bucketOf(goal, count)) };
}

/** Whether the host has to be told of what the topic says here. */
export function isNews({ position, value }: Entry<Goal>, resumption: Resumption): boolean {
  return position > resumption.position || resumption.tells(value);
}
