import { encodeWhole, wholeSubject } from '@alcor/contract';
import type { QueueMessage } from '@alcor/runtime';
import { describe, expect, it } from 'vitest';
import { TopicSnapshot } from './topic-snapshot.ts';

const word = (position: number, isWhole: boolean): QueueMessage => ({
  subject: wholeSubject,
  payload: encodeWhole('vpc', isWhole),
  position,
});
const goal = (position: number, subject: string): QueueMessage => ({
  subject,
  payload: Uint8Array.of(position),
  position,
});

describe('what has been read of a topic', () => {
  it('is all there is to know once it has been read to its end and says that it is whole', () => {
    const snapshot = new TopicSnapshot('vpc');
    expect(snapshot.take({ messages: [goal(1, 'a'), goal(2, 'b')], position: 2, caughtUp: false })).toBeUndefined();
    const all = snapshot.take({ messages: [goal(4, 'a'), word(5, true)], position: 5, caughtUp: true });
    expect(all?.map(({ subject, position }) => [subject, position])).toEqual([
      ['b', 2],
      ['a', 4],
      [wholeSubject, 5],
    ]);
  });

  it('is not before everything that stood before the word that it is whole', () => {
    const snapshot = new TopicSnapshot('vpc');
    expect(snapshot.take({ messages: [word(9, true)], position: 3, caughtUp: true })).toBeUndefined();
    expect(snapshot.take({ messages: [goal(7, 'a')], position: 7, caughtUp: true })).toBeUndefined();
    expect(snapshot.take({ messages: [], position: 9, caughtUp: true })).toHaveLength(2);
  });

  it('is not where nobody said so, or somebody has begun to look through it since; words may come twice', () => {
    const snapshot = new TopicSnapshot('vpc');
    expect(snapshot.take({ messages: [goal(1, 'a')], position: 1, caughtUp: true })).toBeUndefined();
    const words = [word(2, true), word(3, false), word(2, true)];
    expect(snapshot.take({ messages: words, position: 3, caughtUp: true })).toBeUndefined();
    expect(snapshot.take({ messages: [word(4, true)], position: 4, caughtUp: true })).toHaveLength(2);
  });
});
