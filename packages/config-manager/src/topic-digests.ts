import { type Goal, GoalDigest } from '@alcor/contract';
import type { Topic } from '@alcor/runtime';

/** Digests over what topics say: read when first asked for, and from then on kept at the cost of each change. */
export class TopicDigests {
  readonly #digests = new WeakMap<Topic<Goal>, GoalDigest>();

  /** Over everything that the topic says now. */
  of(topic: Topic<Goal>): GoalDigest {
    let digest = this.#digests.get(topic);
    if (digest === undefined) this.#digests.set(topic, (digest = follow(topic)));
    return digest;
  }
}

function follow(topic: Topic<Goal>): GoalDigest {
  const digest = new GoalDigest();
  for (const { value, removed } of topic.after(0, Number.POSITIVE_INFINITY)) if (!removed) digest.add(value);
  topic.observe({
    changed({ before, after }) {
      if (before !== undefined) digest.remove(before.value);
      if (after !== undefined) digest.add(after.value);
    },
  });
  return digest;
}
