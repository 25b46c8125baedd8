import { afterAll, beforeAll, describe, it } from 'vitest';
import { describeQueue } from '../../testing/message-queue.contract.ts';
import { missingNatsServer, NatsServer } from '../../testing/nats-server.ts';
import { natsQueue } from './queue.ts';

const missing = missingNatsServer();
const never = new AbortController().signal;

if (missing !== '') {
  console.log(`skipping the message queue on NATS: ${missing}`);
  it.skip(`message queue on NATS: ${missing}`, () => {});
} else {
  describe('with one nats-server', () => {
    let server: NatsServer;
    beforeAll(async () => {
      server = await NatsServer.start();
    });
    afterAll(() => server.stop());

    describeQueue('NATS JetStream', async () => {
      const queue = natsQueue({ servers: [server.url] });
      for (const { topic } of await queue.topics(never)) await queue.drop(topic, never);
      return { queue, close: () => queue.close() };
    });
  });
}
