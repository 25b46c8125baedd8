import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** Why the real server cannot be used here, or `undefined` where it can. */
export function missing(): string | undefined {
  const absent = ['ovsdb-server', 'ovsdb-tool'].filter((tool) => !installed(tool));
  if (absent.length > 0) return `not installed: ${absent.join(', ')}`;
  return existsSync(SCHEMA) ? undefined : `no schema at ${SCHEMA}`;
}

function installed(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A real ovsdb-server with the switch's schema, in a folder of its own. */
export class OvsdbServer {
  readonly folder: string;
  readonly socket: string;
  #process: ChildProcess | undefined;

  private constructor(folder: string) {
    this.folder = folder;
    this.socket = join(folder, 'db.sock');
  }

  /** `clustered` keeps transaction ids over restarts, which `standalone` does not have at all. */
  static async create(kind: 'standalone' | 'clustered'): Promise<OvsdbServer> {
    const server = new OvsdbServer(await mkdtemp(join(tmpdir(), 'ovsdb-')));
    if (kind === 'standalone') await run('ovsdb-tool', ['create', server.#file, SCHEMA]);
    else await run('ovsdb-tool', ['create-cluster', server.#file, SCHEMA, `unix:${server.folder}/raft`]);
    return server;
  }

  /** Starts it, listening on the unix socket and on `extra` remotes, and waits until it listens. */
  async start(...extra: string[]): Promise<void> {
    const remotes = [`punix:${this.socket}`, ...extra].map((remote) => `--remote=${remote}`);
    const quiet = ['--no-chdir', `--unixctl=${this.folder}/ctl`, `--log-file=${this.folder}/log`, '-vconsole:off'];
    this.#process = spawn('ovsdb-server', [this.#file, ...remotes, ...quiet], { stdio: 'ignore' });
    while (!existsSync(this.socket)) await delay(5);
  }

  /** The TCP port that the kernel gave to a `ptcp:0` remote, by the server's own log. */
  async port(): Promise<number> {
    for (;;) {
      const found = /listening on port (\d+)/.exec(await readFile(join(this.folder, 'log'), 'utf8'));
      if (found !== null) return Number(found[1]);
      await delay(5);
    }
  }

  async killHard(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    await rm(this.socket, { force: true });
  }

  async destroy(): Promise<void> {
    await this.killHard();
    await rm(this.folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.folder, 'conf.db');
  }
}
