import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NetworkId } from '@alcor/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nextBatch, readSnapshot } from '../../network/src/testing/feed.contract.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { openStore } from './store.ts';
import { clock, eventually, random } from './testing/region.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const writer = fileURLToPath(new URL('./testing/crash-writer.ts', import.meta.url));

let stateDir: string;
let server: EmbeddedPostgres;
const start = () => startEmbeddedPostgres({ stateDir, clock, random });
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'alcor-crash-'));
  server = await start();
});
afterAll(async () => {
  await server.stop();
  await rm(stateDir, { recursive: true, force: true });
});

/** Runs the writer until `stop`; gives what it said. */
async function runWriter(networkId: NetworkId, stop: (child: ReturnType<typeof spawn>) => void): Promise<string> {
  const args = ['--import', 'tsx', writer, JSON.stringify(server.connection), networkId];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await eventually(() => said.split('\n').length > 40);
  await clock.sleep(random.next() * 200);
  stop(child);
  // A writer whose database is gone is told so, and ends by that.
  await clock.sleep(300);
  child.kill('SIGKILL');
  await ended;
  return said;
}

const kills = {
  'the writing process': (child: ReturnType<typeof spawn>) => void child.kill('SIGKILL'),
  'the database server': () => void process.kill(server.pid, 'SIGKILL'),
};

it.each(Object.entries(kills))(
  'keeps what was acknowledged, and nothing half, over kill -9 of %s',
  async (victim, kill) => {
    for (let round = 0; round < 3; round++) {
      const before = await openStore({ connection: server.connection, clock, random });
      const [network] = await before.networks.create([{ projectId: 'p' }]);
      const networkId = network?.id as NetworkId;
      await before.subnets.create([{ projectId: 'p', networkId, cidr: '10.0.0.0/16' }]);
      const { position } = await readSnapshot(before.feed);
      await before.close();

      const said = await runWriter(networkId, kill);
      server = await start();

      const store = await openStore({ connection: server.connection, clock, random });
      const { rows } = await store.ports.list({ filter: { networkId: [networkId] } });
      const present = new Set<string>(rows.map(({ id }) => id));
      const idsAfter = (word: string): string[] =>
        said
          .split('\n')
          .filter((line) => line.startsWith(`${word} `))
          .flatMap((line) => line.split(' ').slice(1));
      const deleting = new Set(idsAfter('deleting'));
      const made = idsAfter('made');
      expect(made.length, victim).toBeGreaterThan(50);
      expect(made.filter((id) => !present.has(id) && !deleting.has(id))).toEqual([]);
      expect(idsAfter('deleted').filter((id) => present.has(id))).toEqual([]);
      // Nothing half: every port has its address, once, and the feed leads to the same rows.
      const ips = rows.flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip));
      expect(new Set(ips).size).toBe(rows.length);
      const followed = new Set<string>();
      let at = position;
      await store.networks.create([{ projectId: 'p', name: 'the end' }]);
      for (let ended = false; !ended;) {
        const batch = await nextBatch(store.feed, at);
        at = batch.position;
        for (const { kind, id, row } of batch.changes) {
          if (kind === 'port' && row !== null) followed.add(id);
          if (kind === 'port' && row === null) followed.delete(id);
          if (kind === 'network' && row !== null && row.name === 'the end') ended = true;
        }
      }
      expect([...followed].toSorted()).toEqual([...present].toSorted());
      await store.close();
    }
  },
);
