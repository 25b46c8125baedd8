/**
 * Writes to the store until it is killed, and says on standard output what was acknowledged.
 * Arguments: the connection as JSON, a network's id.
 */
import { writeSync } from 'node:fs';
import type { NetworkId, PortId } from '@alcor/network';
import { realRuntime } from '@alcor/runtime';
import { openStore } from '../store.ts';

const [connection = '', networkId = ''] = process.argv.slice(2);
const store = await openStore({ connection: JSON.parse(connection), ...realRuntime() });

async function write(): Promise<never> {
  for (let step = 0; ; step++) {
    const bulk = Array.from({ length: 1 + (step % 7) }, () => ({ projectId: 'p', networkId: networkId as NetworkId }));
    const ports = await store.ports.create(bulk);
    const [first] = ports;
    writeSync(1, `made ${ports.map(({ id }) => id).join(' ')}\n`);
    if (step % 3 !== 0 || first === undefined) continue;
    writeSync(1, `deleting ${first.id}\n`);
    await store.ports.delete(first.id as PortId);
    writeSync(1, `deleted ${first.id}\n`);
  }
}

await Promise.all([write(), write(), write(), write()]);
