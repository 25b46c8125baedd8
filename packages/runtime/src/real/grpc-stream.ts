import { setMaxListeners } from 'node:events';
import { status as statusNames } from '@grpc/grpc-js';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Keepalive, Stream, StreamMethod } from '../runtime.ts';
import { dialBytes } from './dial.ts';
import { Deframer, frameOf } from './grpc-frames.ts';

const connectTimeoutMs = 5_000;
/** For a process that speaks to thousands. */
const seldom: Keepalive = { everyMs: 10_000, answerMs: 5_000 };
/** What the peer may send before it is read. */
const windowBytes = 1 << 20;
/** Messages read from the wire and not yet by whoever iterates. */
const readAheadAtMost = 64;

/**
 * The caller's end of one bidirectional gRPC stream, on a connection of its own, by HTTP/2 as Node has it. A process speaks to thousands of hosts
 * at once, and the general client (with its retries, balancing and interceptors, none of which a stream needs) takes four times as
 * long for a message.
 */
export async function openStream<Request, Reply>(
  method: StreamMethod<Request, Reply>,
  address: string,
  signal: AbortSignal,
  keepalive = seldom,
): Promise<Stream<Request, Reply>> {
  // A process may have streams to thousands of others: that many listeners are no leak.
  setMaxListeners(0, signal);
  const session = await connected(address, signal);
  keepAlive(session, keepalive);
  const stream = session.request(
    {
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: method.path,
      [constants.HTTP2_HEADER_TE]: 'trailers',
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    },
    { endStream: false },
  );
  return new CallerStream(method, session, stream, signal);
}

/** Rejects when nobody answers at `address` who speaks HTTP/2. */
async function connected(address: string, signal: AbortSignal): Promise<ClientHttp2Session> {
  signal.throwIfAborted();
  const patience = new AbortController();
  const giveUp = (): void => patience.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  const timer = setTimeout(() => patience.abort(new Error('no answer in time')), connectTimeoutMs);
  try {
    const socket = await dialBytes(address, patience.signal);
    const session = connect('http://localhost', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    });
    await settled(session);
    session.setLocalWindowSize(windowBytes);
    return session;
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`cannot reach ${address}`, { cause });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

/** The peer has said how it wants to be spoken to. */
function settled(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once('remoteSettings', () => resolve());
    session.once('close', () => reject(new Error('the connection was closed')));
    // Whatever is under way later is told so by its own stream.
    session.on('error', reject);
  });
}

function keepAlive(session: ClientHttp2Session, { everyMs, answerMs }: Keepalive): void {
  let late: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    // Between its end and the word of it.
    if (session.destroyed || session.closed) return;
    late ??= setTimeout(() => {
      // Where this process had no time for so long, the answer may be there and not yet read.
      setImmediate(() => late && session.destroy(new Error('the peer does not answer')));
    }, answerMs);
    session.ping(() => {
      clearTimeout(late);
      late = undefined;
    });
  }, everyMs);
  session.once('close', () => {
    clearInterval(timer);
    clearTimeout(late);
  });
}

/** How a stream ends: as it should, or with the reason. */
type End = { readonly error: Error | undefined };

class CallerStream<Out, In> implements Stream<Out, In> {
  readonly received: AsyncIterable<In>;
  readonly #method: StreamMethod<Out, In>;
  readonly #stream: ClientHttp2Stream;
  readonly #deframer = new Deframer();
  readonly #arrived: Buffer[] = [];
  #trailers: IncomingHttpHeaders = {};
  #end: End | undefined;
  #wake: (() => void) | undefined;
  #drained: (() => void)[] = [];
  #closed = false;

  constructor(
    method: StreamMethod<Out, In>,
    session: ClientHttp2Session,
    stream: ClientHttp2Stream,
    signal: AbortSignal,
  ) {
    this.#method = method;
    this.#stream = stream;
    // A reader that stops early may still have something to say.
    this.received = { [Symbol.asyncIterator]: () => ({ next: () => this.#next() }) };
    const close = (): void => this.close();
    signal.addEventListener('abort', close, { once: true });
    stream.once('close', () => {
      signal.removeEventListener('abort', close);
      this.#finish({ error: refusal(this.#trailers) });
      session.destroy();
    });
    // What went wrong before there was a status.
    stream.on('error', (error) => this.#finish({ error }));
    // A call that is refused at once has its status in the headers.
    stream.once('response', (headers) => (this.#trailers = { ...headers, ...this.#trailers }));
    stream.once('trailers', (trailers) => (this.#trailers = { ...this.#trailers, ...trailers }));
    stream.on('data', (piece: Buffer) => this.#take(piece));
    stream.once('end', () => stream.end());
    stream.on('drain', () => this.#goOn());
    if (signal.aborted) close();
  }

  send(message: Out): Promise<void> {
    if (this.#closed || this.#end !== undefined || this.#stream.destroyed) return Promise.reject(closedError());
    if (this.#stream.write(frameOf(this.#method.request, message))) return Promise.resolve();
    return new Promise((resolve, reject) =>
      this.#drained.push(() => (this.#isOver ? reject(closedError()) : resolve())),
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#goOn();
    this.#wake?.();
  }

  get #isOver(): boolean {
    return this.#closed || this.#end !== undefined;
  }

  #take(piece: Buffer): void {
    try {
      this.#arrived.push(...this.#deframer.take(piece));
    } catch (error) {
      this.#finish({ error: error as Error });
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
    if (this.#arrived.length > readAheadAtMost) this.#stream.pause();
    this.#wake?.();
  }

  #finish(end: End): void {
    this.#end ??= end;
    this.#goOn();
    this.#wake?.();
  }

  #goOn(): void {
    for (const goOn of this.#drained.splice(0)) goOn();
  }

  async #next(): Promise<IteratorResult<In, void>> {
    while (this.#arrived.length === 0 && !this.#isOver) {
      if (this.#stream.isPaused()) this.#stream.resume();
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    const bytes = this.#closed ? undefined : this.#arrived.shift();
    if (bytes !== undefined) return { value: this.#method.reply.decode(bytes), done: false };
    if (!this.#closed && this.#end?.error !== undefined) throw this.#end.error;
    return { value: undefined, done: true };
  }
}

function closedError(): Error {
  return new Error('the stream is closed');
}

/** Undefined: all is well. */
function refusal(trailers: IncomingHttpHeaders): Error | undefined {
  const code = trailers['grpc-status'];
  if (code === '0') return undefined;
  if (code === undefined) return new Error('the connection was lost');
  return new Error(`${String(code)} ${statusNames[Number(code)] ?? 'UNKNOWN'}: ${wordsOf(trailers)}`);
}

/** Percent-encoded where it is not ASCII; whoever encodes it otherwise is quoted. */
function wordsOf(trailers: IncomingHttpHeaders): string {
  const text = String(trailers['grpc-message'] ?? '');
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
