import type { Clock, Stream, Timer } from './runtime.ts';

/** Where a message stands in its stream; the contract's `Transmission`. */
export interface Numbering {
  /** 1, 2, 3, …; 0 for a bare acknowledgement. */
  readonly sequence: number;
  /** Every message of the other direction up to this one has been taken. */
  readonly acknowledged: number;
}

export interface Numbered {
  transmission: Numbering | undefined;
}

export interface ReliableOptions<Out> {
  readonly clock: Clock;
  /** A message without content, to carry an acknowledgement. */
  readonly empty: () => Out;
  /** Messages sent and not yet taken by the peer, at most; `send` waits beyond. */
  readonly window?: number;
  /** First wait before sending again, in ms; doubles up to ten times as much while nothing is acknowledged. */
  readonly resendAfterMs?: number;
  /** How long an acknowledgement may wait for a message to ride on, in ms, while less than half a window has been taken. */
  readonly acknowledgeAfterMs?: number;
}

/**
 * Makes a stream deliver once and in order over a wire that loses, repeats and reorders messages (go-back-N).
 * The peer acknowledges what its reader has taken, so a slow reader slows its sender and nothing piles up.
 * A peer that does not number its messages is taken at its word: nothing is sent to it again.
 */
export function reliable<Out extends Numbered, In extends Numbered>(
  stream: Stream<Out, In>,
  options: ReliableOptions<Out>,
): Stream<Out, In> {
  return new ReliableStream(stream, options);
}

class ReliableStream<Out extends Numbered, In extends Numbered> implements Stream<Out, In> {
  readonly received: AsyncIterable<In>;
  readonly #stream: Stream<Out, In>;
  readonly #clock: Clock;
  readonly #empty: () => Out;
  readonly #window: number;
  readonly #resendAfterMs: number;
  readonly #acknowledgeAfterMs: number;

  #sent = 0;
  #taken = 0;
  /** Of those, what the peer has been told that it is taken. */
  #acknowledged = 0;
  #unacknowledged: Out[] = [];
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #waitMs: number;
  /** When what is not acknowledged by then is sent again. */
  #resendAt = 0;
  #resend: Timer | undefined;
  /** When what has been taken is acknowledged, if no message has done so by then; undefined: it has been. */
  #acknowledgeAt: number | undefined;
  #acknowledge: Timer | undefined;
  #closed = false;

  constructor(stream: Stream<Out, In>, options: ReliableOptions<Out>) {
    this.#stream = stream;
    this.#clock = options.clock;
    this.#empty = options.empty;
    this.#window = options.window ?? 8;
    this.#resendAfterMs = options.resendAfterMs ?? 3_000;
    this.#acknowledgeAfterMs = options.acknowledgeAfterMs ?? 200;
    this.#waitMs = this.#resendAfterMs;
    this.received = { [Symbol.asyncIterator]: () => this.#receive() };
  }

  async send(message: Out): Promise<void> {
    while (!this.#closed && this.#unacknowledged.length >= this.#window) {
      await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    }
    if (this.#closed) throw new Error('the stream is closed');
    message.transmission = { sequence: ++this.#sent, acknowledged: this.#taken };
    this.#unacknowledged.push(message);
    if (this.#unacknowledged.length === 1) this.#resendAt = this.#clock.now() + this.#waitMs;
    this.#resend ??= this.#clock.timer(this.#waitMs, this.#lookAgain);
    await this.#transmit(message);
  }

  close(): void {
    this.#stop();
    this.#stream.close();
  }

  async *#receive(): AsyncGenerator<In, void> {
    try {
      for await (const message of this.#stream.received) if (this.#take(message)) yield message;
    } finally {
      this.#stop();
    }
  }

  /** True when the message is the next one with content. */
  #take(message: In): boolean {
    if (message.transmission === undefined) {
      this.#drop(this.#sent);
      return true;
    }
    const { sequence, acknowledged } = message.transmission;
    this.#drop(acknowledged);
    if (sequence === 0) return false;
    if (sequence > this.#taken + 1) return false;
    this.#acknowledgeAt ??= this.#clock.now() + this.#acknowledgeAfterMs;
    this.#acknowledge ??= this.#clock.timer(this.#acknowledgeAfterMs, this.#lookWhatIsTaken);
    if (sequence <= this.#taken) return false;
    this.#taken = sequence;
    if (sequence - this.#acknowledged >= this.#window / 2) this.#sendAcknowledgement();
    return true;
  }

  #drop(acknowledged: number): void {
    const first = this.#sent - this.#unacknowledged.length + 1;
    const count = acknowledged - first + 1;
    if (count <= 0) return;
    this.#unacknowledged.splice(0, count);
    this.#waitMs = this.#resendAfterMs;
    this.#resendAt = this.#clock.now() + this.#waitMs;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** One timer stands for all that is taken while it runs, and one for all that is sent: to set one for each message costs more than the message. */
  readonly #lookWhatIsTaken = (): void => {
    this.#acknowledge = undefined;
    if (this.#acknowledgeAt === undefined) return;
    const leftMs = this.#acknowledgeAt - this.#clock.now();
    if (leftMs <= 0) this.#sendAcknowledgement();
    else this.#acknowledge = this.#clock.timer(leftMs, this.#lookWhatIsTaken);
  };

  readonly #lookAgain = (): void => {
    this.#resend = undefined;
    if (this.#unacknowledged.length === 0) return;
    if (this.#clock.now() >= this.#resendAt) this.#sendAgain();
    this.#resend = this.#clock.timer(this.#resendAt - this.#clock.now(), this.#lookAgain);
  };

  #sendAgain(): void {
    this.#waitMs = Math.min(this.#waitMs * 2, this.#resendAfterMs * 10);
    this.#resendAt = this.#clock.now() + this.#waitMs;
    for (const message of this.#unacknowledged) {
      message.transmission = { sequence: message.transmission?.sequence ?? 0, acknowledged: this.#taken };
      this.#transmit(message).catch(() => this.#stop());
    }
  }

  #sendAcknowledgement(): void {
    const message = this.#empty();
    message.transmission = { sequence: 0, acknowledged: this.#taken };
    this.#transmit(message).catch(() => this.#stop());
  }

  #transmit(message: Out): Promise<void> {
    this.#acknowledgeAt = undefined;
    this.#acknowledged = this.#taken;
    return this.#stream.send(message);
  }

  #stop(): void {
    this.#closed = true;
    this.#resend?.cancel();
    this.#acknowledge?.cancel();
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the stream is closed'));
  }
}
