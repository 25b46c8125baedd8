import { setMaxListeners } from 'node:events';
import { JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { QueueUnreachable } from '../../message-queue.ts';
import { realClock } from '../clock.ts';
import { realRandom } from '../random.ts';

/** One connection to a server, for as long as it lasts. */
export interface Link {
  readonly connection: NatsConnection;
  readonly jetStream: JetStreamManager;
  /** Aborts when the connection is lost; there is another link then. */
  readonly lost: AbortSignal;
}

/** Something that is likely to work a little later. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain';
}

/** How long one request may take, in ms. */
const requestTimeoutMs = 3_000;
/** How long a server may take to greet, in ms. */
const connectTimeoutMs = 2_000;
/** A server that vanished without a word is noticed after twice this, in ms. */
const pingIntervalMs = 5_000;
const [firstWaitMs, longestWaitMs] = [50, 1_000];

/**
 * Keeps a link to one of the servers. A link never comes back to life, so what belongs to it (subscriptions, messages under way) ends with it
 * and nobody has to ask which of it survived.
 */
export class Connection {
  readonly #servers: Set<string>;
  readonly #unreachableAfterMs: number;
  readonly #closed = new AbortController();
  #link: Link | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(servers: readonly string[], unreachableAfterMs: number) {
    this.#servers = new Set(servers);
    this.#unreachableAfterMs = unreachableAfterMs;
    setMaxListeners(0, this.#closed.signal);
    void this.#keepLinked();
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  async close(): Promise<void> {
    this.#closed.abort(new QueueUnreachable('the connection to the queue has been closed'));
    await this.#link?.connection.close();
  }

  /**
   * Does `use`, again and again when the queue is away, which it may be for `unreachableAfterMs`; then throws `QueueUnreachable`.
   * `use` may be broken off anywhere, so it must do no harm when it is done twice.
   */
  async attempt<T>(signal: AbortSignal, use: (link: Link) => Promise<T>): Promise<T> {
    const giveUpAt = realClock.now() + this.#unreachableAfterMs;
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      const link = await this.#linkBefore(giveUpAt, signal);
      try {
        return await use(link);
      } catch (error) {
        signal.throwIfAborted();
        if (!mayPass(error)) throw error;
        if (realClock.now() + waitMs >= giveUpAt)
          throw new QueueUnreachable('the queue does not answer', { cause: error });
      }
      await realClock.sleep(waitMs, signal);
    }
  }

  async #linkBefore(giveUpAt: number, signal: AbortSignal): Promise<Link> {
    signal.throwIfAborted();
    if (this.#link !== undefined) return this.#link;
    const linked = new AbortController();
    const wake = (): void => linked.abort();
    const either = AbortSignal.any([signal, this.#closed.signal, linked.signal]);
    this.#waiting.add(wake);
    while (this.#link === undefined && !either.aborted && realClock.now() < giveUpAt)
      await realClock.sleep(giveUpAt - realClock.now(), either).catch(() => {});
    this.#waiting.delete(wake);
    signal.throwIfAborted();
    this.#closed.signal.throwIfAborted();
    if (this.#link === undefined)
      throw new QueueUnreachable(`cannot reach the queue at ${[...this.#servers].join(', ')}`);
    return this.#link;
  }

  async #keepLinked(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      await this.#beLinked().catch(() => {});
      await realClock.sleep(100 + 200 * realRandom.next(), this.#closed.signal).catch(() => {});
    }
  }

  /** Connects and waits for the end of it. */
  async #beLinked(): Promise<void> {
    const connection = await connect({
      servers: [...this.#servers],
      reconnect: false,
      timeout: connectTimeoutMs,
      pingInterval: pingIntervalMs,
      maxPingOut: 2,
    });
    if (this.#closed.signal.aborted) return connection.close();
    const lost = new AbortController();
    setMaxListeners(0, lost.signal);
    const jetStream = await jetstreamManager(connection, { checkAPI: false, timeout: requestTimeoutMs });
    this.#link = { connection, jetStream, lost: lost.signal };
    for (const wake of this.#waiting) wake();
    await connection.closed();
    for (const { listen } of connection.getServers()) this.#servers.add(listen);
    this.#link = undefined;
    lost.abort();
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status >= 500;
  if (passing.some((kind) => error instanceof kind)) return true;
  return error instanceof Error && error.cause !== undefined && mayPass(error.cause);
}

const passing = [
  TryAgain,
  errors.TimeoutError,
  errors.RequestError,
  errors.ClosedConnectionError,
  errors.DrainingConnectionError,
];
