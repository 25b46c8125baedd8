import type { Duplex } from 'node:stream';
import { Framer } from '../framing.ts';
import { isArray, isObject } from '../json.ts';
import { wire } from './streams.ts';

/** Answers a request; what it throws as a string becomes the error. `undefined` leaves the request unanswered. */
export type Answer = (method: string, params: readonly unknown[]) => unknown;

/** A server of a few lines that says what a test wants said; each dial is a new wire. */
export class FakeServer {
  readonly received: { readonly method: unknown; readonly params: unknown; readonly id: unknown; result?: unknown }[] =
    [];
  #answer: Answer;
  #streams: Duplex[] = [];

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  get dials(): number {
    return this.#streams.length;
  }

  readonly dial = (): Promise<Duplex> => {
    const [near, far] = wire();
    const framer = new Framer(1 << 20);
    far.on('data', (chunk: Uint8Array) => framer.push(chunk, (message) => this.#take(far, message)));
    far.on('error', () => {});
    this.#streams.push(far);
    return Promise.resolve(near);
  };

  answerWith(answer: Answer): void {
    this.#answer = answer;
  }

  send(text: string): void {
    this.#streams.at(-1)?.write(text);
  }

  notify(method: string, ...params: unknown[]): void {
    this.send(JSON.stringify({ method, params, id: null }));
  }

  hangUp(): void {
    this.#streams.at(-1)?.destroy();
  }

  #take(far: Duplex, message: unknown): void {
    if (!isObject(message)) return;
    const { method, params, id, result } = message;
    this.received.push({ method, params, id, result });
    if (typeof method !== 'string' || id === null) return;
    try {
      const answered = this.#answer(method, isArray(params) ? params : []);
      if (answered !== undefined) far.write(JSON.stringify({ id, result: answered, error: null }));
    } catch (error) {
      far.write(JSON.stringify({ id, error }));
    }
  }
}
