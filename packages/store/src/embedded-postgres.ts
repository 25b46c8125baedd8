import { spawn } from 'node:child_process';
import { chmod, chown, link, mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Random } from '@alcor/runtime';
import pg from 'pg';
import { toConfig } from './database.ts';
import type { ConnectionOptions } from './database.ts';
import { embeddedBinaries } from './embedded-binaries.ts';
import type { Binaries } from './embedded-binaries.ts';
import { isAlive, isServer, readPostmaster, removeStalePid } from './postmaster.ts';
import type { Postmaster } from './postmaster.ts';
import { serverUser } from './server-user.ts';
import type { ServerUser } from './server-user.ts';

export interface EmbeddedPostgresOptions {
  /** Holds the data, the password and the log. Made if need be; only for this. */
  readonly stateDir: string;
  readonly clock: Clock;
  /** Makes the password: must be unpredictable. */
  readonly random: Random;
  /** Also listen on 127.0.0.1 at this port. */
  readonly port?: number | undefined;
  /** Where its socket is to be; default: chosen, and said by `connection`. */
  readonly socketDir?: string | undefined;
  /** Further settings, `name: value`. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

export interface EmbeddedPostgres {
  /** Through the unix socket, as the owner of the database. */
  readonly connection: Exclude<ConnectionOptions, string>;
  /** Process id of the server. */
  readonly pid: number;
  /** Whether the server still runs. */
  runs(): Promise<boolean>;
  /** Ends the server, and with it all connections to it (PostgreSQL's fast shutdown). */
  stop(): Promise<void>;
}

const user = 'alcor';
const defaultPort = 5432;
/** What `sun_path` holds, less the name PostgreSQL gives the socket and the final zero. */
const longestSocketFolder = 107 - '/.s.PGSQL.65535'.length;
/** Milliseconds. Recovery after a crash has to fit. */
const startWithin = 120_000;
const stopWithin = 60_000;

const settings: Readonly<Record<string, string>> = {
  max_connections: '200',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  wal_compression: 'on',
  jit: 'off',
  random_page_cost: '1.1',
  // The password guards it; the folder's mode keeps others from even asking.
  unix_socket_permissions: '0700',
};

interface Layout {
  readonly data: string;
  readonly log: string;
  readonly password: string;
}

/**
 * Starts the PostgreSQL that comes with the package, on a state directory of its own; or takes over the one that runs there
 * already, left by a process that was killed. Durable: an acknowledged commit survives `kill -9` and loss of power.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { stateDir } = options;
  await mkdir(stateDir, { recursive: true, mode: 0o711 });
  const layout = {
    data: join(stateDir, 'data'),
    log: join(stateDir, 'postgres.log'),
    password: join(stateDir, 'password'),
  };
  const binaries = await embeddedBinaries();
  const runAs = serverUser(binaries.postgres, stateDir);
  const password = await readPassword(layout, options.random);
  await initialise({ layout, binaries, runAs, password, stateDir, random: options.random });
  const deadline = options.clock.now() + startWithin;
  let child: ServerProcess | null = null;
  while (options.clock.now() < deadline) {
    const running = await readPostmaster(layout.data);
    if (running !== null && (await answers(running, password))) {
      return handle(options.clock, layout.data, { ...running, password });
    }
    if (running === null && (child === null || child.exited)) {
      await removeStalePid(layout.data);
      child = await launch({ options, layout, binaries, runAs });
    }
    await options.clock.sleep(50);
  }
  const log = await readFile(layout.log, 'utf8').catch(() => '');
  throw new Error(`PostgreSQL did not start on ${layout.data}:\n${log.split('\n').slice(-10).join('\n')}`);
}

function handle(clock: Clock, data: string, running: Postmaster & { readonly password: string }): EmbeddedPostgres {
  const { pid, port, socketDir, password } = running;
  return {
    pid,
    connection: { host: socketDir, port, database: 'postgres', username: user, password },
    runs: () => isServer(pid, data),
    async stop() {
      if ((await readPostmaster(data))?.pid !== pid) return;
      process.kill(pid, 'SIGINT');
      const deadline = clock.now() + stopWithin;
      while (await isServer(pid, data)) {
        if (clock.now() > deadline) throw new Error(`PostgreSQL (process ${pid}) does not stop`);
        await clock.sleep(20);
      }
      if (socketDir.startsWith(join(tmpdir(), 'alcor-pg-'))) await rm(socketDir, { recursive: true, force: true });
    },
  };
}

/** Made once; whoever comes second reads what the first has made: `link` does not replace. */
async function readPassword({ password: file }: Layout, random: Random): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known !== '') return known;
  const fresh = `${file}.${uniqueName(random)}`;
  await writeFile(fresh, toHex(random.bytes(24)), { mode: 0o600 });
  await link(fresh, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(fresh);
  return readFile(file, 'utf8');
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Of this process, so that what it leaves behind can be told; and of this call. */
function uniqueName(random: Random): string {
  return `${process.pid}.${toHex(random.bytes(4))}`;
}

interface Installation {
  readonly layout: Layout;
  readonly binaries: Binaries;
  readonly runAs: ServerUser;
  readonly password: string;
  readonly stateDir: string;
  readonly random: Random;
}

/** Makes the data directory beside its place and moves it there: it is there whole or not at all. */
async function initialise({ layout, binaries, runAs, password, stateDir, random }: Installation): Promise<void> {
  const present = await readFile(join(layout.data, 'PG_VERSION'), 'utf8').catch(() => '');
  if (present !== '') return;
  await removeLeftovers(stateDir);
  const name = uniqueName(random);
  const fresh = join(stateDir, `data.${name}`);
  const passwordFile = join(stateDir, `initdb.${name}`);
  try {
    await mkdir(fresh, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (runAs.owner !== null) {
      for (const path of [fresh, passwordFile]) await chown(path, runAs.owner.uid, runAs.owner.gid);
    }
    const common = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--username=${user}`];
    await runToEnd([...runAs.prefix, binaries.initdb, `--pgdata=${fresh}`, `--pwfile=${passwordFile}`, ...common]);
    await rename(fresh, layout.data).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster, with the same password.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(fresh, { recursive: true, force: true });
  }
}

/** What a process that was killed while it initialised has left. */
async function removeLeftovers(stateDir: string): Promise<void> {
  for (const name of await readdir(stateDir)) {
    const [, pid] = /^(?:data|initdb|password)\.(\d+)(?:\.|$)/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(stateDir, name), { recursive: true, force: true });
  }
}

interface ServerProcess {
  exited: boolean;
}

async function launch(parts: {
  readonly options: EmbeddedPostgresOptions;
  readonly layout: Layout;
  readonly binaries: Binaries;
  readonly runAs: ServerUser;
}): Promise<ServerProcess> {
  const { options, layout, binaries, runAs } = parts;
  const socketDir = await socketFolder(options, runAs);
  const all = {
    ...settings,
    ...options.settings,
    unix_socket_directories: socketDir,
    listen_addresses: options.port === undefined ? '' : '127.0.0.1',
    port: String(options.port ?? defaultPort),
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command = '', ...rest] = [...runAs.prefix, binaries.postgres, '-D', layout.data, ...flags];
  const log = await open(layout.log, 'w', 0o600);
  // A session of its own: an interrupt at our terminal is not one for the database.
  const child = spawn(command, rest, { cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd] });
  const state = { exited: false };
  child.once('exit', () => (state.exited = true));
  child.once('error', () => (state.exited = true));
  child.unref();
  await log.close();
  return state;
}

/** In the state directory, or where its name is too long for a socket, in a fresh folder of the system's. */
async function socketFolder({ stateDir, socketDir }: EmbeddedPostgresOptions, { owner }: ServerUser): Promise<string> {
  const near = join(stateDir, 'socket');
  const fits = Buffer.byteLength(near) <= longestSocketFolder;
  const folder = socketDir ?? (fits ? near : await mkdtemp(join(tmpdir(), 'alcor-pg-')));
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  if (owner !== null) await chown(folder, owner.uid, owner.gid);
  return folder;
}

async function answers({ socketDir, port }: Postmaster, password: string): Promise<boolean> {
  const where = { host: socketDir, port, database: 'postgres', username: user, password };
  const client = new pg.Client({ ...toConfig(where), connectionTimeoutMillis: 2000 });
  // Ends while we ask: then the question is refused.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '28P01') {
      throw new Error('PostgreSQL does not take the password of its state directory', { cause: error });
    }
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function runToEnd([command = '', ...rest]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} failed:\n${output}`))));
  });
}
