import { afterEach, describe, expect, it } from 'vitest';
import { Fenced, type MessageQueue, QueueUnreachable } from '../../message-queue.ts';
import { hear, Heard, message } from '../../testing/message-queue.contract.ts';
import { missingNatsServer, NatsServer } from '../../testing/nats-server.ts';
import { realClock } from '../clock.ts';
import { natsQueue } from './queue.ts';

const missing = missingNatsServer();
if (missing !== '') console.log(`skipping outages of NATS: ${missing}`);

const never = new AbortController().signal;
const patterns = ['a.>', 'b.>'];

describe.skipIf(missing !== '')('a message queue on NATS, when servers die', () => {
  let servers: readonly NatsServer[] = [];
  const queues: MessageQueue[] = [];
  afterEach(async () => {
    for (const queue of queues.splice(0)) await queue.close();
    for (const server of servers) await server.stop();
  });
  const connect = (replicas = 1, unreachableAfterMs = 30_000): MessageQueue => {
    const queue = natsQueue({ servers: servers.map(({ url }) => url), replicas, unreachableAfterMs });
    queues.push(queue);
    return queue;
  };

  it('loses nothing of what is published and read while its server is killed and started again', async () => {
    servers = [await NatsServer.start()];
    const conversation = new Conversation(connect(), connect());
    for (let round = 0; round < 3; round++) {
      await conversation.progress(2_000);
      await servers[0]!.kill();
      await realClock.sleep(round * 300);
      await servers[0]!.restart();
    }
    await conversation.progress(2_000);
    await conversation.end();
  });

  it('takes a server that stands still for one that is away, and goes on when it moves again', async () => {
    servers = [await NatsServer.start()];
    const conversation = new Conversation(connect(), connect());
    await conversation.progress(1_000);
    servers[0]!.pause();
    await realClock.sleep(4_000);
    servers[0]!.resume();
    await conversation.progress(1_000);
    await conversation.end();
  });

  it('tells a reader and a writer that the queue is unreachable, which is not that the topic is gone', async () => {
    servers = [await NatsServer.start()];
    const queue = connect(1, 3_000);
    const writer = await queue.openWriter('t', 1, never);
    await writer.publish([message('a.1', 'before')], never);
    const heard = new Heard();
    const reading = (async () => {
      for await (const batch of queue.read('t', patterns, 0, never)) heard.take(batch);
    })();
    const unreachable = expect(reading).rejects.toThrow(QueueUnreachable);
    await until(() => heard.caughtUp);
    await servers[0]!.kill();
    await unreachable;
    await expect(writer.publish([message('a.2', 'lost?')], never)).rejects.toThrow(QueueUnreachable);
    await expect(queue.openWriter('t', 1, never)).rejects.toThrow(QueueUnreachable);
    await servers[0]!.restart();
    await onceReached(() => writer.publish([message('a.2', 'again'), message('b.3', 'after')], never));
    const rest = await hear(queue, 't', patterns, ({ caughtUp }) => caughtUp, heard.position);
    expect([...rest.values].sort()).toEqual([
      ['a.2', 'again'],
      ['b.3', 'after'],
    ]);
  });

  it('lets a writer that was broken off in the middle say something else next, and nothing of before comes later', async () => {
    servers = [await NatsServer.start()];
    const queue = connect();
    const writer = await queue.openWriter('t', 1, never);
    for (let round = 0; round < 5; round++) {
      const stop = new AbortController();
      const broken = writer.publish(
        Array.from({ length: 5_000 }, (_, i) => message(`a.${i}`, `broken off ${round}`)),
        stop.signal,
      );
      const left = expect(broken).rejects.toThrow();
      await realClock.sleep(20 + 10 * round);
      stop.abort();
      await left;
      const position = await writer.publish([message('a.0', `said ${round}`)], never);
      const { values, position: read } = await hear(queue, 't', patterns, ({ caughtUp }) => caughtUp);
      expect(values.get('a.0')).toBe(`said ${round}`);
      expect(read).toBe(position);
    }
  });

  it('goes on with two of three servers, for a writer and readers of any of them', async () => {
    servers = await NatsServer.cluster(3);
    const conversation = new Conversation(connect(3), connect(3));
    for (const server of servers.slice(0, 2)) {
      await conversation.progress(1_000);
      await server.kill();
      await conversation.progress(1_000);
      await server.restart();
    }
    await conversation.progress(1_000);
    await conversation.end();
    const old = conversation.writer;
    const next = await connect(3).openWriter('t', 5, never);
    await expect(old?.publish([message('a.1', 'too late')], never)).rejects.toThrow(Fenced);
    await next.publish([message('a.1', 'in time')], never);
  });
});

/** A writer that counts, in 500 subjects, and a reader that must see each of them grow to the end. */
class Conversation {
  writer: Awaited<ReturnType<MessageQueue['openWriter']>> | undefined;
  readonly #heard = new Heard();
  readonly #stop = new AbortController();
  readonly #said = new Map<string, string>();
  readonly #writing: Promise<void>;
  readonly #reading: Promise<void>;
  #count = 0;
  #isEnding = false;

  constructor(from: MessageQueue, to: MessageQueue) {
    this.#writing = this.#write(from);
    this.#reading = this.#read(to);
    this.#writing.catch(() => {});
    this.#reading.catch(() => {});
  }

  /** Until the reader has been given `count` more messages. */
  async progress(count: number): Promise<void> {
    const aim = this.#heard.all.length + count;
    const broken = Promise.race([this.#writing, this.#reading]);
    await Promise.race([until(() => this.#heard.all.length >= aim), broken]);
  }

  /** Everything that was said has been heard, growing in every subject and in order. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#writing;
    await until(() => this.#heard.position >= this.writer!.position);
    this.#stop.abort();
    await this.#reading;
    expect(new Map([...this.#heard.values].sort())).toEqual(new Map([...this.#said].sort()));
    expect(this.#heard.disorder).toEqual([]);
    const last = new Map<string, number>();
    for (const each of this.#heard.all) {
      const [subject, count] = each.split('=') as [string, string];
      expect(Number(count)).toBeGreaterThan(last.get(subject) ?? -1);
      last.set(subject, Number(count));
    }
  }

  async #write(queue: MessageQueue): Promise<void> {
    this.writer = await queue.openWriter('t', 1, never);
    while (!this.#isEnding) {
      const batch = Array.from({ length: 50 }, () => {
        const count = this.#count++;
        return message(`${count % 5 === 0 ? 'b' : 'a'}.${count % 500}`, count);
      });
      for (const { subject, payload } of batch) this.#said.set(subject, new TextDecoder().decode(payload));
      await this.writer.publish(batch, never);
    }
  }

  async #read(queue: MessageQueue): Promise<void> {
    await until(() => this.writer !== undefined);
    for await (const batch of queue.read('t', patterns, 0, this.#stop.signal)) this.#heard.take(batch);
  }
}

/** A server may take longer to be there again than the queue has patience for. */
async function onceReached(act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      if (!(error instanceof QueueUnreachable)) throw error;
    }
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await realClock.sleep(5);
}
