import { type QueueBatch, type QueueMessage, TopicGone } from '../../message-queue.ts';
import type { Timer } from '../../runtime.ts';
import { createWakeup } from '../../signal.ts';
import { realClock } from '../clock.ts';
import { type Connection, type Link, TryAgain } from './connection.ts';
import { type Consumer, consume } from './consumer.ts';
import { findMessage, gone, isClustered, isGone, readMark, type StreamNames, streamInfo } from './stream.ts';

/** How long one part of a reading may be behind another before the queue is asked whether there is anything in between, in ms. */
const lagMs = 200;

/** How long a leader may be behind what the cluster has told before, in ms. */
const behindMs = 5_000;

/** What is read by one consumer: the messages of one filter. */
interface Part {
  readonly filter: string;
  /** Position of the last message that came, or up to where there is known to be none. */
  received: number;
  /** The same for what has been given to the reader. */
  given: number;
  /** Matching messages that the server still has, by its last word. */
  pending: number;
  consumer: Consumer | undefined;
}

type Item = { readonly part: Part; readonly message: QueueMessage } | { readonly goOn: () => void };

/**
 * One reading of a topic. Servers before 2.10 know one filter per consumer, so there is a consumer for each; a position is what all of them have
 * passed. One that has nothing to say does not move by itself: the stream's leader is asked whether there is a message in between.
 */
export class Reading {
  readonly #connection: Connection;
  readonly #names: StreamNames;
  readonly #parts: readonly Part[];
  readonly #news = createWakeup();
  readonly #over = new AbortController();
  /** The stream when the reading began. */
  #begun: { readonly created: string; readonly end: number } | undefined;
  #items: Item[] = [];
  /** Consumers have been stopped. */
  #isDisturbed = false;
  #behindSince: number | undefined;
  #leave: (() => void) | undefined;
  #proof: Timer | undefined;

  constructor(connection: Connection, names: StreamNames, subjects: readonly string[], position: number) {
    this.#connection = connection;
    this.#names = names;
    this.#parts = subjects.map((subject) => ({
      filter: `${names.root}.${subject}`,
      received: position,
      given: position,
      pending: 1,
      consumer: undefined,
    }));
  }

  async *batches(signal: AbortSignal): AsyncGenerator<QueueBatch, void> {
    let told = { position: this.#position, caughtUp: false };
    try {
      while (!signal.aborted) {
        if (this.#items.length === 0 && this.#isSilent)
          await this.#connection.attempt(signal, (link) => this.#follow(link, signal));
        const items = this.#items.splice(0);
        const messages = items.flatMap((item) => ('message' in item ? this.#give(item.part, item.message) : []));
        const now = { position: this.#position, caughtUp: this.#position >= this.#begun!.end };
        const isNews = now.position > told.position || now.caughtUp !== told.caughtUp;
        if (messages.length > 0 || isNews) yield { messages, ...now };
        told = now;
        for (const item of items) if ('goOn' in item) item.goOn();
        this.#proveLater();
        // The word that a consumer broke may have come with the last items.
        if (!this.#isSilent) await this.#news.wait(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#stop();
    }
  }

  get #isSilent(): boolean {
    return this.#parts.some(({ consumer }) => consumer === undefined);
  }

  get #position(): number {
    return Math.min(...this.#parts.map(({ given }) => given));
  }

  #give(part: Part, message: QueueMessage): readonly QueueMessage[] {
    part.given = Math.max(part.given, message.position);
    return message.subject === this.#names.mark
      ? []
      : [{ ...message, subject: message.subject.slice(this.#names.root.length + 1) }];
  }

  /** Sees to it that every part has a consumer. */
  async #follow(link: Link, signal: AbortSignal): Promise<void> {
    this.#listen(link);
    this.#isDisturbed = link.lost.aborted;
    await this.#lookAtStream(link);
    for (const part of this.#parts) {
      signal.throwIfAborted();
      part.consumer ??= await this.#consume(link, part);
    }
    if (!this.#isDisturbed) return;
    this.#silenceAll();
    throw new TryAgain('the connection or the stream was lost');
  }

  async #consume(link: Link, part: Part): Promise<Consumer> {
    let consumer: Consumer | undefined;
    let isBroken = false;
    try {
      consumer = await consume(link, {
        stream: this.#names.stream,
        filter: part.filter,
        from: part.received + 1,
        onMessage: ({ pending, ...message }) => {
          // One that was overwritten on its way may come after the queue was asked about it.
          part.received = Math.max(part.received, message.position);
          part.pending = pending;
          this.#add({ part, message });
        },
        onPause: (goOn) => this.#add({ goOn }),
        onBroken: () => {
          isBroken = true;
          if (part.consumer === consumer) part.consumer = undefined;
          this.#news.raise();
        },
      });
    } catch (error) {
      throw isGone(error) ? gone(this.#names) : error;
    }
    if (isBroken) throw new TryAgain('the consumer broke');
    if (consumer.pending === 0) part.pending = 0;
    return consumer;
  }

  #add(item: Item): void {
    this.#items.push(item);
    this.#news.raise();
  }

  #silenceAll(): void {
    this.#isDisturbed = true;
    for (const part of this.#parts) {
      part.consumer?.stop();
      part.consumer = undefined;
    }
  }

  /** Whether what is read on is the same topic and whole. Throws `TopicGone` where it is not. */
  async #lookAtStream(link: Link): Promise<void> {
    const { created, state } = await streamInfo(link, this.#names);
    this.#begun ??= { created, end: state.last_seq };
    if (this.#begun.created !== created) throw new TopicGone(`${this.#names.topic} has been made anew`);
    const last = Math.max(...this.#parts.map(({ received }) => received));
    this.#mustReach(last, state.last_seq, link);
    const first = Math.min(...this.#parts.map(({ received }) => received));
    const forgotten = first === 0 ? 0 : ((await readMark(link, this.#names))?.forgotten ?? 0);
    if (first < forgotten) throw new TopicGone(`${this.#names.topic} is not whole after ${first}`);
  }

  #mustReach(position: number, end: number, link: Link): void {
    if (position <= end) {
      this.#behindSince = undefined;
      return;
    }
    this.#behindSince ??= realClock.now();
    const mayPass = isClustered(link) && realClock.now() - this.#behindSince < behindMs;
    throw mayPass
      ? new TryAgain('the leader is behind')
      : new TopicGone(`${this.#names.topic} ends before ${position}`);
  }

  /** All parts fall silent with the link, and when the stream is said to be gone. */
  #listen({ connection, lost }: Link): void {
    this.#leave?.();
    const silence = (): void => {
      this.#silenceAll();
      this.#news.raise();
    };
    const deleted = connection.subscribe(`$JS.EVENT.ADVISORY.STREAM.DELETED.${this.#names.stream}`, {
      callback: silence,
    });
    lost.addEventListener('abort', silence, { once: true });
    this.#leave = () => {
      lost.removeEventListener('abort', silence);
      if (!connection.isClosed()) deleted.unsubscribe();
    };
  }

  /** Up to where every part will have to move. */
  get #target(): number {
    return Math.max(this.#begun?.end ?? 0, ...this.#parts.map(({ given }) => given));
  }

  #proveLater(): void {
    const lagging = this.#parts.filter((part) => part.given < this.#target);
    if (lagging.length === 0 || this.#proof !== undefined) return;
    const isBeginning = this.#position < this.#begun!.end;
    const atOnce = isBeginning && lagging.every(({ pending }) => pending === 0);
    this.#proof = realClock.timer(atOnce ? 0 : lagMs, () => {
      void this.#prove().finally(() => {
        this.#proof = undefined;
        this.#news.raise();
      });
    });
  }

  /** Moves on parts for which there is nothing up to where others are. */
  async #prove(): Promise<void> {
    const target = this.#target;
    const prove = async (part: Part, link: Link): Promise<void> => {
      if (part.given >= target || part.given < part.received) return;
      if (await this.#hasBetween(link, part, target)) return;
      // What has come meanwhile comes after the target.
      part.given = Math.max(part.given, target);
      part.received = Math.max(part.received, target);
    };
    const { signal } = this.#over;
    await Promise.allSettled(this.#parts.map((part) => this.#connection.attempt(signal, (link) => prove(part, link))));
  }

  /** Whether the part has a message after what it received and up to `target`. Throws when nobody can say. */
  async #hasBetween(link: Link, { filter, received }: Part, target: number): Promise<boolean> {
    const leader = await this.#leaderAt(link, target);
    const next = await findMessage(link, this.#names, { next_by_subj: filter, seq: received + 1 });
    if (next !== null) return next.seq <= target;
    if ((await this.#leaderAt(link, target)) !== leader) throw new TryAgain('the leader has changed');
    return false;
  }

  /** Who leads the stream, and has it up to `position`. Of a single server nothing needs to be asked. */
  async #leaderAt(link: Link, position: number): Promise<string | undefined> {
    if (!isClustered(link)) return undefined;
    const { state, cluster } = await streamInfo(link, this.#names);
    if (state.last_seq < position) throw new TryAgain('the leader is behind');
    return cluster?.leader;
  }

  #stop(): void {
    this.#over.abort();
    this.#proof?.cancel();
    this.#leave?.();
    this.#silenceAll();
  }
}
