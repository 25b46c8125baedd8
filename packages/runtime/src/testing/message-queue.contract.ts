import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fenced, type MessageQueue, type QueueBatch, TopicGone, type TopicWriter } from '../message-queue.ts';

/** An empty queue, and what its tests need besides. */
export interface QueueSubject {
  readonly queue: MessageQueue;
  close(): Promise<void>;
}

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A message whose payload is `value`. */
export function message(subject: string, value: string | number) {
  return { subject, payload: utf8.encode(String(value)) };
}

/** What a reader has been told: the newest value of every subject, in the order of the last word on each. */
export class Heard {
  readonly values = new Map<string, string>();
  /** Every message in the order in which it came, as `subject=value`. */
  readonly all: string[] = [];
  position = 0;
  caughtUp = false;
  /** Messages that came in another order than that of their positions, within one pattern. */
  readonly disorder: string[] = [];
  readonly #last = new Map<string, number>();

  take(batch: QueueBatch): this {
    for (const { subject, payload, position } of batch.messages) {
      const value = text.decode(payload);
      const pattern = subject.split('.')[0]!;
      if (position <= (this.#last.get(pattern) ?? 0)) this.disorder.push(`${subject}=${value} at ${position}`);
      this.#last.set(pattern, position);
      this.values.delete(subject);
      this.values.set(subject, value);
      this.all.push(`${subject}=${value}`);
    }
    if (batch.position < this.position) this.disorder.push(`back from ${this.position} to ${batch.position}`);
    if (this.caughtUp && !batch.caughtUp) this.disorder.push('not caught up any more');
    this.position = batch.position;
    this.caughtUp = batch.caughtUp;
    return this;
  }
}

/** Reads until `enough`, then leaves. */
export async function hear(
  queue: MessageQueue,
  topic: string,
  subjects: readonly string[],
  enough: (heard: Heard) => boolean,
  position = 0,
  also: (batch: QueueBatch) => void = () => {},
): Promise<Heard> {
  const heard = new Heard();
  for await (const batch of queue.read(topic, subjects, position, never)) {
    also(batch);
    if (enough(heard.take(batch))) break;
  }
  return heard;
}

const never = new AbortController().signal;
const caughtUp = (heard: Heard): boolean => heard.caughtUp;
const everything = ['a.>', 'b.>'];

/** The promises of a MessageQueue, as tests for every implementation. */
export function describeQueue(implementation: string, open: () => Promise<QueueSubject>): void {
  describe(`message queue: ${implementation}`, () => {
    let subject: QueueSubject;
    let queue: MessageQueue;
    beforeEach(async () => {
      subject = await open();
      queue = subject.queue;
    });
    afterEach(() => subject.close());

    const write = async (topic: string, ...messages: readonly [string, string | number][]): Promise<number> => {
      const writer = await queue.openWriter(topic, 1, never);
      return writer.publish(
        messages.map(([to, value]) => message(to, value)),
        never,
      );
    };

    it('gives a snapshot with the newest message of every subject, then what comes', async () => {
      const writer = await queue.openWriter('t', 1, never);
      await writer.publish([message('a.1', 'old'), message('a.2', 'kept'), message('a.1', 'new')], never);
      const reading = hear(queue, 't', ['a.>'], ({ all }) => all.length === 4);
      const snapshot = await hear(queue, 't', ['a.>'], caughtUp);
      expect(snapshot.all).toEqual(['a.2=kept', 'a.1=new']);
      expect(snapshot.position).toBe(writer.position);
      await writer.publish([message('a.3', 'x')], never);
      const last = await writer.publish([message('a.2', 'y')], never);
      const { all, position, disorder } = await reading;
      expect(all).toEqual(['a.2=kept', 'a.1=new', 'a.3=x', 'a.2=y']);
      expect(position).toBe(last);
      expect(disorder).toEqual([]);
    });

    it('tells a reader of an empty topic that it has everything', async () => {
      await write('t');
      expect((await hear(queue, 't', everything, caughtUp)).all).toEqual([]);
      await write('t', ['c.1', 'not for it']);
      expect((await hear(queue, 't', everything, caughtUp)).all).toEqual([]);
    });

    it('gives a reader only what matches, of several patterns as of one', async () => {
      await write('t', ['a.1', 1], ['b.x.1', 2], ['b.y.1', 3], ['b.x', 4], ['ab.1', 5], ['c', 6], ['c.d', 7]);
      const heard = await hear(queue, 't', ['a.>', 'b.x.>', 'c'], caughtUp);
      expect([...heard.all].sort()).toEqual(['a.1=1', 'b.x.1=2', 'c=6']);
    });

    it('goes on after a position, and loses nothing there', async () => {
      const writer = await queue.openWriter('t', 1, never);
      for (let i = 0; i < 20; i++) await writer.publish([message(`a.${i}`, i), message(`b.${i}`, i)], never);
      const first = await hear(queue, 't', everything, caughtUp);
      for (let i = 10; i < 30; i++) await writer.publish([message(`${i % 2 ? 'a' : 'b'}.${i}`, `new ${i}`)], never);
      const rest = await hear(queue, 't', everything, caughtUp, first.position);
      const wanted = Array.from({ length: 20 }, (_, i) => [`${i % 2 ? 'a' : 'b'}.${i + 10}`, `new ${i + 10}`]);
      for (const [to, value] of wanted) expect(rest.values.get(to!)).toBe(value);
      expect(rest.values.size).toBe(20);
    });

    it('moves its position on to what it has given, also where only one pattern has something', async () => {
      const writer = await queue.openWriter('t', 1, never);
      await writer.publish([message('a.1', 1), message('b.1', 1)], never);
      let last = Number.POSITIVE_INFINITY;
      const reading = hear(queue, 't', everything, ({ position }) => position >= last);
      await hear(queue, 't', everything, caughtUp);
      last = await writer.publish([message('a.2', 2)], never);
      expect((await reading).position).toBe(last);
      await writer.publish([message('c.1', 'for nobody'), message('b.2', 2)], never);
      expect((await hear(queue, 't', everything, caughtUp)).position).toBe(writer.position);
    });

    it('may be left at any position: what comes after is whole', async () => {
      const writer = await queue.openWriter('t', 1, never);
      const published = Array.from({ length: 300 }, (_, i) => message(`${i % 3 === 0 ? 'b' : 'a'}.${i % 50}`, i));
      let position = 0;
      const written = new AbortController();
      const heard = new Map<string, string>();
      const reading = (async () => {
        while (!written.signal.aborted || position < writer.position) {
          for await (const batch of queue.read('t', everything, position, never)) {
            for (const each of batch.messages) heard.set(each.subject, text.decode(each.payload));
            if (batch.position === position && !batch.caughtUp) continue;
            position = batch.position;
            break;
          }
        }
      })();
      for (const each of published) await writer.publish([each], never);
      await writer.publish([message('a.end', ''), message('b.end', '')], never);
      written.abort();
      await reading;
      const wanted = new Map(published.map(({ subject: to, payload }) => [to, text.decode(payload)]));
      expect(heard).toEqual(new Map([...wanted, ['a.end', ''], ['b.end', '']]));
    });

    it('keeps last words until they are purged; who has not read them then begins anew', async () => {
      const writer = await queue.openWriter('t', 1, never);
      const before = await writer.publish([message('a.1', 'x'), message('a.2', 'y')], never);
      await writer.publish([message('a.1', 'gone'), message('a.3', 'z')], never);
      expect((await hear(queue, 't', ['a.>'], caughtUp)).all).toEqual(['a.2=y', 'a.1=gone', 'a.3=z']);
      expect((await hear(queue, 't', ['a.>'], caughtUp, before)).all).toEqual(['a.1=gone', 'a.3=z']);
      const upToDate = writer.position;
      await writer.purge(['a.1', 'a.never'], never);
      expect((await hear(queue, 't', ['a.>'], caughtUp)).all).toEqual(['a.2=y', 'a.3=z']);
      await expect(hear(queue, 't', ['a.>'], caughtUp, before)).rejects.toThrow(TopicGone);
      expect((await hear(queue, 't', ['a.>'], caughtUp, upToDate)).all).toEqual([]);
      await writer.publish([message('a.1', 'again')], never);
      expect((await hear(queue, 't', ['a.>'], caughtUp, upToDate)).all).toEqual(['a.1=again']);
    });

    it('has one writer: whoever opens it next fences the one before, unless its fence is lower', async () => {
      const old = await queue.openWriter('t', 3, never);
      await old.publish([message('a.1', 'old')], never);
      await expect(queue.openWriter('t', 2, never)).rejects.toThrow(Fenced);
      await old.publish([message('a.2', 'still')], never);
      const next = await queue.openWriter('t', 4, never);
      await expect(old.publish([message('a.1', 'too late')], never)).rejects.toThrow(Fenced);
      await expect(old.purge(['a.2'], never)).rejects.toThrow(Fenced);
      await next.publish([message('a.3', 'new')], never);
      await expect(old.publish([message('a.1', 'too late')], never)).rejects.toThrow(Fenced);
      const again = await queue.openWriter('t', 4, never);
      await expect(next.publish([message('a.1', 'too late')], never)).rejects.toThrow(Fenced);
      await again.publish([message('a.4', 'newest')], never);
      const { all } = await hear(queue, 't', ['a.>'], caughtUp);
      expect(all).toEqual(['a.1=old', 'a.2=still', 'a.3=new', 'a.4=newest']);
    });

    it('lets writers fight for a topic: what each was told is in is in, and nothing of one comes after the next has begun', async () => {
      const told = new Map<string, number>();
      const openedAt: number[] = [];
      const fight = async (fence: number): Promise<void> => {
        const writer = await queue.openWriter('t', fence, never);
        openedAt[fence] = writer.position;
        for (let i = 0; i < (fence < 8 ? Infinity : 40); i++) {
          const subjects = Array.from({ length: 10 }, (_, j) => `a.${fence}.${i}.${j}`);
          const last = await writer.publish(
            subjects.map((to) => message(to, i)),
            never,
          );
          for (const [j, to] of subjects.entries()) told.set(to, last - 9 + j);
          if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 1));
        }
      };
      const ends = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => fight(n + 1)));
      for (const end of ends.slice(0, 7)) expect(end).toMatchObject({ status: 'rejected', reason: { name: 'Fenced' } });
      expect(ends[7]).toMatchObject({ status: 'fulfilled' });
      const at = new Map<string, number>();
      const take = ({ messages }: QueueBatch): void =>
        messages.forEach(({ subject: to, position }) => void at.set(to, position));
      await hear(queue, 't', ['a.>'], caughtUp, 0, take);
      for (const [to, position] of told) expect(`${to} at ${at.get(to)}`).toBe(`${to} at ${position}`);
      const tooLate = [...at].filter(([to, position]) =>
        openedAt.some((opened, fence) => Number(to.split('.')[1]) < fence && position > opened),
      );
      expect(tooLate).toEqual([]);
    });

    it('slows nobody down for a slow reader, who is given the newest in the end', async () => {
      const writer = await queue.openWriter('t', 1, never);
      const slow = queue.read('t', ['a.>'], 0, never)[Symbol.asyncIterator]();
      await slow.next();
      const fast = hear(queue, 't', ['a.>'], ({ values }) => values.get('a.9') === '4999');
      const payload = 'x'.repeat(1_000);
      for (let i = 0; i < 5_000; i += 100) {
        const burst = Array.from({ length: 100 }, (_, j) => message(`a.${(i + j) % 10}`, i + j));
        await writer.publish([...burst, message('a.big', payload + i)], never);
      }
      expect((await fast).disorder).toEqual([]);
      const heard = new Heard();
      while (heard.position < writer.position) heard.take((await slow.next()).value as QueueBatch);
      await slow.return?.();
      expect(heard.values.get('a.9')).toBe('4999');
      expect(heard.disorder).toEqual([]);
    });

    it('ends reading with TopicGone when the topic is dropped, and for topics that are not there', async () => {
      await expect(hear(queue, 't', ['a.>'], caughtUp)).rejects.toThrow(TopicGone);
      const writer = await queue.openWriter('t', 1, never);
      const reading = hear(queue, 't', ['a.>'], () => false);
      const gone = expect(reading).rejects.toThrow(TopicGone);
      await writer.publish([message('a.1', 1)], never);
      await queue.drop('t', never);
      await gone;
      await expect(writer.publish([message('a.1', 1)], never)).rejects.toThrow(TopicGone);
      await expect(hear(queue, 't', ['a.>'], caughtUp)).rejects.toThrow(TopicGone);
      await queue.drop('t', never);
      const remade = await queue.openWriter('t', 1, never);
      await expect(hear(queue, 't', ['a.>'], caughtUp, remade.position + 100)).rejects.toThrow(TopicGone);
      expect((await hear(queue, 't', ['a.>'], caughtUp)).all).toEqual([]);
    });

    it('ends reading without an error when the reader has had enough', async () => {
      await write('t', ['a.1', 1]);
      const stop = new AbortController();
      for await (const { messages } of queue.read('t', ['a.>'], 0, stop.signal)) {
        expect(messages.map((each) => each.subject)).toEqual(['a.1']);
        stop.abort();
      }
    });

    it('says which topics there are', async () => {
      await write('one', ['a.1', 'abc'], ['a.2', 'def'], ['a.1', 'ghi']);
      const position = await write('two', ['a.1', 1]);
      const topics = [...(await queue.topics(never))].sort((x, y) => (x.topic < y.topic ? -1 : 1));
      expect(topics).toMatchObject([
        { topic: 'one', messages: 2 },
        { topic: 'two', messages: 1, position },
      ]);
      for (const { bytes } of topics) expect(bytes).toBeGreaterThan(0);
      await queue.drop('one', never);
      expect(await queue.topics(never)).toMatchObject([{ topic: 'two' }]);
    });

    it('reads 500 topics at once', async () => {
      const names = Array.from({ length: 500 }, (_, i) => `t${i}`);
      const writers = new Map<string, TopicWriter>();
      const say = async (name: string, to: string): Promise<void> =>
        void (await writers.get(name)!.publish([message(to, `${to} of ${name}`)], never));
      await concurrently(names, async (name) => {
        writers.set(name, await queue.openWriter(name, 1, never));
        await say(name, 'a.1');
      });
      const readings = names.map((name) => hear(queue, name, ['a.>'], ({ all }) => all.length === 2));
      await concurrently(names, (name) => say(name, 'a.2'));
      const heard = await Promise.all(readings);
      expect(heard.map(({ all }) => all)).toEqual(names.map((name) => [`a.1=a.1 of ${name}`, `a.2=a.2 of ${name}`]));
    });

    it('holds a topic of 100,000 subjects, of which a reader is given its part', async () => {
      const writer = await queue.openWriter('t', 1, never);
      const count = 100_000;
      const all = Array.from({ length: count }, (_, i) => message(i % 100 === 7 ? `b.${i}` : `a.${i}`, i));
      await writer.publish(all, never);
      const heard = await hear(queue, 't', everything, caughtUp);
      expect(heard.values.size).toBe(count);
      expect(heard.position).toBe(writer.position);
      expect(heard.disorder).toEqual([]);
      const part = await hear(queue, 't', ['b.>'], caughtUp);
      expect(part.values.size).toBe(count / 100);
    });
  });
}

/** A few at a time, as a process would. */
async function concurrently<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
