import { createSchedule, seededRandom, Topic } from '@alcor/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, follow } from './follow.ts';
import { Revisions } from './revisions.ts';

const stays = (): boolean => false;

/** A client that keeps what it is told, and the revision to go on from. */
class Client {
  readonly held = new Map<string, number>();
  from = '';
  restarts = 0;

  take({ entries, revision }: Batch<number>): void {
    for (const { key, value, removed } of entries) {
      if (removed) this.held.delete(key);
      else this.held.set(key, value);
    }
    this.from = revision;
  }

  begin(): void {
    this.held.clear();
    this.from = '';
    this.restarts++;
  }
}

describe('following a topic', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ put: fc.nat(30), value: fc.nat() }) },
    { weight: 6, arbitrary: fc.record({ remove: fc.nat(30) }) },
    { weight: 3, arbitrary: fc.record({ read: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.constant('break' as const) },
    { weight: 1, arbitrary: fc.record({ churn: fc.integer({ min: 1, max: 400 }) }) },
  );

  it('misses nothing, however often it is broken off and resumed, and says when that is not possible', async () => {
    let restarts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), fc.nat(), async (steps, seed) => {
        const { clock } = createSchedule();
        const revisions = new Revisions(seededRandom(seed));
        const topic = new Topic<number>();
        const truth = new Map<string, number>();
        const client = new Client();
        const put = (key: string, value: number): void => {
          topic.put(key, value);
          truth.set(key, value);
        };
        const remove = (key: string): void => {
          topic.remove(key, 0);
          truth.delete(key);
        };
        const open = (): AsyncGenerator<Batch<number>, void> =>
          follow(topic, { revisions, clock, from: client.from, limit: 3, isOver: stays }, new AbortController().signal);
        /** Reads at most so many batches, of those that are there. */
        const read = async (stream: AsyncGenerator<Batch<number>, void>, batches: number): Promise<typeof stream> => {
          try {
            for (let count = 0; count < batches; count++) {
              const { value, done } = await stream.next();
              if (done === true) return open();
              client.take(value);
              if (value.synced) return stream;
            }
            return stream;
          } catch (error) {
            expect((error as { code?: string }).code).toBe('RevisionGone');
            client.begin();
            return open();
          }
        };
        let stream = open();
        for (const each of steps) {
          if (each === 'break') {
            await stream.return();
            stream = open();
          } else if ('put' in each) put(String(each.put), each.value);
          else if ('remove' in each) remove(String(each.remove));
          else if ('churn' in each) {
            for (let n = 0; n < each.churn; n++) {
              put(`churn${n}`, n);
              remove(`churn${n}`);
            }
          } else stream = await read(stream, each.read);
          // Something that a waiting reader finds, so that no test waits for a heartbeat.
          put('beat', topic.position);
        }
        await stream.return();
        const last = new AbortController();
        for (let whole = false; !whole;) {
          const final = follow(topic, { revisions, clock, from: client.from, limit: 3, isOver: stays }, last.signal);
          try {
            for await (const batch of final) {
              client.take(batch);
              whole = batch.synced;
              if (whole) break;
            }
          } catch (error) {
            expect((error as { code?: string }).code).toBe('RevisionGone');
            client.begin();
          }
        }
        expect(new Map([...client.held].sort())).toEqual(new Map([...truth].sort()));
        restarts += client.restarts;
      }),
      { numRuns: 300 },
    );
    expect(restarts).toBeGreaterThan(0);
  });

  it('knows a revision of a topic’s former life, and one that nobody gave', () => {
    const revisions = new Revisions(seededRandom(1));
    const [before, after] = [new Topic<number>(), new Topic<number>()];
    for (const topic of [before, after]) topic.put('a', 1);
    const revision = revisions.of(before, { position: 1, floor: 0 });
    expect(revision).toMatch(/^[0-9a-f]{12}-1$/);
    expect(revisions.placeOf(before, revision)).toEqual({ position: 1, floor: 0 });
    expect(() => revisions.placeOf(after, revision)).toThrow('not known whole any more');
    const ahead = revisions.of(before, { position: 2, floor: 0 });
    expect(() => revisions.placeOf(before, ahead)).toThrow('not known whole any more');
    for (const nonsense of ['x', '1', `${revision}x`, '-1', 'DROP TABLE']) {
      expect(() => revisions.placeOf(before, nonsense)).toThrow(`'${nonsense}' is no revision`);
    }
  });

  it('says its revision again while nothing changes, and ends with its topic', async () => {
    const schedule = createSchedule();
    const topic = new Topic<number>();
    let isOver = false;
    const options = { revisions: new Revisions(seededRandom(2)), clock: schedule.clock, from: '', limit: 10 };
    const heard: Batch<number>[] = [];
    topic.put('a', 1);
    const reading = (async () => {
      const signal = new AbortController().signal;
      for await (const batch of follow(topic, { ...options, isOver: () => isOver }, signal)) heard.push(batch);
    })();
    await schedule.run(40_000);
    expect(heard.map(({ entries }) => entries.length)).toEqual([1, 0, 0]);
    expect(new Set(heard.map(({ revision }) => revision)).size).toBe(1);
    isOver = true;
    topic.put('a', 2);
    await reading;
    expect(heard.at(-1)?.entries).toMatchObject([{ key: 'a', value: 2 }]);
  });

  it('costs a reader that does not read no more than its place', async () => {
    const { clock } = createSchedule();
    const topic = new Topic<number>();
    const revisions = new Revisions(seededRandom(3));
    topic.put('a', 1);
    const stop = new AbortController();
    const idle = follow(topic, { revisions, clock, from: '', limit: 10, isOver: stays }, stop.signal);
    await idle.next();
    for (let n = 0; n < 100_000; n++) {
      topic.put(`k${n}`, n);
      topic.remove(`k${n}`, n);
    }
    // Of 100,000 removals it keeps those among the last few thousand changes.
    expect(topic.tombstones).toBeLessThan(5_000);
    await expect(idle.next()).rejects.toMatchObject({ code: 'RevisionGone' });
  });
});
