export * from './runtime.ts';
export * from './queue.ts';
export { createMemoryQueue } from './memory-queue.ts';
export * from './reliable.ts';
export * from './signal.ts';
export * from './topic.ts';
export * from './real/index.ts';
export { between, pick, seededRandom } from './simulation/random.ts';
export { createSchedule, type Schedule } from './simulation/schedule.ts';
export { createSimulatedQueue, type SimulatedQueue } from './simulation/queue.ts';
export { createWorld, type Faults, noFaults, type Process, type QueueFaults, type World } from './simulation/world.ts';
export {
  Fenced,
  type MessageQueue,
  type OutgoingMessage,
  type QueueBatch,
  type QueueMessage,
  QueueUnreachable,
  TopicGone,
  type TopicSummary,
  type TopicWriter,
} from './message-queue.ts';
