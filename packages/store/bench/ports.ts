/** Prints how fast ports are made: in bulk, and singly by clients at once. `node --import tsx packages/store/bench/ports.ts` */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NetworkId } from '@alcor/network';
import { realRuntime } from '@alcor/runtime';
import { openStore, startEmbeddedPostgres } from '../src/index.ts';

const { clock, random } = realRuntime();
const stateDir = await mkdtemp(join(tmpdir(), 'alcor-bench-'));
const server = await startEmbeddedPostgres({ stateDir, clock, random });
const store = await openStore({ connection: server.connection, clock, random });
const [network] = await store.networks.create([{ projectId: 'p' }]);
const networkId = network?.id as NetworkId;
await store.subnets.create([{ projectId: 'p', networkId, cidr: '10.0.0.0/8' }]);

async function measure(what: string, ports: number, work: () => Promise<void>): Promise<void> {
  const begun = clock.now();
  await work();
  const seconds = (clock.now() - begun) / 1000;
  process.stdout.write(`${what}: ${ports} in ${seconds.toFixed(2)} s, ${Math.round(ports / seconds)}/s\n`);
}

const input = { projectId: 'p', networkId };
const client = async (each: number): Promise<void> => {
  for (let n = 0; n < each; n++) await store.ports.create([input]);
};
const singly = (clients: number, each: number) => async () => {
  await Promise.all(Array.from({ length: clients }, () => client(each)));
};
const bulk = (count: number, size: number) => async () => {
  for (let n = 0; n < count; n++) await store.ports.create(Array.from({ length: size }, () => input));
};

await measure('warm-up', 500, singly(16, 31));
await measure('singly, 1 client', 1000, singly(1, 1000));
await measure('singly, 16 clients', 8000, singly(16, 500));
await measure('bulk of 50', 5000, bulk(100, 50));
await measure('bulk of 1000', 50_000, bulk(50, 1000));
await measure('bulk of 5000', 250_000, bulk(50, 5000));
await measure('singly, 16 clients, 300 k ports there', 8000, singly(16, 500));
await measure('list of 500', 500 * 20, async () => {
  for (let n = 0; n < 20; n++) await store.ports.list({ filter: { networkId: [networkId] }, limit: 500 });
});
let read = 0;
await measure('snapshot', 322_000, async () => {
  const { batches } = await store.feed.snapshot(new AbortController().signal);
  for await (const batch of batches) read += batch.length;
});
process.stdout.write(`snapshot rows: ${read}\n`);
await store.close();
await server.stop();
await rm(stateDir, { recursive: true, force: true });
