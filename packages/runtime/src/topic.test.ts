import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Topic } from './topic.ts';

/** Reads everything new in steps of `limit` and applies it. */
function follow(topic: Topic<number>, seen: Map<string, number>, reader: { position: number }, limit: number): void {
  for (;;) {
    const entries = topic.after(reader.position, limit);
    if (entries.length === 0) return;
    for (const { key, value, removed, position } of entries) {
      reader.position = position;
      if (removed) seen.delete(key);
      else seen.set(key, value);
    }
  }
}

describe('a topic', () => {
  it('gives a late reader only the newest entry of every key', () => {
    const topic = new Topic<number>();
    for (let i = 0; i < 1000; i++) topic.put(`k${i % 3}`, i);
    expect(topic.after(0, 100).map((entry) => entry.value)).toEqual([997, 998, 999]);
  });

  it('costs a reader what came after its position, not what the topic holds', () => {
    const topic = new Topic<number>();
    for (let i = 0; i < 100_000; i++) topic.put(`k${i}`, i);
    topic.put('k5', -1);
    expect(topic.after(100_000, 100)).toMatchObject([{ key: 'k5', value: -1, removed: false, position: 100_001 }]);
  });

  it('brings every reader to the same state, however late and in whatever steps it reads', () => {
    const step = fc.oneof(
      fc.record({ put: fc.nat(20), value: fc.nat() }),
      fc.record({ remove: fc.nat(20) }),
      fc.record({ read: fc.nat(3), limit: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const topic = new Topic<number>();
        const truth = new Map<string, number>();
        const readers = Array.from({ length: 4 }, () => ({
          seen: new Map<string, number>(),
          at: topic.subscribe(() => {}),
        }));
        for (const s of steps) {
          if ('put' in s) {
            topic.put(String(s.put), s.value);
            truth.set(String(s.put), s.value);
          } else if ('remove' in s) {
            topic.remove(String(s.remove), 0);
            truth.delete(String(s.remove));
          } else follow(topic, readers[s.read]!.seen, readers[s.read]!.at, s.limit);
        }
        for (const { seen, at } of readers) {
          follow(topic, seen, at, 3);
          expect(new Map([...seen].sort())).toEqual(new Map([...truth].sort()));
        }
        expect(topic.size).toBe(truth.size);
      }),
    );
  });

  it('forgets removed keys once every reader has seen the removal', () => {
    const topic = new Topic<number>();
    const slow = topic.subscribe(() => {});
    const quick = topic.subscribe(() => {});
    const churn = (from: number): void => {
      for (let i = from; i < from + 1000; i++) {
        topic.put(`k${i}`, i);
        topic.remove(`k${i}`, 0);
        follow(topic, new Map(), quick, 10);
      }
    };
    topic.put('stays', 1);
    slow.position = 1;
    churn(0);
    expect(topic.tombstones).toBe(1000);
    slow.close();
    churn(1000);
    expect(topic.tombstones).toBeLessThan(1100);
    expect(topic.size).toBe(1);
  });

  it('is taken step by step from a place that is remembered, with the entries that reading by position gives', () => {
    const step = fc.oneof(
      fc.record({ put: fc.nat(20) }),
      fc.record({ remove: fc.nat(20) }),
      fc.record({ take: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const topic = new Topic<number>();
        const reader = topic.watch(0, () => {});
        let position = 0;
        for (const s of steps) {
          if ('put' in s) topic.put(String(s.put), position);
          else if ('remove' in s) topic.remove(String(s.remove), 0);
          else {
            const expected = topic.after(position, s.take);
            expect(topic.take(reader, s.take)).toEqual(expected);
            position = expected.at(-1)?.position ?? position;
            expect(reader.position).toBe(position);
          }
        }
      }),
    );
  });

  it('keeps few removals for one that only watches, and says from where on reading is whole', () => {
    const topic = new Topic<number>();
    topic.put('stays', 0);
    let woken = 0;
    const watcher = topic.watch(1, () => woken++);
    const churn = (): void => {
      for (let i = 0; i < 10_000; i++) {
        topic.put(`k${i}`, i);
        topic.remove(`k${i}`, 0);
      }
    };
    churn();
    expect(woken).toBe(20_000);
    expect(topic.tombstones).toBeLessThan(5_000);
    expect(topic.forgotten).toBeGreaterThan(watcher.position);
    expect(topic.forgotten).toBeLessThanOrEqual(topic.position - 4_096);
    const kept = topic.after(topic.forgotten, 100_000).filter(({ removed }) => removed);
    expect(kept).toHaveLength(topic.tombstones);
    watcher.close();
    churn();
    expect(woken).toBe(20_000);
    expect(topic.tombstones).toBeLessThan(200);
    expect(topic.forgotten).toBeLessThanOrEqual(topic.position - 64);
  });

  it('tells an observer of every value that comes and goes, at once', () => {
    const topic = new Topic<number>();
    const told: unknown[] = [];
    topic.observe({ changed: ({ before, after }) => void told.push([before?.value, after?.value]) });
    topic.put('k', 1);
    topic.put('k', 2);
    topic.remove('k', 3);
    topic.put('k', 4);
    topic.forget('k');
    expect(told).toEqual([
      [undefined, 1],
      [1, 2],
      [2, undefined],
      [undefined, 4],
      [4, undefined],
    ]);
  });
});
