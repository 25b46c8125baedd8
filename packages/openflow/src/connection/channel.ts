import type { Duplex } from 'node:stream';
import { ByteWriter } from '../bytes/writer.ts';
import { OpenFlowError } from '../errors.ts';
import { decodeMessage } from '../messages/decode.ts';
import { writeMessage } from '../messages/encode.ts';
import type { ErrorMessage, Message } from '../messages/types.ts';
import { Framer } from './framer.ts';
import { OutQueue } from './out-queue.ts';
import { SwitchError } from './switch-error.ts';

/** Who waits for answers to the transaction ids `first` to `last`. */
export type Waiter = {
  readonly first: number;
  readonly last: number;
  /** Gets each answer that is not an error. */
  readonly answered: (message: Message) => void;
  /** Gets a refusal, an answer that cannot be read, or the end of the connection (with xid 0). */
  readonly failed: (error: OpenFlowError, xid: number) => void;
  /** What was asked, for the refusal to quote. */
  readonly requestOf?: (xid: number) => Message | undefined;
};

export type ChannelEvents = {
  /** A message that nobody waits for. Throwing closes the channel. */
  readonly message: (message: Message, xid: number, version: number) => void;
  /** A refusal, or an unreadable message, that nobody waits for. */
  readonly error: (error: OpenFlowError) => void;
};

const MAX_XID = 0xffff_ffff;

/**
 * Messages over a byte stream, and answers back to whoever waits for them: matching by transaction id (section
 * 6.2), back-pressure both ways, one end for all. Knows no request, no time and no meaning of messages.
 */
export class Channel {
  readonly closed: Promise<OpenFlowError>;
  readonly #stream: Duplex;
  readonly #events: ChannelEvents;
  readonly #framer = new Framer();
  readonly #writer = new ByteWriter();
  readonly #out: OutQueue;
  readonly #limit: number;
  /** By first xid. Ranges are few (one per batch), so a miss may look at each. */
  readonly #waiters = new Map<number, Waiter>();
  #nextXid = 1;
  #end: OpenFlowError | undefined;
  #resolveClosed!: (reason: OpenFlowError) => void;
  #received = 0;

  constructor(stream: Duplex, limit: number, events: ChannelEvents) {
    this.#stream = stream;
    this.#events = events;
    this.#limit = limit;
    this.#out = new OutQueue(stream, limit);
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', (cause) => this.close(new OpenFlowError('closed', 'the stream failed', { cause })));
    stream.on('end', () => this.close(new OpenFlowError('closed', 'the switch ended the connection')));
    stream.on('close', () => this.close(new OpenFlowError('closed', 'the stream is closed')));
  }

  /** Messages received so far: a change says that the switch lives. */
  get received(): number {
    return this.#received;
  }

  /** Nothing is read from the stream at the moment, by `pause`. */
  get paused(): boolean {
    return this.#stream.isPaused();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (this.#end === undefined) this.#stream.resume();
  }

  /** Ends the channel; whoever waits fails with `reason`. Idempotent. */
  close(reason: OpenFlowError): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#stream.destroy();
    this.#out.fail(reason);
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.failed(reason, 0);
    this.#resolveClosed(reason);
  }

  /** Throws why the channel has ended, if it has. */
  assertOpen(): void {
    if (this.#end !== undefined) throw this.#end;
  }

  /** `count` transaction ids in a row, never 0; returns the first. */
  xids(count: number): number {
    if (this.#nextXid + count - 1 > MAX_XID) this.#nextXid = 1;
    const first = this.#nextXid;
    this.#nextXid += count;
    return first;
  }

  /** Registers a waiter; returns how to stop waiting. Throws `overloaded` if too many wait, or why the channel ended. */
  expect(waiter: Waiter): () => void {
    this.assertOpen();
    if (this.#waiters.size >= this.#limit) {
      throw new OpenFlowError('overloaded', `${this.#limit} requests are unanswered`);
    }
    this.#waiters.set(waiter.first, waiter);
    return () => {
      if (this.#waiters.get(waiter.first) === waiter) this.#waiters.delete(waiter.first);
    };
  }

  /** Encodes at once, sends in order of calls, resolves when the stream has taken it. */
  async send(message: Message, xid: number, signal?: AbortSignal): Promise<void> {
    this.assertOpen();
    this.#writer.reset();
    writeMessage(this.#writer, message, xid);
    await this.#out.write(this.#writer.copy(), signal);
  }

  /** Sends bytes that are whole messages. */
  async sendBytes(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    this.assertOpen();
    await this.#out.write(bytes, signal);
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#framer.push(chunk)) {
        if (this.#end !== undefined) return;
        this.#received += 1;
        this.#deliver(frame);
      }
    } catch (error) {
      const reason =
        error instanceof OpenFlowError ? error : new OpenFlowError('closed', 'a listener failed', { cause: error });
      this.close(reason);
    }
  }

  #deliver(frame: Buffer): void {
    const xid = frame.readUInt32BE(4);
    const waiter = this.#waiterOf(xid);
    const decoded = decodeOr(frame);
    if (decoded instanceof OpenFlowError) {
      // Another version on an agreed connection means that the two sides do not understand each other at all.
      if (decoded.code === 'bad_version') throw decoded;
      (waiter?.failed ?? this.#events.error)(decoded, xid);
      return;
    }
    const { message, version } = decoded;
    if (message.type === 'error') this.#refused(message, xid, waiter);
    else if (waiter === undefined || message.type === 'echo_request') this.#events.message(message, xid, version);
    else waiter.answered(message);
  }

  #refused(message: ErrorMessage, xid: number, waiter: Waiter | undefined): void {
    if (waiter !== undefined) waiter.failed(new SwitchError(message, waiter.requestOf?.(xid)), xid);
    else this.#events.error(new SwitchError(message, quoted(message)));
  }

  #waiterOf(xid: number): Waiter | undefined {
    const exact = this.#waiters.get(xid);
    if (exact !== undefined) return exact;
    for (const waiter of this.#waiters.values()) {
      if (xid > waiter.first && xid <= waiter.last) return waiter;
    }
    return undefined;
  }
}

function decodeOr(frame: Buffer): ReturnType<typeof decodeMessage> | OpenFlowError {
  try {
    return decodeMessage(frame);
  } catch (error) {
    if (error instanceof OpenFlowError) return error;
    throw error;
  }
}

/** The refused message, if the switch has quoted all of it. */
function quoted(error: ErrorMessage): Message | undefined {
  const decoded = decodeOr(Buffer.from(error.data));
  return decoded instanceof OpenFlowError ? undefined : decoded.message;
}
