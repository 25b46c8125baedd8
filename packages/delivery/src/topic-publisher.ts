import {
  encodeGoal,
  encodeWhole,
  type Goal,
  isMulticast,
  multicastSubject,
  topicOf,
  unicastSubject,
  wholeSubject,
} from '@alcor/contract';
import { goneGoal } from '@alcor/compiler';
import {
  type Clock,
  createWakeup,
  Fenced,
  type MessageQueue,
  type Subscription,
  type Topic,
  type TopicWriter,
} from '@alcor/runtime';
import type { HostGoal } from './unicast-goals.ts';
import { type Content, readContent } from './topic-content.ts';

/** What publishers have done with goals, all together. */
export interface PublishCounters {
  multicast: number;
  unicast: number;
  /** Payloads. */
  bytes: number;
  /** Goals that were found in the queue as they should be. */
  unchanged: number;
}

export interface TopicPublisherOptions {
  readonly vpcId: string;
  /** What every host of the VPC must know. */
  readonly multicast: Topic<Goal>;
  /** What single hosts must, by subject. */
  readonly unicast: Topic<HostGoal>;
  readonly queue: MessageQueue;
  readonly fence: number;
  readonly clock: Clock;
  readonly counters: PublishCounters;
  /** The queue's topic has everything that there is to know, again after every look at what it holds. */
  readonly onWhole: () => void;
  readonly log: (message: string, error?: unknown) => void;
}

const entriesPerRound = 500;
const firstRetryMs = 100;
const lastRetryMs = 5_000;
/** A last word stays so long for readers that were away. */
const keepTombstonesMs = 3_600_000;
const purgeEveryMs = 60_000;

/** One of the two things that are read here and written there. */
interface Source {
  readonly subscription: Subscription;
  readonly next: () => readonly Saying[];
  readonly isRead: () => boolean;
}

/** A goal and where it is said. */
interface Saying {
  readonly subject: string;
  readonly goal: Goal;
  readonly removed: boolean;
  /** Put before the publisher had looked at what the queue holds, so before it said anything. */
  readonly isOld: boolean;
}

/**
 * Keeps the topic of one VPC in the message queue at what the topics of this process say: another reader of theirs, as slow as the queue.
 * Begins by comparing, so that what is there already is not published again.
 */
export class TopicPublisher {
  readonly #options: TopicPublisherOptions;
  readonly #wakeup = createWakeup();
  /** When each last word was said, on the clock. */
  readonly #tombstones = new Map<string, number>();
  #writer: TopicWriter | undefined;
  #isWhole = false;
  #again = new AbortController();
  #purgeAt = 0;

  constructor(options: TopicPublisherOptions) {
    this.#options = options;
  }

  /** Position of the newest message in the queue that is known to be there. */
  get position(): number {
    return this.#writer?.position ?? 0;
  }

  /** Whether the queue's topic has everything that was there to know at the last look at what it holds. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Compares from the start: for when the queue has lost the topic. */
  restart(): void {
    this.#isWhole = false;
    this.#again.abort();
  }

  /** Publishes until `signal` aborts. Rejects with Fenced when another publishes now. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, vpcId } = this.#options;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      this.#again = new AbortController();
      const until = AbortSignal.any([signal, this.#again.signal]);
      try {
        await this.#publish(until, () => (retryMs = firstRetryMs));
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Fenced) throw error;
        if (until.aborted) continue;
        log(`cannot publish VPC ${vpcId}; trying again in ${retryMs} ms`, error);
        await clock.sleep(retryMs, until).catch(() => {});
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      }
    }
  }

  async #publish(signal: AbortSignal, onWhole: () => void): Promise<void> {
    const { queue, vpcId, fence, multicast, unicast } = this.#options;
    this.#isWhole = false;
    this.#writer = await queue.openWriter(topicOf(vpcId), fence, signal);
    await this.#sayWhole(false, signal);
    const content = await readContent(queue, topicOf(vpcId), { multicast, unicast }, signal);
    this.#noteTombstones(content);
    const sources = [
      this.#source(multicast, (goal) => ({ goal, subject: multicastSubject(goal) })),
      this.#source(unicast, ({ hostId, goal }) => ({ goal, subject: unicastSubject(hostId, goal) })),
    ];
    try {
      while (!signal.aborted) {
        const sayings = sources.flatMap((source) => source.next());
        const fresh = sayings.filter((saying) => !this.#isThere(content, saying));
        await this.#say(fresh, signal);
        // What is left unsaid gives others their turn.
        if (fresh.length === 0 && sayings.length > 0) await this.#options.clock.sleep(0, signal);
        if (!sources.every((source) => source.isRead())) continue;
        if (!this.#isWhole) {
          await this.#clear(content, signal);
          await this.#sayWhole(true, signal);
          this.#isWhole = true;
          onWhole();
          this.#options.onWhole();
        }
        await this.#purge(signal);
        if (sources.every((source) => source.isRead())) await this.#wait(signal);
      }
    } finally {
      for (const { subscription } of sources) subscription.close();
    }
  }

  #source<V>(topic: Topic<V>, said: (value: V) => Pick<Saying, 'goal' | 'subject'>): Source {
    const subscription = topic.subscribe(this.#wakeup.raise);
    const begun = topic.position;
    return {
      subscription,
      next: () =>
        topic
          .take(subscription, entriesPerRound)
          .map(({ value, removed, position }) => ({ ...said(value), removed, isOld: position <= begun })),
      isRead: () => subscription.position === topic.position,
    };
  }

  /** Whether it need not be said, by what the queue held when the publisher began; what was asked for is then forgotten. */
  #isThere(content: Content, { subject, goal, removed, isOld }: Saying): boolean {
    const held = content.get(subject);
    if (held === undefined) return removed && isOld;
    content.delete(subject);
    const isSame = removed ? held.state === 'gone' : held.state === 'same' && held.goal === goal;
    if (isSame) this.#options.counters.unchanged++;
    return isSame;
  }

  async #say(sayings: readonly Saying[], signal: AbortSignal): Promise<void> {
    if (sayings.length === 0) return;
    const { counters, clock } = this.#options;
    const messages = sayings.map(({ subject, goal, removed }) => ({ subject, payload: encodeGoal({ goal, removed }) }));
    await this.#writer?.publish(messages, signal);
    for (const { subject, payload } of messages) {
      counters[isMulticast(subject) ? 'multicast' : 'unicast']++;
      counters.bytes += payload.length;
    }
    for (const { subject, removed } of sayings) {
      if (removed) this.#tombstones.set(subject, clock.now());
      else this.#tombstones.delete(subject);
    }
  }

  /** To hosts that begin to read: they act on nothing of a topic that may lack something, or have too much. */
  async #sayWhole(isWhole: boolean, signal: AbortSignal): Promise<void> {
    const payload = encodeWhole(this.#options.vpcId, isWhole);
    await this.#writer?.publish([{ subject: wholeSubject, payload }], signal);
  }

  /** Ends what is in the queue and nowhere else. */
  async #clear(content: Content, signal: AbortSignal): Promise<void> {
    const left = [...content].flatMap(([subject, held]) =>
      held.state === 'same' || held.state === 'other'
        ? [{ subject, goal: goneGoal(held.goal, held.goal.state.revisionNumber), removed: true, isOld: true }]
        : [],
    );
    for (let index = 0; index < left.length; index += entriesPerRound) {
      await this.#say(left.slice(index, index + entriesPerRound), signal);
    }
    const unreadable = [...content].flatMap(([subject, { state }]) => (state === 'unreadable' ? [subject] : []));
    if (unreadable.length > 0) await this.#writer?.purge(unreadable, signal);
    content.clear();
  }

  /** How long ago the last words were said that are found in the queue is not known: they count from now. */
  #noteTombstones(content: Content): void {
    const now = this.#options.clock.now();
    for (const [subject, { state }] of content) {
      if (state === 'gone' && !this.#tombstones.has(subject)) this.#tombstones.set(subject, now);
    }
  }

  async #purge(signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.now();
    if (now < this.#purgeAt) return;
    this.#purgeAt = now + purgeEveryMs;
    const old = [...this.#tombstones].flatMap(([subject, at]) => (now - at >= keepTombstonesMs ? [subject] : []));
    if (old.length === 0) return;
    await this.#writer?.purge(old, signal);
    for (const subject of old) this.#tombstones.delete(subject);
  }

  /** Until there is something to say, or something to purge. */
  async #wait(signal: AbortSignal): Promise<void> {
    const timer = this.#tombstones.size > 0 ? this.#options.clock.timer(purgeEveryMs, this.#wakeup.raise) : undefined;
    await this.#wakeup.wait(signal);
    timer?.cancel();
  }
}
