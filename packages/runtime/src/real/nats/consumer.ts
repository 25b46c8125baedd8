import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { createInbox, type Msg, nanos, type NatsConnection } from '@nats-io/transport-node';
import type { Timer } from '../../runtime.ts';
import { realClock } from '../clock.ts';
import type { Link } from './connection.ts';

/** An ephemeral consumer says this often that it is alive, in ms; silence for two and a half times as long is its end. */
const heartbeatMs = 2_000;
/** How long the server keeps a consumer that nobody listens to, in ms. */
const keptMs = 30_000;

export interface ConsumerOptions {
  readonly stream: string;
  readonly filter: string;
  /** Position of the first message that may come. */
  readonly from: number;
  readonly onMessage: (message: Delivery) => void;
  /** The server sends little more until `goOn` is called, which is to happen when what came before has been dealt with. */
  readonly onPause: (goOn: () => void) => void;
  /** Something is missing or nothing comes any more: the consumer is to be made anew. Called once at most. */
  readonly onBroken: () => void;
}

export interface Delivery {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly position: number;
  /** How many matching messages were still to come. */
  readonly pending: number;
}

export interface Consumer {
  /** How many messages matched when it was made. */
  readonly pending: number;
  stop(): void;
}

/**
 * Messages of one filter, in order and without a gap, until it breaks. (The client's own ordered consumers repair themselves out of sight and take from
 * the server ahead of their reader; here a reader must know what it was given to say its position, and its slowness must reach the server.)
 */
export async function consume({ connection, jetStream }: Link, options: ConsumerOptions): Promise<Consumer> {
  const deliveries = new Deliveries(connection, options);
  try {
    const info = await jetStream.consumers.add(options.stream, {
      deliver_subject: deliveries.inbox,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: options.from,
      filter_subject: options.filter,
      ack_policy: AckPolicy.None,
      flow_control: true,
      idle_heartbeat: nanos(heartbeatMs),
      inactive_threshold: nanos(keptMs),
      mem_storage: true,
      num_replicas: 1,
    });
    const stop = (): void => {
      deliveries.stop();
      if (!connection.isClosed()) jetStream.consumers.delete(options.stream, info.name).catch(() => {});
    };
    return { pending: info.num_pending, stop };
  } catch (error) {
    deliveries.stop();
    throw error;
  }
}

class Deliveries {
  readonly inbox = createInbox();
  readonly #connection: NatsConnection;
  readonly #options: ConsumerOptions;
  readonly #unsubscribe: () => void;
  #timer: Timer;
  #count = 0;
  #heardAt = realClock.now();

  constructor(connection: NatsConnection, options: ConsumerOptions) {
    this.#connection = connection;
    this.#options = options;
    const subscription = connection.subscribe(this.inbox, {
      callback: (error, message) => (error === null ? this.#take(message) : this.#break()),
    });
    this.#unsubscribe = () => subscription.unsubscribe();
    this.#timer = realClock.timer(2.5 * heartbeatMs, this.#check);
  }

  stop(): void {
    this.#timer.cancel();
    if (!this.#connection.isClosed()) this.#unsubscribe();
  }

  readonly #check = (): void => {
    const leftMs = this.#heardAt + 2.5 * heartbeatMs - realClock.now();
    if (leftMs <= 0) this.#break();
    else this.#timer = realClock.timer(leftMs, this.#check);
  };

  #take(message: Msg): void {
    this.#heardAt = realClock.now();
    if (message.headers?.code === 100) return this.#takeStatus(message);
    const { position, count, pending } = deliveryOf(message.reply ?? '');
    if (count !== this.#count + 1) return this.#break();
    this.#count = count;
    this.#options.onMessage({ subject: message.subject, payload: message.data, position, pending });
  }

  /** A heartbeat or a flow-control request; a heartbeat repeats a request that went unanswered. */
  #takeStatus({ headers, reply }: Msg): void {
    const said = headers?.get('Nats-Last-Consumer') ?? '';
    if (said !== '' && Number(said) !== this.#count) return this.#break();
    const ask = reply || headers?.get('Nats-Consumer-Stalled');
    if (ask) this.#options.onPause(() => this.#connection.isClosed() || this.#connection.publish(ask));
  }

  #break(): void {
    this.stop();
    this.#options.onBroken();
  }
}

/** `$JS.ACK.[DOMAIN.ACCOUNT.]STREAM.CONSUMER.DELIVERED.POSITION.COUNT.TIME.PENDING[.RANDOM]` */
function deliveryOf(reply: string): { position: number; count: number; pending: number } {
  const tokens = reply.split('.');
  const at = tokens.length === 9 ? 5 : 7;
  return { position: Number(tokens[at]), count: Number(tokens[at + 1]), pending: Number(tokens[at + 3]) };
}
