import { createMemoryQueue } from './memory-queue.ts';
import { describeQueue } from './testing/message-queue.contract.ts';

describeQueue('in memory', async () => {
  const queue = createMemoryQueue();
  return { queue, close: () => queue.close() };
});
