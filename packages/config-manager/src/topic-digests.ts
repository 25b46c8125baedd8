import { type Goal, GoalDigest } from '@alcor/contract';
import type { Bus, Clock, Subscription, Topic, TopicChange, TopicObserver } from '@alcor/runtime';

/** Goals read between two moments in which others have their turn. */
const goalsAtOnce = 2_000;

/** Digests over what topics say, kept at the cost of each change once they have been asked for. */
export class TopicDigests {
  readonly #digests = new WeakMap<Topic<Goal>, TopicDigest>();

  /** Over everything that the topic says now. */
  of(topic: Topic<Goal>): GoalDigest {
    const digest = this.#digest(topic);
    digest.read(Number.POSITIVE_INFINITY);
    return digest.goals;
  }

  /** Reads the topics of these VPCs ahead of the first question, bit by bit. */
  async prepare(goals: Bus<Goal>, vpcIds: Iterable<string>, clock: Clock, signal: AbortSignal): Promise<void> {
    let room = goalsAtOnce;
    for (const vpcId of vpcIds) {
      const topic = goals.topic(`vpc/${vpcId}`);
      const digest = this.#digest(topic);
      while (!digest.isRead) {
        room -= digest.read(room);
        if (room > 0) continue;
        await clock.sleep(0, signal);
        room = goalsAtOnce;
      }
    }
  }

  #digest(topic: Topic<Goal>): TopicDigest {
    let digest = this.#digests.get(topic);
    if (digest === undefined) this.#digests.set(topic, (digest = new TopicDigest(topic)));
    return digest;
  }
}

/** Reads a topic to its end once; from then on it is told of changes, as it is before of those to what it has read. */
class TopicDigest implements TopicObserver<Goal> {
  readonly goals = new GoalDigest();
  readonly #topic: Topic<Goal>;
  /** Not known to the topic, for which no removals need be kept. */
  readonly #reader: Subscription = { position: 0, close: () => undefined };
  #isRead = false;

  constructor(topic: Topic<Goal>) {
    this.#topic = topic;
    topic.observe(this);
  }

  changed({ before, after }: TopicChange<Goal>): void {
    const counts = before !== undefined && (this.#isRead || before.position <= this.#reader.position);
    if (counts) this.goals.remove(before.value);
    if (after !== undefined && this.#isRead) this.goals.add(after.value);
  }

  get isRead(): boolean {
    return this.#isRead;
  }

  /** Returns how much it has read, which is `limit` at most. */
  read(limit: number): number {
    if (this.#isRead) return 0;
    const entries = this.#topic.take(this.#reader, limit);
    for (const { value, removed } of entries) if (!removed) this.goals.add(value);
    this.#isRead = this.#reader.position === this.#topic.position || entries.length < limit;
    return entries.length;
  }
}
