import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlcorError, NetworkId } from '@alcor/network';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextBatch, readSnapshot } from '../../network/src/testing/feed.contract.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { openStore } from './store.ts';
import type { Store } from './store.ts';
import { clock, eventually, random } from './testing/region.ts';

let stateDir: string;
let server: EmbeddedPostgres;
let store: Store;
const start = (settings?: Record<string, string>) => startEmbeddedPostgres({ stateDir, clock, random, settings });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'made',
    (error: AlcorError) =>
      error.code === 'ServiceUnavailable' ? error.code : `${error.message} ${String(error.cause)}`,
  );

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'alcor-outage-'));
});
afterEach(async () => {
  await store.close();
  await server.stop();
  await rm(stateDir, { recursive: true, force: true });
});

it('answers ServiceUnavailable while the database is away, and works again by itself', async () => {
  server = await start();
  store = await openStore({ connection: server.connection, clock, random });
  const [network] = await store.networks.create([{ projectId: 'p' }]);
  const networkId = network?.id as NetworkId;
  await store.subnets.create([{ projectId: 'p', networkId, cidr: '10.0.0.0/16' }]);
  const { position } = await readSnapshot(store.feed);
  const waiting = nextBatch(store.feed, position);

  const codes: string[] = [];
  const stop = new AbortController();
  const client = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      codes.push(await codeOf(store.ports.create([{ projectId: 'p', networkId }])));
      codes.push(await codeOf(store.networks.update(networkId, { name: String(codes.length) })));
      if (codes.at(-1) !== 'made') await clock.sleep(10);
    }
  };
  const clients = [client(), client(), client(), client()];
  for (let round = 0; round < 3; round++) {
    const seen = codes.length;
    await eventually(() => codes.slice(seen).includes('made'));
    if (round % 2 === 0) await server.stop();
    else process.kill(server.pid, 'SIGKILL');
    await eventually(() => codes.slice(seen).includes('ServiceUnavailable'));
    expect(await codeOf(store.ping())).toBe('ServiceUnavailable');
    server = await start();
  }
  const seen = codes.length;
  await eventually(() => codes.slice(seen).includes('made'));
  stop.abort();
  await Promise.all(clients);
  expect(new Set(codes)).toEqual(new Set(['made', 'ServiceUnavailable']));
  // A reader of the feed waits through it.
  expect((await waiting).changes.length).toBeGreaterThan(0);
  // Whatever was in doubt, no address was lost to it: the next ones are free ones.
  const [port] = await store.ports.create([{ projectId: 'p', networkId }]);
  expect(await store.ports.get(port?.id as never)).toEqual(port);
});

describe.runIf(process.getuid?.() === 0 && process.platform === 'linux')('on a disk that is full', () => {
  it('refuses writes with ServiceUnavailable, loses nothing, and goes on when there is room', async () => {
    const disk = join(stateDir, 'disk');
    await mkdir(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=180m', 'tmpfs', disk]).status === 0;
    if (!mounted) throw new Error('no tmpfs can be mounted here');
    try {
      server = await startEmbeddedPostgres({
        stateDir: join(disk, 'state'),
        clock,
        random,
        settings: { max_wal_size: '64MB', min_wal_size: '32MB', wal_compression: 'off' },
      });
      store = await openStore({ connection: server.connection, clock, random });
      const [network] = await store.networks.create([{ projectId: 'p' }]);
      const networkId = network?.id as NetworkId;
      const bulk = Array.from({ length: 200 }, () => ({ projectId: 'p', networkId }));
      let made = 0;
      let code = 'made';
      while (code === 'made') {
        // Not compressible: fills the disk in earnest.
        const filled = bulk.map((input) =>
          Object.assign({}, input, { description: Buffer.from(random.bytes(4000)).toString('base64') }),
        );
        code = await codeOf(store.ports.create(filled));
        if (code === 'made') made += filled.length;
      }
      expect(code).toBe('ServiceUnavailable');
      expect(spawnSync('mount', ['-o', 'remount,size=600m', disk]).status).toBe(0);
      server = await startEmbeddedPostgres({ stateDir: join(disk, 'state'), clock, random });
      await eventually(async () => (await codeOf(store.ping())) === 'made');
      expect((await store.ports.list({})).rows).toHaveLength(made);
      await eventually(async () => (await codeOf(store.ports.create([{ projectId: 'p', networkId }]))) === 'made');
    } finally {
      await store.close();
      await server.stop();
      spawnSync('umount', ['-l', disk]);
    }
  });
});
