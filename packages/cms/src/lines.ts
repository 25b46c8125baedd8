import { addGoal, emptyGoalState, type Goal, GoalStateV2 } from '@alcor/contract';
import { AlcorError } from '@alcor/network';
import type { Batch, Told } from './follow.ts';

/** What stands in a line of a watch. */
export type Line =
  | {
      readonly type: 'UPDATE' | 'DELETE';
      readonly kind: Goal['kind'];
      readonly id: string;
      /** Where to go on after this line. */
      readonly revision: string;
      /** In the JSON form of protocol buffers; of what is gone its id and revision. */
      readonly state: unknown;
    }
  /** Everything up to here has been said; said again when nothing has changed for a while. */
  | { readonly type: 'BOOKMARK'; readonly revision: string }
  /** Nothing comes after it. */
  | { readonly type: 'ERROR'; readonly error: { readonly type: string; readonly message: string } };

export const lineSchema = {
  type: 'object',
  required: ['type'],
  properties: {
    type: { enum: ['UPDATE', 'DELETE', 'BOOKMARK', 'ERROR'] },
    kind: { type: 'string', description: 'vpc, subnet, port, neighbor, …' },
    id: { type: 'string' },
    revision: { type: 'string', description: 'Where to go on after this line: the next request’s `from`' },
    state: { type: 'object', description: 'The state, in the JSON form of protocol buffers' },
    error: { type: 'object', description: 'Of an ERROR: why nothing more comes' },
  },
};

/**
 * The lines of a watch. What is wrong before the first batch is thrown, and is the status of the answer; after it, it is the last line.
 * With `once`, nothing comes after the first bookmark.
 */
export async function* linesOf(
  batches: AsyncIterable<Batch<Goal>>,
  { once }: { readonly once: boolean },
): AsyncGenerator<readonly Line[], void> {
  let begun = false;
  let synced = false;
  try {
    for await (const batch of batches) {
      const lines: Line[] = batch.entries.map(lineOf);
      const isBookmark = batch.synced && (!synced || lines.length === 0);
      if (isBookmark) lines.push({ type: 'BOOKMARK', revision: batch.revision });
      synced ||= batch.synced;
      begun = true;
      yield lines;
      if (once && synced) return;
    }
  } catch (error) {
    if (!begun) throw error;
    const { type, message } = AlcorError.from(error);
    yield [{ type: 'ERROR', error: { type, message } }];
  }
}

function lineOf({ value: goal, removed, revision }: Told<Goal>): Line {
  const { kind, state } = goal;
  return { type: removed ? 'DELETE' : 'UPDATE', kind, id: state.id, revision, state: jsonOf(goal) };
}

/** The state by itself, out of the message that speaks of nothing else. */
function jsonOf(goal: Goal): unknown {
  const message = emptyGoalState();
  addGoal(message, { goal, removed: false });
  const states = Object.values(GoalStateV2.toJSON(message) as object).find((value) => typeof value === 'object') as
    | Readonly<Record<string, { readonly configuration?: unknown }>>
    | undefined;
  return states?.[goal.state.id]?.configuration ?? {};
}
