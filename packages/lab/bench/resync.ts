/**
 * How long all hosts take to be verified when the controller has been killed and a new one has started, by how many of them hold something
 * else than they should: that they missed three changes in one of their networks. What is simulated is said in `resync-hosts.ts` and
 * `resync-controller.ts`; everything goes over gRPC on loopback.
 *
 *   npm run bench:resync -- [--hosts N] [--ports N] [--diverged FRACTION,…] [--json]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ControllerSays, Took } from './resync-controller.ts';
import { type SimulatedHosts, startHosts } from './resync-hosts.ts';
import type { Size } from './resync-intent.ts';

const controllerFile = fileURLToPath(new URL('resync-controller.ts', import.meta.url));

interface Line {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
}

class Controller {
  readonly #process: ChildProcess;
  #saidNothingYet: Promise<ControllerSays>;

  constructor({ hosts, ports }: Size, address: string) {
    this.#process = fork(controllerFile, [String(hosts), String(ports), address], { stdio: ['ignore', 2, 2, 'ipc'] });
    this.#saidNothingYet = this.#next();
  }

  /** What it says next. */
  async said(): Promise<ControllerSays> {
    const said = await this.#saidNothingYet;
    this.#saidNothingYet = this.#next();
    return said;
  }

  async kill(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#saidNothingYet.catch(() => undefined);
    this.#process.kill('SIGKILL');
    await gone;
  }

  #next(): Promise<ControllerSays> {
    return new Promise((resolve, reject) => {
      this.#process.once('message', resolve as (message: unknown) => void);
      this.#process.once('exit', (code) => reject(new Error(`the controller ended with ${code}`)));
    });
  }
}

async function measure(hosts: SimulatedHosts, size: Size, address: string, diverged: number): Promise<readonly Line[]> {
  const { counters, fullState } = hosts;
  const wanted = hosts.diverge(Math.round(size.hosts * diverged));
  const before = { ...counters };
  const start = performance.now();
  const cpu = process.cpuUsage();
  const controller = new Controller(size, address);
  const loaded = (await controller.said()) as Extract<ControllerSays, { loaded: true }>;
  const verified = (await controller.said()) as Extract<ControllerSays, { verified: true }>;
  const end = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  await controller.kill();
  const written = counters.written - before.written + counters.removed - before.removed;
  if (written < wanted) throw new Error(`${written} of ${wanted} changes have come to the hosts`);
  const { lost, delayP99Ms, delayMaxMs } = verified;
  const phases: [string, Took][] = [
    ['started', loaded.start],
    ['compiled', loaded.compile],
    ['resync_after_load', verified.hosts],
  ];
  return [
    { measure: 'resync_s', value: (end - start) / 1000, unit: 's' },
    ...phases.flatMap(([phase, { wallS, cpuS }]) => [
      { measure: `${phase}_s`, value: wallS, unit: 's' },
      { measure: `${phase}_controller_cpu_s`, value: cpuS, unit: 's' },
    ]),
    { measure: 'simulated_hosts_cpu_s', value: (user + system) / 1e6, unit: 's' },
    { measure: 'needless_writes', value: written - wanted, unit: '1' },
    { measure: 'writes', value: written, unit: '1' },
    { measure: 'goals_retold', value: counters.retold - before.retold, unit: '1' },
    { measure: 'bytes_over_full_state', value: (counters.bytes - before.bytes) / fullState, unit: '1' },
    { measure: 'hosts_lost', value: lost, unit: '1' },
    { measure: 'controller_loop_delay_p99_ms', value: delayP99Ms, unit: 'ms' },
    { measure: 'controller_loop_delay_max_ms', value: delayMaxMs, unit: 'ms' },
  ];
}

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '10000' },
    ports: { type: 'string', default: '1000000' },
    diverged: { type: 'string', default: '0,0.001,1' },
    json: { type: 'boolean', default: false },
  },
});
const size: Size = { hosts: Number(values.hosts), ports: Number(values.ports) };
const folder = await mkdtemp(join(tmpdir(), 'resync-'));
const address = `unix:${join(folder, 'hosts')}`;
const hosts = await startHosts(size, address);
console.error(`${size.hosts} hosts hold ${(hosts.fullState / 1e6).toFixed(0)} MB of goals`);
for (const text of values.diverged.split(',')) {
  for (const line of await measure(hosts, size, address, Number(text))) {
    const context = { diverged: Number(text), ...size, hosts_are: 'simulated' };
    console.log(
      values.json
        ? JSON.stringify({ ...line, ...context })
        : `${text.padStart(6)}  ${line.measure.padEnd(30)} ${line.value.toFixed(4)} ${line.unit}`,
    );
  }
}
hosts.close();
await rm(folder, { recursive: true });
process.exit();
