/**
 * What a real nats-server carries as the message queue: how fast one writer publishes and one reader takes a topic in, and how long
 * a message takes from `publish` to the reader, both in this process.
 *
 *   npm run bench:queue -- [--messages N] [--bytes N] [--json]
 */
import { parseArgs } from 'node:util';
import type { MessageQueue } from '../src/index.ts';
import { natsQueue } from '../src/index.ts';
import { missingNatsServer, NatsServer } from '../src/testing/nats-server.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    bytes: { type: 'string', default: '120' },
    json: { type: 'boolean', default: false },
  },
});
const count = Number(values.messages);
const payload = new Uint8Array(Number(values.bytes));
const never = new AbortController().signal;

/** Of 100 messages 99 are for everyone, as in a topic where most of what is said is about neighbours. */
const messages = Array.from({ length: count }, (_, i) => ({
  subject: i % 100 === 0 ? `unicast.host-${i % 1_000}.port.${i}` : `multicast.neighbor.${i}`,
  payload,
}));
const patterns = ['multicast.>', 'unicast.host-0.>'];

function report(measure: string, value: number, unit: string): void {
  const rounded = Math.round(value * 100) / 100;
  const context = { messages: count, bytes: payload.length };
  if (values.json) console.log(JSON.stringify({ measure, value: rounded, unit, context }));
  else console.log(`${measure}: ${rounded} ${unit}`);
}

async function publish(queue: MessageQueue): Promise<void> {
  const writer = await queue.openWriter('bench', 1, never);
  const start = performance.now();
  await writer.publish(messages, never);
  report('publish_per_s', (count / (performance.now() - start)) * 1_000, 'messages/s');
}

async function read(queue: MessageQueue): Promise<void> {
  const start = performance.now();
  let taken = 0;
  for await (const batch of queue.read('bench', patterns, 0, never)) {
    taken += batch.messages.length;
    if (batch.caughtUp) break;
  }
  report('snapshot_per_s', (taken / (performance.now() - start)) * 1_000, 'messages/s');
}

/** One message after another, so that none waits for those before it. */
async function latency(queue: MessageQueue): Promise<void> {
  const writer = await queue.openWriter('bench', 2, never);
  const reading = queue.read('bench', patterns, writer.position, never)[Symbol.asyncIterator]();
  await reading.next();
  const took: number[] = [];
  for (const each of messages.filter(({ subject }) => subject.startsWith('multicast')).slice(0, 1_000)) {
    const start = performance.now();
    const position = await writer.publish([each], never);
    for (let heard = 0; heard < position;) {
      const { value } = await reading.next();
      heard = Math.max(0, ...(value?.messages ?? []).map((message: { position: number }) => message.position));
    }
    took.push(performance.now() - start);
  }
  await reading.return?.();
  took.sort((a, b) => a - b);
  report('publish_to_reader_p50_ms', took[took.length >> 1] ?? Number.NaN, 'ms');
  report('publish_to_reader_p99_ms', took[Math.floor(took.length * 0.99)] ?? Number.NaN, 'ms');
}

/** Whoever takes a topic over sees to it that nothing of the writer before gets in any more. */
async function takeOver(queue: MessageQueue): Promise<void> {
  const start = performance.now();
  for (let fence = 10; fence < 30; fence++) await queue.openWriter('bench', fence, never);
  report('take_over_ms', (performance.now() - start) / 20, 'ms');
}

const missing = missingNatsServer();
if (missing !== '') {
  console.error(`cannot measure: ${missing}`);
  process.exit(1);
}
const server = await NatsServer.start();
const queue = natsQueue({ servers: [server.url] });
try {
  await publish(queue);
  await read(queue);
  await latency(queue);
  await takeOver(queue);
} finally {
  await queue.close();
  await server.stop();
}
