/**
 * One TCP connection that a guest has opened, as the host's end of it: a stream of bytes each way. What RFC 9293 asks of who only listens,
 * without options but the segment size, and with a window of a few segments: both ends are on one host.
 */
import type { Clock, Timer } from '@alcor/runtime';
import { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import { FLAG, type Segment } from './segment.ts';

/** Bytes that a guest may have sent and nobody read yet. */
const RECEIVE_BYTES = 65_535;
/** Bytes that wait to be sent before whoever writes is held. */
const SEND_BYTES = 65_536;
/** Segments under way. */
const IN_FLIGHT = 8;
/** RFC 9293 section 3.7.1; less would only make more packets. */
const LEAST_SEGMENT = 536;
const MOST_SEGMENT = 1_400;
const FIRST_RETRY_MS = 300;
const RETRIES = 6;
const IDLE_MS = 60_000;

export interface ConnectionOptions {
  readonly clock: Clock;
  /** The first sequence number. */
  readonly initial: number;
  readonly send: (segment: Segment) => void;
  /** Called once the guest has confirmed that it is open. */
  readonly onOpen: (stream: Duplex) => void;
  readonly onEnd: () => void;
}

const none = new Uint8Array(0);

export class Connection extends Duplex {
  readonly #options: ConnectionOptions;
  readonly #initial: number;
  readonly #peerInitial: number;
  readonly #segment: number;
  #isOpen = false;
  /** Of what the guest has not confirmed, the first byte's number. */
  #unconfirmed: number;
  #next: number;
  #expected: number;
  #window: number;
  /** From `#unconfirmed` on. */
  #out: Uint8Array = none;
  #accepted: (() => void) | undefined;
  #isEnding = false;
  #hasEnded = false;
  #peerHasEnded = false;
  #retries = 0;
  #retry: Timer | undefined;
  #idle: Timer | undefined;

  /** Answers the segment that opens it. */
  constructor(opening: Segment, options: ConnectionOptions) {
    super({ allowHalfOpen: true, writableHighWaterMark: SEND_BYTES, readableHighWaterMark: RECEIVE_BYTES });
    this.#options = options;
    this.#initial = options.initial;
    this.#peerInitial = opening.sequence;
    this.#unconfirmed = options.initial;
    this.#next = (options.initial + 1) >>> 0;
    this.#expected = (opening.sequence + 1) >>> 0;
    this.#window = opening.window;
    this.#segment = Math.min(Math.max(opening.most, LEAST_SEGMENT), MOST_SEGMENT);
    this.#listen();
    this.#resend();
  }

  /** What the guest has sent. */
  onSegment(segment: Segment): void {
    const { flags, sequence } = segment;
    this.#listen();
    if ((flags & FLAG.rst) !== 0) {
      if (sequence === this.#expected) this.destroy();
      return;
    }
    if ((flags & FLAG.syn) !== 0) {
      if (sequence === this.#peerInitial && !this.#isOpen) this.#sendOpening();
      else this.#acknowledge();
      return;
    }
    if ((flags & FLAG.ack) === 0 || !this.#confirm(segment)) return;
    this.#receive(segment);
    this.#pump();
    if (this.#peerHasEnded && this.#hasEnded && this.#unconfirmed === this.#next) this.destroy();
  }

  override _read(): void {
    // What comes is pushed as it comes.
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, accepted: (error?: Error | null) => void): void {
    this.#out = Buffer.concat([this.#out, chunk]);
    this.#accepted = accepted;
    this.#pump();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#isEnding = true;
    this.#pump();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#retry?.cancel();
    this.#idle?.cancel();
    const isOver = this.#peerHasEnded && this.#hasEnded;
    if (!isOver) this.#say(FLAG.rst | FLAG.ack, this.#next, none);
    this.#options.onEnd();
    done(error);
  }

  #listen(): void {
    this.#idle?.cancel();
    this.#idle = this.#options.clock.timer(IDLE_MS, () => this.destroy());
  }

  /** False where it confirms what has not been sent. */
  #confirm({ acknowledged, window }: Segment): boolean {
    const count = (acknowledged - this.#unconfirmed) | 0;
    if (count > ((this.#next - this.#unconfirmed) | 0)) {
      this.#acknowledge();
      return false;
    }
    this.#window = window;
    if (count <= 0) return true;
    const opens = !this.#isOpen;
    this.#out = this.#out.subarray(Math.min(opens ? count - 1 : count, this.#out.length));
    this.#unconfirmed = acknowledged;
    this.#retries = 0;
    this.#retry?.cancel();
    this.#retry = undefined;
    if (opens) {
      this.#isOpen = true;
      this.#options.onOpen(this);
    }
    return true;
  }

  #receive({ sequence, data, flags }: Segment): void {
    const isLast = (flags & FLAG.fin) !== 0;
    if (data.length === 0 && !isLast) return;
    // What has come already is cut off; what is ahead of its turn comes again.
    const old = (this.#expected - sequence) | 0;
    const fits = this.readableLength + data.length <= RECEIVE_BYTES;
    if (old >= 0 && old <= data.length && !this.#peerHasEnded && fits) {
      const fresh = data.subarray(old);
      this.#expected = (this.#expected + fresh.length + (isLast ? 1 : 0)) >>> 0;
      if (fresh.length > 0) this.push(fresh);
      if (isLast) {
        this.#peerHasEnded = true;
        this.push(null);
      }
    }
    this.#acknowledge();
  }

  /** Sends what may be sent. */
  #pump(): void {
    if (!this.#isOpen || this.destroyed) return;
    const most = Math.min(this.#window, IN_FLIGHT * this.#segment);
    for (let under = this.#underWay(); under < Math.min(this.#out.length, most); under = this.#underWay()) {
      const data = this.#out.subarray(under, Math.min(under + this.#segment, most));
      this.#say(FLAG.psh | FLAG.ack, this.#next, data);
      this.#next = (this.#next + data.length) >>> 0;
    }
    if (this.#isEnding && !this.#hasEnded && this.#underWay() === this.#out.length) {
      this.#say(FLAG.fin | FLAG.ack, this.#next, none);
      this.#next = (this.#next + 1) >>> 0;
      this.#hasEnded = true;
    }
    if (this.#out.length < SEND_BYTES) {
      const accepted = this.#accepted;
      this.#accepted = undefined;
      accepted?.();
    }
    this.#arm();
  }

  #underWay(): number {
    return (this.#next - this.#unconfirmed) | 0;
  }

  /** Until all that was said is confirmed it is said again, with more and more time between; also where the guest's window is closed. */
  #arm(): void {
    if (this.#retry !== undefined || (this.#unconfirmed === this.#next && this.#out.length === 0)) return;
    this.#retry = this.#options.clock.timer(FIRST_RETRY_MS * 2 ** this.#retries, () => {
      this.#retry = undefined;
      this.#retries += 1;
      if (this.#retries > RETRIES) this.destroy();
      else this.#resend();
    });
  }

  #resend(): void {
    if (!this.#isOpen) this.#sendOpening();
    else if (this.#out.length > 0) {
      const data = this.#out.subarray(0, this.#segment);
      this.#say(FLAG.psh | FLAG.ack, this.#unconfirmed, data);
      if (this.#underWay() < data.length) this.#next = (this.#unconfirmed + data.length) >>> 0;
    } else this.#say(FLAG.fin | FLAG.ack, this.#unconfirmed, none);
    this.#arm();
  }

  #sendOpening(): void {
    const { send } = this.#options;
    send({
      sequence: this.#initial,
      acknowledged: this.#expected,
      flags: FLAG.syn | FLAG.ack,
      window: RECEIVE_BYTES,
      most: MOST_SEGMENT,
      data: none,
    });
  }

  #acknowledge(): void {
    this.#say(FLAG.ack, this.#next, none);
  }

  #say(flags: number, sequence: number, data: Uint8Array): void {
    const window = Math.max(0, RECEIVE_BYTES - this.readableLength);
    this.#options.send({ sequence, acknowledged: this.#expected, flags, window, most: 0, data });
  }
}
