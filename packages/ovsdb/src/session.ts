import type { Duplex } from 'node:stream';
import type { ConnectOptions, Limits } from './api.ts';
import { deferred } from './deferred.ts';
import { asOvsdbError, OvsdbError } from './error.ts';
import { Framer } from './framing.ts';
import { isArray, isObject } from './json.ts';

type Json = Readonly<Record<string, unknown>>;

interface PendingCall {
  readonly answered: (message: Json) => void;
  readonly failed: (error: unknown) => void;
}

export interface SessionOptions extends Pick<ConnectOptions, 'sleep'> {
  readonly stream: Duplex;
  readonly limits: Limits;
  /** Called in the order of arrival, between the answers. What it throws ends the session. */
  readonly onNotification: (method: string, params: readonly unknown[]) => void;
}

/**
 * JSON-RPC 1.0 over one byte stream, as RFC 7047 section 4 uses it, until the stream ends. An answer is decoded at the moment
 * it arrives and not a microtask later, since notifications right behind it build upon what it said.
 */
export class Session {
  /** Resolves, with the reason, once; every call under way has then been rejected. */
  readonly ended: Promise<OvsdbError>;
  readonly #ending = deferred<OvsdbError>();
  readonly #options: SessionOptions;
  readonly #calls = new Map<number, PendingCall>();
  readonly #life = new AbortController();
  #nextId = 1;
  #chunks = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.ended = this.#ending.promise;
    const framer = new Framer(options.limits.messageBytes);
    const { stream } = options;
    stream.on('data', (chunk: Uint8Array) => {
      this.#guard(() => {
        this.#chunks += 1;
        framer.push(chunk, (message) => this.#take(message));
      });
    });
    stream.on('error', (error) => this.end(asOvsdbError('disconnected', error)));
    stream.on('close', () => this.end(new OvsdbError('disconnected', 'the stream closed')));
    stream.on('end', () => this.end(new OvsdbError('disconnected', 'the server closed the connection')));
    void this.#keepAlive();
  }

  /** Sends a request; resolves with what `decode` makes of the result, rejects with what the server or `decode` objects to. */
  call<T>(method: string, params: unknown, decode: (result: unknown) => T, signal?: AbortSignal): Promise<T> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise<T>((resolve, reject) => {
      const aborted = (): void => {
        this.#calls.delete(id);
        // Only a transaction can be withdrawn (RFC 7047 section 4.1.4); the server drops it if it is still waiting.
        if (method === 'transact') this.#guard(() => this.#send({ method: 'cancel', params: [id], id: null }));
        reject(signal?.reason);
      };
      const settle = (run: () => void): void => {
        this.#calls.delete(id);
        signal?.removeEventListener('abort', aborted);
        run();
      };
      signal?.throwIfAborted();
      if (this.#life.signal.aborted) throw this.#life.signal.reason;
      if (this.#calls.size >= this.#options.limits.pendingCalls) {
        throw new OvsdbError('overloaded', `${this.#calls.size} calls are under way`);
      }
      this.#send({ method, params, id });
      this.#calls.set(id, {
        answered: (message) =>
          settle(() => {
            try {
              resolve(decode(resultOf(method, message)));
            } catch (error) {
              reject(error);
            }
          }),
        failed: (error) => settle(() => reject(error)),
      });
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Rejects all calls with `error` and destroys the stream. Idempotent. */
  end(error: OvsdbError): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort(error);
    this.#options.stream.destroy();
    for (const call of this.#calls.values()) call.failed(error);
    this.#ending.resolve(error);
  }

  #take(message: unknown): void {
    // The rest of a chunk whose earlier message ended the session.
    if (this.#life.signal.aborted) return;
    if (!isObject(message)) throw new OvsdbError('protocol', 'message is not an object');
    if (typeof message['method'] === 'string') this.#asked(message['method'], message);
    else if (typeof message['id'] === 'number') this.#calls.get(message['id'])?.answered(message);
    else throw new OvsdbError('protocol', 'message is neither request, notification nor answer');
  }

  #asked(method: string, { id = null, params }: Json): void {
    if (id === null) this.#options.onNotification(method, isArray(params) ? params : []);
    else if (method === 'echo') this.#send({ id, result: params ?? [], error: null });
    else this.#send({ id, result: null, error: 'unknown method' });
  }

  #send(message: Json): void {
    const { stream, limits } = this.#options;
    if (stream.writableLength > limits.unsentBytes) {
      throw new OvsdbError('overloaded', `the server has not taken ${stream.writableLength} bytes`);
    }
    stream.write(JSON.stringify(message));
  }

  /** Counts chunks instead of reading a clock: none within one pause, and none in the next despite an echo, is the end. */
  async #keepAlive(): Promise<void> {
    const { sleep, limits } = this.#options;
    const { signal } = this.#life;
    try {
      for (;;) {
        let seen = this.#chunks;
        await sleep(limits.silenceMs, signal);
        if (this.#chunks !== seen) continue;
        seen = this.#chunks;
        this.#send({ method: 'echo', params: [], id: 0 });
        await sleep(limits.silenceMs, signal);
        if (this.#chunks === seen) throw new OvsdbError('disconnected', 'the server does not answer an echo');
      }
    } catch (error) {
      this.end(asOvsdbError('disconnected', error));
    }
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.end(asOvsdbError('protocol', error));
    }
  }
}

function resultOf(method: string, message: Json): unknown {
  const error = message['error'];
  if (error === null || error === undefined) return message['result'];
  const { error: name, details } = isObject(error) ? error : { error, details: undefined };
  const text = [name, details].filter((part) => typeof part === 'string').join(': ');
  if (name === 'unknown method') throw new OvsdbError('unsupported', `${method}: ${text}`);
  throw new OvsdbError('refused', `${method}: ${text === '' ? JSON.stringify(error) : text}`);
}
