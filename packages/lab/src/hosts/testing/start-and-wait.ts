/** Starts host 1 of a region, says its address, and waits to be killed. Arguments: prefix and folder. */
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createFabric, startHost, type Means } from '../index.ts';

const means: Means = {
  sleep: (ms, signal) => delay(ms, undefined, { ...(signal && { signal }) }),
  dial: async (address, signal) => {
    const socket = createConnection(address.slice('unix:'.length));
    await once(socket, 'connect', { signal });
    return socket;
  },
};
const [prefix = '', runDir = ''] = process.argv.slice(2);
const host = await startHost(await createFabric({ prefix, runDir, means }), { index: 1 });
console.log(host.ip);
await delay(60_000);
