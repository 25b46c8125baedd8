import type { MessageQueue, QueueBatch, TopicSummary, TopicWriter } from '../../message-queue.ts';
import { Connection } from './connection.ts';
import { Reading } from './reading.ts';
import { isGone, namesOf, streamPrefix } from './stream.ts';
import { openWriter } from './writer.ts';

export interface NatsQueueOptions {
  /** `nats://host:port` of a server with JetStream, or of several servers of one cluster. */
  readonly servers: readonly string[];
  /** On how many servers of a cluster a topic is kept; 1 unless given. */
  readonly replicas?: number;
  /** How long the queue may be away before whoever waits for it is told, in ms; 10 s unless given. */
  readonly unreachableAfterMs?: number;
}

/**
 * A message queue in NATS JetStream (nats-server 2.9 or newer): a stream per topic that keeps one message of each subject in files.
 * Connects by and by; nothing fails here.
 */
export function natsQueue({ servers, replicas = 1, unreachableAfterMs = 10_000 }: NatsQueueOptions): MessageQueue {
  return new NatsQueue(new Connection(servers, unreachableAfterMs), replicas);
}

class NatsQueue implements MessageQueue {
  readonly #connection: Connection;
  readonly #replicas: number;

  constructor(connection: Connection, replicas: number) {
    this.#connection = connection;
    this.#replicas = replicas;
  }

  openWriter(topic: string, fence: number, signal: AbortSignal): Promise<TopicWriter> {
    return openWriter(this.#connection, namesOf(topic), fence, this.#replicas, signal);
  }

  read(
    topic: string,
    subjects: readonly string[],
    position: number,
    signal: AbortSignal,
  ): AsyncGenerator<QueueBatch, void> {
    const reading = new Reading(this.#connection, namesOf(topic), subjects, position);
    return reading.batches(AbortSignal.any([signal, this.#connection.closed]));
  }

  drop(topic: string, signal: AbortSignal): Promise<void> {
    const { stream } = namesOf(topic);
    return this.#connection.attempt(signal, async ({ jetStream }) => {
      try {
        await jetStream.streams.delete(stream);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    });
  }

  topics(signal: AbortSignal): Promise<readonly TopicSummary[]> {
    return this.#connection.attempt(signal, async ({ jetStream }) => {
      const found: TopicSummary[] = [];
      for await (const { config, state } of jetStream.streams.list()) {
        if (!config.name.startsWith(streamPrefix)) continue;
        const topic = config.name.slice(streamPrefix.length);
        // The writer's mark is not one of the topic's messages.
        found.push({ topic, messages: Math.max(0, state.messages - 1), bytes: state.bytes, position: state.last_seq });
      }
      return found;
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
