import {
  Fenced,
  type MessageQueue,
  type OutgoingMessage,
  type QueueBatch,
  type QueueMessage,
  subjectMatcher,
  TopicGone,
  type TopicSummary,
  type TopicWriter,
} from './message-queue.ts';
import { type Reader, Readers } from './memory-readers.ts';
import { Topic } from './topic.ts';

/** Entries that a reader looks at in one go. */
const batchSize = 500;

interface Kept {
  readonly entries: Topic<Uint8Array>;
  readonly readers: Readers;
  readonly dropped: AbortController;
  fence: number;
  writer: TopicWriter | undefined;
  bytes: number;
}

/** A message queue for readers and writers of one process; it keeps nothing longer than that. */
export function createMemoryQueue(): MessageQueue {
  return new MemoryQueue();
}

class MemoryQueue implements MessageQueue {
  readonly #topics = new Map<string, Kept>();
  readonly #closed = new AbortController();

  async openWriter(topic: string, fence: number, signal: AbortSignal): Promise<TopicWriter> {
    signal.throwIfAborted();
    let kept = this.#topics.get(topic);
    if (kept === undefined) {
      const [entries, readers, dropped] = [new Topic<Uint8Array>(), new Readers(), new AbortController()];
      kept = { entries, readers, dropped, fence, writer: undefined, bytes: 0 };
      this.#topics.set(topic, kept);
    }
    if (kept.fence > fence)
      throw new Fenced(`${topic} has been opened with fence ${kept.fence}, which is above ${fence}`);
    kept.fence = fence;
    kept.writer = writerOf(topic, kept);
    return kept.writer;
  }

  async *read(
    topic: string,
    subjects: readonly string[],
    position: number,
    signal: AbortSignal,
  ): AsyncGenerator<QueueBatch, void> {
    const kept = this.#topics.get(topic);
    if (kept === undefined) throw new TopicGone(`there is no ${topic}`);
    const { entries, readers, dropped } = kept;
    if (position > entries.position) throw new TopicGone(`${topic} ends before ${position}`);
    const left = AbortSignal.any([signal, this.#closed.signal]);
    const over = AbortSignal.any([left, dropped.signal]);
    const place = { position, close: (): void => undefined };
    const reader: Reader = { place, wake: undefined };
    const stop = (): void => reader.wake?.();
    over.addEventListener('abort', stop, { once: true });
    readers.add(subjects, reader);
    const matches = subjectMatcher(subjects);
    const atStart = entries.position;
    try {
      for (let toldCaughtUp = false; !over.aborted;) {
        if (place.position > 0 && place.position < entries.forgotten)
          throw new TopicGone(`${topic} is not whole after ${place.position}`);
        const found = entries.take(place, batchSize);
        if (found.length < batchSize) place.position = entries.position;
        const messages = found.filter(({ key }) => matches(key)).map(message);
        const caughtUp = place.position >= atStart;
        if (messages.length > 0 || (caughtUp && !toldCaughtUp)) yield { messages, position: place.position, caughtUp };
        toldCaughtUp = caughtUp;
        if (place.position === entries.position && !over.aborted)
          await new Promise<void>((wake) => (reader.wake = wake));
      }
    } finally {
      over.removeEventListener('abort', stop);
      readers.remove(subjects, reader);
    }
    if (!left.aborted) throw new TopicGone(`${topic} has been dropped`);
  }

  async drop(topic: string): Promise<void> {
    this.#topics.get(topic)?.dropped.abort();
    this.#topics.delete(topic);
  }

  async topics(): Promise<readonly TopicSummary[]> {
    return [...this.#topics].map(([topic, { entries, bytes }]) => ({
      topic,
      messages: entries.size,
      bytes,
      position: entries.position,
    }));
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }
}

function message(entry: { key: string; value: Uint8Array; position: number }): QueueMessage {
  return { subject: entry.key, payload: entry.value, position: entry.position };
}

function writerOf(topic: string, kept: Kept): TopicWriter {
  const own = (): void => {
    if (kept.dropped.signal.aborted) throw new TopicGone(`${topic} has been dropped`);
    if (kept.writer !== writer) throw new Fenced(`${topic} has been opened with fence ${kept.fence}`);
  };
  const weigh = ({ subject }: { subject: string }): number => kept.entries.get(subject)?.length ?? 0;
  const writer: TopicWriter = {
    get position() {
      return kept.entries.position;
    },
    async publish(messages: readonly OutgoingMessage[], signal: AbortSignal) {
      signal.throwIfAborted();
      own();
      for (const each of messages) {
        kept.bytes += each.payload.length - weigh(each);
        kept.entries.put(each.subject, each.payload);
        kept.readers.tell(each.subject, kept.entries.position);
      }
      return kept.entries.position;
    },
    async purge(subjects: readonly string[], signal: AbortSignal) {
      signal.throwIfAborted();
      own();
      kept.readers.skipTo(kept.entries.position);
      for (const subject of subjects) {
        kept.bytes -= weigh({ subject });
        kept.entries.forget(subject);
      }
    },
  };
  return writer;
}
