import type { StatedGoal } from '@alcor/contract';

/** A host as long as one stream to it lasts, as far as it is told the neighbours that it asks for. */
export interface Learner {
  readonly hostId: string;
  /** Its underlay address. */
  readonly hostIp: string;
  /** Tells the host of a neighbour, or that it is gone: at once, or, what nobody waits for, soon and with others. */
  learn(vpcId: string, stated: StatedGoal, when: 'now' | 'soon'): void;
  /** Calls `run` when the host has applied all that it was to learn until now, or has taken too long. */
  afterApplied(run: () => void): void;
}

/** Who is told nothing has applied it. */
export function afterApplied(learner: Learner | undefined, run: () => void): void {
  if (learner === undefined) run();
  else learner.afterApplied(run);
}
