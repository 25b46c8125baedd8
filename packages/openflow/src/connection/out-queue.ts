import type { Duplex } from 'node:stream';
import { OpenFlowError } from '../errors.ts';

type Waiting = { readonly bytes: Uint8Array; readonly done: () => void; readonly fail: (error: OpenFlowError) => void };

/**
 * Writes to a stream in the order of calls and no faster than it takes the bytes: what finds the stream full waits
 * for its turn. At most `limit` writes wait; more are refused with `overloaded`. What is written in one go leaves in
 * one piece, so that many short messages wake the other side once.
 */
export class OutQueue {
  readonly #stream: Duplex;
  readonly #limit: number;
  #waiting: Waiting[] = [];
  #isGathering = false;

  constructor(stream: Duplex, limit: number) {
    this.#stream = stream;
    this.#limit = limit;
    stream.on('drain', () => this.#flush());
  }

  /** Resolves once the stream has taken the bytes. They must not change afterwards. */
  write(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (this.#waiting.length === 0 && !this.#stream.writableNeedDrain) {
      this.#gather();
      this.#stream.write(bytes);
      return Promise.resolve();
    }
    if (this.#waiting.length >= this.#limit) {
      return Promise.reject(new OpenFlowError('overloaded', `${this.#limit} messages wait for the stream`));
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        waiting.fail(aborted(signal));
      };
      const stop = (): void => signal?.removeEventListener('abort', giveUp);
      const waiting: Waiting = {
        bytes,
        done: () => {
          stop();
          resolve();
        },
        fail: (error) => {
          stop();
          reject(error);
        },
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(waiting);
    });
  }

  /** Refuses everything that waits. */
  fail(error: OpenFlowError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { fail } of waiting) fail(error);
  }

  /** Until what runs now has said everything. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#stream.cork();
    queueMicrotask(() => {
      this.#isGathering = false;
      this.#stream.uncork();
    });
  }

  #flush(): void {
    if (this.#waiting.length > 0) this.#gather();
    while (!this.#stream.writableNeedDrain) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#stream.write(next.bytes);
      next.done();
    }
  }
}

/** The error of a caller that gave up. */
export function aborted(signal: AbortSignal | undefined): OpenFlowError {
  return new OpenFlowError('aborted', 'the caller gave up', { cause: signal?.reason });
}
