/** Real nats-servers of a test's or a benchmark's own: each in a folder of its own, on free ports of the loopback address. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../real/clock.ts';

const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
const readyWithinMs = 300_000;

/** Why a real nats-server cannot be run here; empty where it can. */
export function missingNatsServer(): string {
  return spawnSync('nats-server', ['--version'], { env }).status === 0 ? '' : 'nats-server is not installed';
}

export class NatsServer {
  /** For `natsQueue`. */
  readonly url: string;
  readonly #folder: string;
  readonly #healthUrl: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number, monitorPort: number) {
    this.#folder = folder;
    this.url = `nats://127.0.0.1:${port}`;
    this.#healthUrl = `http://127.0.0.1:${monitorPort}/healthz`;
  }

  /** One server; ready when this resolves. */
  static async start(): Promise<NatsServer> {
    const [server] = await startAll(1);
    return server!;
  }

  /** Servers that form a cluster; ready when this resolves. */
  static cluster(size: number): Promise<readonly NatsServer[]> {
    return startAll(size);
  }

  /** Not started yet. `routes` are where all servers of its cluster listen for each other. */
  static async make(
    port: number,
    monitorPort: number,
    routePort: number,
    routes: readonly number[],
  ): Promise<NatsServer> {
    const folder = await mkdtemp(join(tmpdir(), 'alcor-nats-'));
    const lines = [
      `server_name: nats-${port}`,
      `listen: "127.0.0.1:${port}"`,
      `http: "127.0.0.1:${monitorPort}"`,
      `jetstream { store_dir: "${folder}" }`,
    ];
    const peers = routes.map((each) => `"nats://127.0.0.1:${each}"`).join(', ');
    if (routes.length > 1) lines.push(`cluster { name: test, listen: "127.0.0.1:${routePort}", routes: [${peers}] }`);
    await writeFile(join(folder, 'nats.conf'), lines.join('\n'));
    return new NatsServer(folder, port, monitorPort);
  }

  /** Starts it (again) with what it has kept; does not wait. */
  launch(): void {
    this.#child = spawn('nats-server', ['-c', join(this.#folder, 'nats.conf')], { stdio: 'ignore', env });
  }

  /** Resolves once it says that it is healthy. */
  async ready(): Promise<void> {
    const until = realClock.now() + readyWithinMs;
    while (!(await this.#isHealthy())) {
      if (realClock.now() > until) throw new Error(`${this.url} is not ready after ${readyWithinMs} ms`);
      await realClock.sleep(50);
    }
  }

  /** As a power cut does, as far as the process goes. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Stands still, with its connections open, until `resume`. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async restart(): Promise<void> {
    this.launch();
    await this.ready();
  }

  /** Kills it and removes all that it kept. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isHealthy(): Promise<boolean> {
    try {
      return (await fetch(this.#healthUrl)).ok;
    } catch {
      return false;
    }
  }
}

async function startAll(size: number): Promise<readonly NatsServer[]> {
  const ports = await freePorts(3 * size);
  const routes = ports.slice(0, size);
  const servers: NatsServer[] = [];
  for (let i = 0; i < size; i++)
    servers.push(await NatsServer.make(ports[size + i]!, ports[2 * size + i]!, routes[i]!, routes));
  for (const server of servers) server.launch();
  await Promise.all(servers.map((server) => server.ready()));
  return servers;
}

/** Ports that nobody has at the moment, all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const listeners = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    listeners.map(
      (listener) =>
        new Promise<number>((resolve) =>
          listener.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port)),
        ),
    ),
  );
  await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
  return ports;
}
