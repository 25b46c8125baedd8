/**
 * A message queue between processes: topics that keep the newest message of every subject.
 *
 * Messages of a topic have growing positions. Reading from 0 is the snapshot, reading on from there is the stream of changes; a
 * reader that falls behind skips what has been overwritten. It is `Topic` (topic.ts) across processes: there, entries are values;
 * here they are bytes that were encoded once for all readers.
 */
export interface MessageQueue {
  /**
   * Makes the topic if there is none and becomes its only writer: whoever was it before is fenced, and nothing of it gets in after this
   * has resolved.
   * Throws `Fenced` when a writer with a higher `fence` has opened it.
   */
  openWriter(topic: string, fence: number, signal: AbortSignal): Promise<TopicWriter>;
  /**
   * Batches of the messages after `position` whose subject matches one of `subjects` (tokens between dots; a `>` at the end stands for
   * the rest). Messages come in the order of their positions for each of `subjects`, not across them; a message may come twice.
   * Says once when it has caught up, if need be with an empty batch. Goes on after what it gave when the queue was away for a while.
   * Throws `TopicGone` when the topic is not there (any more), `QueueUnreachable` when the queue stays away too long. Ends when `signal` aborts.
   */
  read(topic: string, subjects: readonly string[], position: number, signal: AbortSignal): AsyncIterable<QueueBatch>;
  /** Removes the topic and all it holds; readers end with `TopicGone`. A topic that is not there is fine. */
  drop(topic: string, signal: AbortSignal): Promise<void>;
  /** What topics there are, for people. */
  topics(signal: AbortSignal): Promise<readonly TopicSummary[]>;
  close(): Promise<void>;
}

export interface TopicWriter {
  /** Position of the topic's last message. */
  readonly position: number;
  /**
   * Appends in order; resolves with the position of the last one once the queue has all of them. Throws `Fenced` when another
   * writer has opened the topic since, `TopicGone` when it was dropped, `QueueUnreachable` when the queue stays away too long. After a failure
   * some of the messages may have been appended; publishing them again is fine.
   */
  publish(messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<number>;
  /** Takes the messages of these subjects away without a word: for last words that nobody needs any more. */
  purge(subjects: readonly string[], signal: AbortSignal): Promise<void>;
}

export interface OutgoingMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
}

export interface QueueMessage extends OutgoingMessage {
  readonly position: number;
}

export interface QueueBatch {
  readonly messages: readonly QueueMessage[];
  /**
   * Everything up to here has been given; reading on from here loses nothing. Never goes back, and reaches every message that has been given
   * before long, if need be with an empty batch.
   */
  readonly position: number;
  /** Everything that was there when the reading began has been given; stays true. */
  readonly caughtUp: boolean;
}

export interface TopicSummary {
  readonly topic: string;
  readonly messages: number;
  readonly bytes: number;
  readonly position: number;
}

/** Another writer has opened the topic: this one has nothing to say any more. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** The topic is not there, or not there any more. */
export class TopicGone extends Error {
  override readonly name = 'TopicGone';
}

/** The queue has not answered for longer than its reader wants to wait. */
export class QueueUnreachable extends Error {
  override readonly name = 'QueueUnreachable';
}

/** Whether a subject matches one of `patterns`, as `MessageQueue.read` takes them. */
export function subjectMatcher(patterns: readonly string[]): (subject: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('>')));
  const prefixes = patterns.filter((pattern) => pattern.endsWith('>')).map((pattern) => pattern.slice(0, -1));
  return (subject) =>
    exact.has(subject) || prefixes.some((prefix) => subject.length > prefix.length && subject.startsWith(prefix));
}
