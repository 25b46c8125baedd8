import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect as dialSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect } from '../connection/connect.ts';
import type { ConnectOptions, OpenFlowConnection } from '../connection/types.ts';

const run = promisify(execFile);
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** Why no Open vSwitch can be started here, or undefined if one can. */
export function whyNoOvs(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  const missing = ['ovs-vswitchd', 'ovsdb-server', 'ovsdb-tool', 'ovs-vsctl', 'ovs-ofctl', 'unshare'].find(
    (program) => spawnSync('which', [program]).status !== 0,
  );
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/** One Open vSwitch of its own: database, switch daemon and one bridge, in a network namespace of its own. */
export type Ovs = {
  /** The bridge's management socket. */
  readonly socket: string;
  /** Runs ovs-ofctl with OpenFlow 1.5 on the bridge; `BR` in the arguments stands for it. */
  readonly ofctl: (...args: readonly string[]) => Promise<string>;
  readonly vsctl: (...args: readonly string[]) => Promise<string>;
  /** Puts a packet, as hexadecimal digits, into a port made by `addPort`. */
  readonly receive: (port: string, packetHex: string) => Promise<void>;
  /** Adds a dummy-free internal port with an OpenFlow number. */
  readonly addPort: (name: string, number: number) => Promise<void>;
  readonly connect: (options?: Partial<ConnectOptions>) => Promise<OpenFlowConnection>;
  readonly stop: () => Promise<void>;
};

export const dialUnix =
  (path: string) =>
  (signal: AbortSignal): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      const socket = dialSocket({ path, signal });
      socket.once('connect', () => resolve(socket)).once('error', reject);
    });

export const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
  await sleepFor(ms, undefined, { signal, ref: false });
};

/** Starts one; `dummy` has ports that packets can be put into by hand, else the datapath is `netdev`. */
export async function startOvs(kind: 'netdev' | 'dummy' = 'netdev'): Promise<Ovs> {
  const dir = await mkdtemp('/tmp/of-');
  const children: ChildProcess[] = [];
  const environment = { ...process.env, OVS_RUNDIR: dir, OVS_LOGDIR: dir, OVS_DBDIR: dir, OVS_SYSCONFDIR: dir };
  const options = { env: environment, maxBuffer: 256 * 1024 * 1024 };
  const start = (program: string, ...args: string[]): void => {
    children.push(spawn(program, args, { env: environment, cwd: dir, stdio: 'ignore' }));
  };
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(ended));
    await rm(dir, { recursive: true, force: true });
  };
  const vsctl = async (...args: readonly string[]): Promise<string> =>
    (await run('ovs-vsctl', [`--db=unix:${dir}/db`, '--timeout=20', ...args], options)).stdout;
  const appctl = async (...args: readonly string[]): Promise<string> =>
    (await run('ovs-appctl', ['-t', `${dir}/v.ctl`, ...args], options)).stdout;
  const socket = `${dir}/br.mgmt`;
  const ofctl = async (...args: readonly string[]): Promise<string> => {
    const mapped = args.map((arg) => (arg === 'BR' ? `unix:${socket}` : arg));
    return (await run('ovs-ofctl', ['-O', 'OpenFlow15', '-t', '60', ...mapped], options)).stdout;
  };
  try {
    await run('ovsdb-tool', ['create', `${dir}/c.db`, SCHEMA], options);
    start('ovsdb-server', `${dir}/c.db`, `--remote=punix:${dir}/db`, `--unixctl=${dir}/s.ctl`, '--no-chdir', '-voff');
    await exists(`${dir}/db`);
    await vsctl('--no-wait', 'init');
    const dummy = kind === 'dummy' ? ['--enable-dummy=override', '--disable-system', '--disable-system-route'] : [];
    start(
      'unshare',
      '--net',
      'ovs-vswitchd',
      `unix:${dir}/db`,
      '--disable-system',
      `--unixctl=${dir}/v.ctl`,
      '--no-chdir',
      '-voff',
      ...dummy,
    );
    const type = kind === 'dummy' ? 'dummy' : 'netdev';
    await vsctl('add-br', 'br', '--', 'set', 'bridge', 'br', `datapath_type=${type}`, 'protocols=OpenFlow15');
    await vsctl('set', 'bridge', 'br', 'fail_mode=secure');
    await exists(socket);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    socket,
    ofctl,
    vsctl,
    receive: async (port, packet) => void (await appctl('netdev-dummy/receive', port, packet)),
    addPort: async (name, number) => {
      const device = kind === 'dummy' ? 'dummy' : 'internal';
      const about = ['set', 'interface', name, `type=${device}`, `ofport_request=${number}`];
      await vsctl('add-port', 'br', name, '--', ...about);
    },
    connect: (more) => connect({ dial: dialUnix(socket), sleep, ...more }),
    stop,
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

async function exists(path: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const found = await stat(path).then(
      () => true,
      () => false,
    );
    if (found) return;
    await sleepFor(20);
  }
  throw new Error(`${path} did not appear`);
}
