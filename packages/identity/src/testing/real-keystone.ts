import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clock } from './service.ts';

const run = promisify(execFile);

/** The system's own Python: packages of the distribution are not seen by others. */
const python = '/usr/bin/python3';
const publicServer = '/usr/bin/keystone-wsgi-public';

/** Why there is no Keystone to test against; undefined where there is one. */
export function whyNoKeystone(): string | undefined {
  const present = spawnSync(python, ['-c', 'import keystone.cmd.manage']).status === 0;
  if (!present) return "skipped: Keystone (Debian's python3-keystone) is not installed";
  return process.getuid?.() === 0 ? undefined : 'skipped: setting up Keystone needs root';
}

/** A Keystone with a database of its own. */
export interface RealKeystone {
  readonly url: string;
  readonly adminPassword: string;
  /** Ends the process; `start` brings it back with the same data. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes what it had. */
  close(): Promise<void>;
}

export async function startRealKeystone(): Promise<RealKeystone> {
  const folder = await mkdtemp(join(tmpdir(), 'alcor-keystone-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/v3`;
  const adminPassword = 'correct horse battery';
  await setUp(folder, url, adminPassword);
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(python, [publicServer, '--port', String(port), '--host', '127.0.0.1'], {
      env: { ...process.env, OS_KEYSTONE_CONFIG_DIR: folder, OS_KEYSTONE_CONFIG_FILES: join(folder, 'keystone.conf') },
      stdio: 'ignore',
    });
    await answering(url, child);
  };
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    if (child?.exitCode === null && child.kill('SIGKILL')) await ended;
  };
  await start();
  return {
    url,
    adminPassword,
    start,
    stop,
    async close() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** It remembers what was read, as installations do: otherwise it finds out the roles of a token anew several times a request, for half a second. */
async function setUp(folder: string, url: string, password: string): Promise<void> {
  const config = `[DEFAULT]
log_file = ${folder}/keystone.log
[database]
connection = sqlite:///${folder}/keystone.db
sqlite_synchronous = false
[token]
provider = fernet
[fernet_tokens]
key_repository = ${folder}/fernet
[fernet_receipts]
key_repository = ${folder}/fernet
[credential]
key_repository = ${folder}/credential
[identity]
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memory
`;
  await writeFile(join(folder, 'keystone.conf'), config);
  for (const name of ['fernet', 'credential']) await mkdir(join(folder, name));
  const region = ['--bootstrap-region-id', 'RegionOne', '--bootstrap-public-url', url];
  const commands = [
    ['db_sync'],
    ['fernet_setup', '--keystone-user', 'root', '--keystone-group', 'root'],
    ['bootstrap', '--bootstrap-password', password, ...region],
  ].map((words) => ['keystone-manage', '--config-file', join(folder, 'keystone.conf'), ...words]);
  await run(python, ['-c', manage, join(folder, 'keystone.db'), JSON.stringify(commands)]);
}

/**
 * Runs commands of `keystone-manage`, each in a process of its own, which begins where its modules are loaded: that takes longer than they do. With
 * another journal than SQLite's own, because otherwise a reader that Keystone has forgotten to close keeps every writer out ("database is locked").
 */
const manage = `
import json, os, sqlite3, sys
from keystone.cmd import manage
database, commands = sys.argv[1], json.loads(sys.argv[2])
sqlite3.connect(database).execute('pragma journal_mode=wal')
for sys.argv in commands:
    child = os.fork()
    if child == 0:
        manage.main()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(' '.join(sys.argv) + ' has failed')
`;

async function answering(url: string, child: ChildProcess): Promise<void> {
  const deadline = clock.now() + 300_000;
  while (clock.now() < deadline && child.exitCode === null) {
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await clock.sleep(100);
  }
  throw new Error('Keystone does not start');
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
