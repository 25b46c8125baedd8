import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { keepEmbeddedPostgres } from './kept-postgres.ts';
import { clock, eventually, random } from './testing/region.ts';

let base: string;
const started: EmbeddedPostgres[] = [];
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'alcor-embedded-'));
});
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  await rm(base, { recursive: true, force: true });
});

async function start(name = 'state'): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ stateDir: join(base, name), clock, random });
  started.push(server);
  return server;
}

async function ask(
  server: EmbeddedPostgres,
  question: string,
  password = server.connection.password,
): Promise<unknown> {
  const sql = postgres({ ...server.connection, password, max: 1, onnotice: () => {} });
  try {
    return (await sql.unsafe(question))[0]?.['answer'];
  } finally {
    await sql.end();
  }
}

it('is durable, listens to nobody outside, and takes no other password', async () => {
  const server = await start();
  expect(await ask(server, `select current_setting('fsync') || current_setting('synchronous_commit') as answer`)).toBe(
    'onon',
  );
  expect(await ask(server, `select current_setting('listen_addresses') as answer`)).toBe('');
  await expect(ask(server, 'select 1 as answer', 'wrong')).rejects.toMatchObject({ code: '28P01' });
  expect((await stat(join(base, 'state', 'password'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(base, 'state', 'data'))).mode & 0o777).toBe(0o700);
});

it('keeps its data over stop and start', async () => {
  const server = await start();
  await ask(server, 'create table kept as select 42 as answer');
  await server.stop();
  expect(await ask(await start(), 'select answer from kept')).toBe(42);
});

it('takes over a server that runs already, also when two ask at once', async () => {
  const servers = await Promise.all([start(), start(), start()]);
  expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
  expect((await start()).pid).toBe(servers[0]?.pid);
});

it('recovers from kill -9', async () => {
  const server = await start();
  await ask(server, 'create table kept as select 42 as answer');
  process.kill(server.pid, 'SIGKILL');
  expect(await ask(await start(), 'select answer from kept')).toBe(42);
});

it('kept running, comes back by itself at the same place when it is killed, and stays away when stopped', async () => {
  const said: string[] = [];
  const kept = await keepEmbeddedPostgres({
    stateDir: join(base, 'state'),
    clock,
    random,
    log: (text) => said.push(text),
  });
  started.push(kept);
  await ask(kept, 'create table kept as select 42 as answer');
  const { pid } = kept;
  process.kill(pid, 'SIGKILL');
  await eventually(() => kept.pid !== pid);
  expect(await ask(kept, 'select answer from kept')).toBe(42);
  expect(said).toHaveLength(2);
  await kept.stop();
  await expect(ask(kept, 'select answer from kept')).rejects.toThrow();
  await clock.sleep(1_000);
  await expect(ask(kept, 'select answer from kept')).rejects.toThrow();
});

it('is not kept from starting by a process that has the number of the last server', async () => {
  const [one, other] = await Promise.all([start('one'), start('other')]);
  expect(one.pid).not.toBe(other.pid);
  const file = join(base, 'one', 'data', 'postmaster.pid');
  const text = await readFile(file, 'utf8');
  await one.stop();
  await writeFile(file, text.replace(String(one.pid), String(other.pid)));
  const again = await start('one');
  expect(again.pid).not.toBe(other.pid);
  expect(await ask(again, 'select 1 as answer')).toBe(1);
  expect(await ask(other, 'select 1 as answer')).toBe(1);
});

it('starts anew after a start that was cut short', async () => {
  await mkdir(join(base, 'state', 'data.999999999'), { recursive: true });
  await writeFile(join(base, 'state', 'data.999999999', 'PG_VERSION'), 'half');
  expect(await ask(await start(), 'select 1 as answer')).toBe(1);
  await expect(stat(join(base, 'state', 'data.999999999'))).rejects.toThrow('ENOENT');
});

it('runs below a folder that only we may enter, under a name too long for a socket', async () => {
  await chmod(base, 0o700);
  const server = await start(join('x'.repeat(100), 'state'));
  expect(await ask(server, 'select 1 as answer')).toBe(1);
  if (process.platform !== 'linux') return;
  const { stdout } = spawnSync('ps', ['-o', 'uid=', '-p', String(server.pid)], { encoding: 'utf8' });
  expect(Number(stdout)).not.toBe(0);
});
