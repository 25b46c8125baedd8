import { createMemoryQueue } from '../memory-queue.ts';
import {
  type MessageQueue,
  type OutgoingMessage,
  type QueueBatch,
  QueueUnreachable,
  subjectMatcher,
  type TopicWriter,
} from '../message-queue.ts';
import { createQueue } from '../queue.ts';
import { between } from './random.ts';
import type { Process, World } from './world.ts';

/** One message queue for all processes of a world; it outlives them. */
export interface SimulatedQueue {
  /** As it is, without waits and faults: for those who look on from outside. */
  readonly content: MessageQueue;
  /** As a process sees it: every dealing takes time, and `Faults.queue` happens. */
  seenBy(process: Process): MessageQueue;
  /** Nobody reaches the queue for `ms`; it keeps what it holds. */
  restart(ms: number): void;
}

/** `unreachableAfterMs`: how long a process waits for the queue before it gives up. */
export function createSimulatedQueue(world: World, unreachableAfterMs = 10_000): SimulatedQueue {
  const content = createMemoryQueue();
  let backAt = 0;
  return {
    content,
    seenBy: (process) => new SeenQueue(content, process, world, unreachableAfterMs, () => backAt),
    restart: (ms) => void (backAt = Math.max(backAt, world.schedule.now() + ms)),
  };
}

class SeenQueue implements MessageQueue {
  readonly #content: MessageQueue;
  readonly #process: Process;
  readonly #world: World;
  readonly #unreachableAfterMs: number;
  readonly #queueBackAt: () => number;
  readonly #closed = new AbortController();
  #connectedAgainAt = 0;

  constructor(
    content: MessageQueue,
    process: Process,
    world: World,
    unreachableAfterMs: number,
    queueBackAt: () => number,
  ) {
    this.#content = content;
    this.#process = process;
    this.#world = world;
    this.#unreachableAfterMs = unreachableAfterMs;
    this.#queueBackAt = queueBackAt;
  }

  async openWriter(topic: string, fence: number, signal: AbortSignal): Promise<TopicWriter> {
    await this.#reach(signal);
    const writer = await this.#content.openWriter(topic, fence, signal);
    await this.#reach(signal);
    return {
      get position() {
        return writer.position;
      },
      publish: (messages, each) => this.#publish(writer, messages, each),
      purge: async (subjects, each) => {
        await this.#reach(each);
        await writer.purge(subjects, each);
        await this.#reach(each);
      },
    };
  }

  /** The subjects are followed each for itself, as a queue does that has a consumer for each: one may run ahead of another. */
  async *read(
    topic: string,
    subjects: readonly string[],
    position: number,
    signal: AbortSignal,
  ): AsyncGenerator<QueueBatch, void> {
    const left = new AbortController();
    const over = AbortSignal.any([signal, this.#closed.signal, left.signal]);
    const given = createQueue<Given>();
    const parts = subjects.map((subject): Part => ({ subject, position, caughtUp: false }));
    const follows = parts.map((part) => this.#follow(topic, part, position, given, over));
    void Promise.all(follows).then(
      () => given.end(),
      (error: unknown) => given.fail(error),
    );
    let [told, newest] = [{ position, caughtUp: false }, position];
    try {
      for await (const { part, batch, taken } of given) {
        const { messages } = batch;
        Object.assign(part, { position: batch.position, caughtUp: batch.caughtUp });
        newest = Math.max(newest, ...messages.map((each) => each.position));
        const now = {
          position: Math.min(...parts.map((each) => each.position)),
          caughtUp: parts.every(({ caughtUp }) => caughtUp),
        };
        const isNews = now.caughtUp !== told.caughtUp || (now.position > told.position && now.position >= newest);
        if (messages.length > 0 || isNews) {
          told = now;
          yield { messages, ...now };
          if (this.#happens('repeat')) yield { messages, ...now };
        }
        taken();
      }
    } finally {
      left.abort();
    }
  }

  async drop(topic: string, signal: AbortSignal): Promise<void> {
    await this.#reach(signal);
    await this.#content.drop(topic, signal);
    await this.#reach(signal);
  }

  async topics(signal: AbortSignal): ReturnType<MessageQueue['topics']> {
    await this.#reach(signal);
    return this.#content.topics(signal);
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }

  /** Looks at the whole topic, so that it also says up to where there is nothing for it: others may have got further. */
  async #follow(
    topic: string,
    part: Part,
    position: number,
    given: { push(item: Given): void },
    over: AbortSignal,
  ): Promise<void> {
    const matches = subjectMatcher([part.subject]);
    try {
      await this.#reach(over);
      for await (const batch of this.#content.read(topic, ['>'], position, over)) {
        const messages = batch.messages.filter(({ subject }) => matches(subject));
        if (messages.length > 0 || batch.caughtUp !== part.caughtUp) await this.#reach(over);
        await new Promise<void>((taken) => given.push({ part, batch: { ...batch, messages }, taken }));
      }
    } catch (error) {
      if (!over.aborted) throw error;
    }
  }

  /** In parts, with a wait after each, so that a process may die with some of it said. */
  async #publish(writer: TopicWriter, messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<number> {
    const { random } = this.#world;
    let { position } = writer;
    for (let sent = 0; sent < messages.length;) {
      await this.#reach(signal);
      const part = messages.slice(sent, sent + between(random, 1, messages.length - sent));
      position = await writer.publish(part, signal);
      sent += part.length;
      // A writer that hears nothing asks how far it got: that takes time, and is all.
      if (this.#happens('loseAcknowledgement')) await this.#process.wait(between(random, 100, 2_000));
      await this.#reach(signal);
    }
    return position;
  }

  #happens(fault: 'disconnect' | 'repeat' | 'loseAcknowledgement'): boolean {
    const probability = this.#world.faults.queue?.[fault] ?? 0;
    return probability > 0 && this.#world.random.next() < probability;
  }

  /** One way between the process and the queue. */
  async #reach(signal: AbortSignal): Promise<void> {
    const { faults, random, schedule } = this.#world;
    await this.#process.wait(between(random, ...faults.latencyMs));
    const now = schedule.now();
    if (this.#happens('disconnect')) this.#connectedAgainAt = now + between(random, 1, faults.queue?.awayMs ?? 1);
    for (;;) {
      signal.throwIfAborted();
      const away = Math.max(this.#connectedAgainAt, this.#queueBackAt()) - schedule.now();
      if (away <= 0) return;
      if (schedule.now() - now >= this.#unreachableAfterMs) throw new QueueUnreachable('the queue does not answer');
      await this.#process.wait(Math.min(away, 500));
    }
  }
}

interface Given {
  readonly part: Part;
  readonly batch: QueueBatch;
  readonly taken: () => void;
}

/** What is followed of one subject, and how far it has been given. */
interface Part {
  readonly subject: string;
  position: number;
  caughtUp: boolean;
}
