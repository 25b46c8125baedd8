import { decodeGoal, encodeGoal, type Goal, wholeSubject } from '@alcor/contract';
import type { MessageQueue, QueueMessage, Topic } from '@alcor/runtime';
import type { HostGoal } from './unicast-goals.ts';

/** What the queue holds under a subject, against what it should. */
export type Held =
  /** Says what is wanted, under this revision or a newer one. */
  | { readonly state: 'same'; readonly goal: Goal }
  /** Says something that is not wanted so, or not at all. */
  | { readonly state: 'other'; readonly goal: Goal }
  /** Says that it is gone. */
  | { readonly state: 'gone' }
  /** Says nothing that is known here. */
  | { readonly state: 'unreadable' };

/** By subject. */
export type Content = Map<string, Held>;

/** What should be there. */
export interface Wanted {
  readonly multicast: Topic<Goal>;
  readonly unicast: Topic<HostGoal>;
}

/** Reads a topic to its end and compares message by message, so that no more is kept than what is said of each subject. */
export async function readContent(
  queue: MessageQueue,
  topic: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Content> {
  const content: Content = new Map();
  for await (const { messages, caughtUp } of queue.read(topic, ['multicast.>', 'unicast.>'], 0, signal)) {
    for (const message of messages) {
      if (message.subject !== wholeSubject) content.set(message.subject, compare(message, wanted));
    }
    if (caughtUp) break;
  }
  signal.throwIfAborted();
  return content;
}

function compare({ subject, payload }: QueueMessage, { multicast, unicast }: Wanted): Held {
  const goal = subject.startsWith('unicast.') ? unicast.get(subject)?.goal : multicast.get(multicastKey(subject));
  if (goal !== undefined && areEqual(payload, encodeGoal({ goal, removed: false }))) return { state: 'same', goal };
  const said = readable(payload);
  if (said === undefined) return { state: 'unreadable' };
  if (said.removed) return { state: 'gone' };
  // Under an older one it would be refused by hosts that have heard of what was between: that it was gone for a while, say.
  const isNewer = goal !== undefined && said.goal.state.revisionNumber > goal.state.revisionNumber;
  if (isNewer && areEqual(withoutRevision(said.goal), withoutRevision(goal))) return { state: 'same', goal };
  return { state: 'other', goal: said.goal };
}

/** `multicast.KIND.ID` speaks of what the VPC's own topic has under `KIND/ID`. */
function multicastKey(subject: string): string {
  const [, kind = '', id = ''] = subject.split('.');
  return `${kind}/${id}`;
}

function readable(payload: Uint8Array): ReturnType<typeof decodeGoal> | undefined {
  try {
    return decodeGoal(payload);
  } catch {
    return undefined;
  }
}

function withoutRevision(goal: Goal): Uint8Array {
  return encodeGoal({ goal: { ...goal, state: { ...goal.state, revisionNumber: 0 } } as Goal, removed: false });
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
