import { expect, test } from 'vitest';
import { createQueue } from './queue.ts';

test('what is pushed while the reader begins to wait is read at once', async () => {
  const queue = createQueue<number>();
  const reader = queue[Symbol.asyncIterator]();
  const first = reader.next();
  queue.push(1);
  expect(await first).toEqual({ done: false, value: 1 });
  queue.push(2);
  queue.end();
  expect(await reader.next()).toEqual({ done: false, value: 2 });
  expect(await reader.next()).toEqual({ done: true, value: undefined });
});
