/**
 * A controller in a process of its own, until it is killed. Arguments: its name, the connection as JSON, the message queue's URL or
 * nothing. Says on standard output where its API is.
 */
import { natsQueue, realRuntime } from '@alcor/runtime';
import { openStore } from '@alcor/store';
import { openLog } from '../../log.ts';
import { startController } from '../controller.ts';

const [name = '', connection = '', url = ''] = process.argv.slice(2);
const runtime = realRuntime();
const store = await openStore({ connection: JSON.parse(connection), ...runtime });
const controller = await startController({
  name,
  store,
  runtime,
  listen: '127.0.0.1',
  port: 0,
  requestListen: '127.0.0.1:0',
  identity: undefined,
  policy: undefined,
  logger: openLog(name),
  queue: url === '' ? undefined : { queue: natsQueue({ servers: [url] }), url },
  predictedPerPort: 16,
  thresholds: { mq: { ports: 1_000, largestGroup: 1_000 }, onDemand: { ports: 10_000, largestGroup: 10_000 } },
});
console.log(controller.url);
