import { DiscardPolicy, JetStreamApiCodes, JetStreamApiError, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { Fenced, type OutgoingMessage, TopicGone, type TopicWriter } from '../../message-queue.ts';
import { realRandom } from '../random.ts';
import { type Connection, type Link, TryAgain } from './connection.ts';
import { publishInOrder, window } from './publish.ts';
import {
  findMessage,
  isClustered,
  isGone,
  type Mark,
  markSubject,
  readMark,
  type StreamNames,
  streamInfo,
} from './stream.ts';

/** How far a `publish` has got. */
interface Progress {
  /** The position after which its first message comes. */
  readonly before: number;
  done: number;
  /** Nothing has been sent since `done` was counted. */
  isCertain: boolean;
}

/** Requests under way at a time when many are to be made. */
const requestWindow = 64;

/** Makes the stream if there is none and leaves the mark of a new writer in it. */
export async function openWriter(
  connection: Connection,
  names: StreamNames,
  fence: number,
  replicas: number,
  signal: AbortSignal,
): Promise<TopicWriter> {
  await connection.attempt(signal, (link) => makeStream(link, names, replicas));
  const writer = new NatsWriter(connection, names, fence);
  await writer.open(signal);
  return writer;
}

async function makeStream({ jetStream }: Link, names: StreamNames, replicas: number): Promise<void> {
  try {
    const { config } = await jetStream.streams.info(names.stream);
    if (config.num_replicas !== replicas) await jetStream.streams.update(names.stream, { num_replicas: replicas });
  } catch (error) {
    if (!isGone(error)) throw error;
    await jetStream.streams.add({
      name: names.stream,
      subjects: [`${names.root}.>`],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      max_msgs_per_subject: 1,
      num_replicas: replicas,
    });
  }
}

/**
 * Every message says which position it follows, so that what this writer says is in without a gap and in order or not at all, and nothing gets in once
 * another writer has left its mark. Where an acknowledgement is missing, the position of the last message tells how much got in.
 */
class NatsWriter implements TopicWriter {
  readonly #connection: Connection;
  readonly #names: StreamNames;
  readonly #fence: number;
  readonly #id = Buffer.from(realRandom.bytes(12)).toString('hex');
  #position = 0;
  /** Position of this writer's mark. */
  #markedAt = 0;
  #forgotten = 0;
  /** Nothing of this writer can be under way any more. */
  #isQuiet = true;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connection: Connection, names: StreamNames, fence: number) {
    this.#connection = connection;
    this.#names = names;
    this.#fence = fence;
  }

  get position(): number {
    return this.#position;
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#connection.attempt(signal, async (link) => {
      const found = await readMark(link, this.#names);
      if (found !== null && found.fence > this.#fence) throw this.#fenced(found);
      await this.#leaveMark(link, found?.position ?? 0, found?.forgotten ?? 0);
      await this.#outrun(link, found?.window ?? 0, signal);
    });
  }

  publish(messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<number> {
    return this.#inTurn(async () => {
      if (messages.length === 0) return this.#position;
      await this.#becomeQuiet(signal);
      const progress: Progress = { before: this.#position, done: 0, isCertain: true };
      this.#isQuiet = false;
      while (progress.done < messages.length)
        await this.#connection.attempt(signal, (link) => this.#append(link, messages, progress, signal));
      this.#isQuiet = true;
      return this.#position;
    });
  }

  purge(subjects: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      const found: number[] = [];
      await this.#each(subjects, signal, async (link, subject) => {
        const message = await findMessage(link, this.#names, { last_by_subj: `${this.#names.root}.${subject}` });
        if (message !== null) found.push(message.seq);
      });
      if (found.length === 0) return;
      const forgotten = Math.max(this.#forgotten, ...found);
      await this.#becomeQuiet(signal);
      await this.#connection.attempt(signal, (link) => this.#markAgain(link, forgotten));
      await this.#each(found, signal, (link, position) => remove(link, this.#names, position));
    });
  }

  /** Appends some of what is left of `messages`; throws `TryAgain` when none of it got in. */
  async #append(
    link: Link,
    messages: readonly OutgoingMessage[],
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    if (!progress.isCertain) await this.#count(link, progress);
    progress.isCertain = false;
    const { before, done } = progress;
    const failure = await publishInOrder(link, this.#names.root, messages, done, before, signal);
    if (failure === undefined) {
      progress.done = messages.length;
      this.#position = before + messages.length;
      return;
    }
    await this.#count(link, progress);
    if (progress.done === done) throw new TryAgain(failure);
  }

  /** How many messages got in: all that came after `before` are this writer's. */
  async #count(link: Link, progress: Progress): Promise<void> {
    const { state } = await streamInfo(link, this.#names);
    await this.#findMark(link);
    const done = state.last_seq - progress.before;
    if (done < progress.done) {
      if (isClustered(link)) throw new TryAgain('the leader is behind');
      throw new TopicGone(`${this.#names.topic} has lost what it had taken in`);
    }
    this.#position = state.last_seq;
    progress.done = done;
    progress.isCertain = true;
  }

  /** After a publishing that was broken off: whatever of it is still under way cannot get in later. */
  async #becomeQuiet(signal: AbortSignal): Promise<void> {
    if (this.#isQuiet) return;
    await this.#connection.attempt(signal, async (link) => {
      await this.#markAgain(link, this.#forgotten);
      await this.#outrun(link, window, signal);
    });
    this.#isQuiet = true;
  }

  async #markAgain(link: Link, forgotten: number): Promise<void> {
    await this.#leaveMark(link, await this.#findMark(link), forgotten);
  }

  /** Position of this writer's mark; throws `Fenced` when there is another in its place. */
  async #findMark(link: Link): Promise<number> {
    const found = await readMark(link, this.#names);
    const position = found?.position ?? 0;
    if (found?.writer === this.#id && position >= this.#markedAt) return position;
    if (position < this.#markedAt && isClustered(link)) throw new TryAgain('the leader is behind');
    throw this.#fenced(found);
  }

  /** Takes the place of the mark at position `replaced`, 0 for none. */
  async #leaveMark({ connection }: Link, replaced: number, forgotten: number): Promise<void> {
    this.#forgotten = forgotten;
    const condition = headers();
    condition.set('Nats-Expected-Last-Subject-Sequence', String(replaced));
    const reply = await connection.request(this.#names.mark, this.#mark, { headers: condition, timeout: 3_000 });
    const { seq, error } = reply.json<{ seq: number; error?: { description: string } }>();
    if (error !== undefined) throw new TryAgain(error.description);
    this.#position = this.#markedAt = seq;
  }

  /**
   * Moves the stream's position on by more than what can be under way of a writer with `before` messages: one of them may by chance follow just
   * the position that it expects while the positions are still near.
   */
  async #outrun(link: Link, before: number, signal: AbortSignal): Promise<void> {
    if (before === 0) return;
    const steps = Array.from({ length: before + 1 }, () => ({ subject: markSubject, payload: this.#mark }));
    const failure = await publishInOrder(link, this.#names.root, steps, 0, this.#position, signal);
    if (failure !== undefined) throw new TryAgain(failure);
    this.#position = this.#markedAt = this.#position + steps.length;
  }

  get #mark(): Uint8Array {
    const mark: Mark = { fence: this.#fence, writer: this.#id, window, forgotten: this.#forgotten };
    return Buffer.from(JSON.stringify(mark));
  }

  #fenced(mark: Mark | null): Error {
    if (mark === null) return new TopicGone(`${this.#names.topic} has been made anew`);
    return new Fenced(`${this.#names.topic} has been opened with fence ${mark.fence}`);
  }

  async #each<T>(items: readonly T[], signal: AbortSignal, run: (link: Link, item: T) => Promise<void>): Promise<void> {
    for (let at = 0; at < items.length; at += requestWindow) {
      const some = items.slice(at, at + requestWindow);
      await Promise.all(some.map((item) => this.#connection.attempt(signal, (link) => run(link, item))));
    }
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

/** Removes the message at `position`; that there is none is fine. */
async function remove({ jetStream }: Link, { stream }: StreamNames, position: number): Promise<void> {
  try {
    await jetStream.streams.deleteMessage(stream, position, false);
  } catch (error) {
    if (!(error instanceof JetStreamApiError && noSuchMessage.includes(error.code))) throw error;
  }
}

/** The server's codes for: no message found, sequence not found, and a deletion that failed because of either. */
const noSuchMessage: readonly number[] = [JetStreamApiCodes.NoMessageFound, 10043, 10057];
