/**
 * A real Open vSwitch of a test's own: database and daemon in a folder and a network namespace of their own (two daemons
 * with a userspace datapath cannot share one), gone when the test ends.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { dialBytes, realRuntime } from '@alcor/runtime';
import { Dataplane } from '../dataplane.ts';
import { OvsSwitch } from '../drivers/ovs.ts';
import type { TunnelType } from '../drivers/ovs-interfaces.ts';

const { clock } = realRuntime();
const run = promisify(execFile);
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** Why a real Open vSwitch cannot be run here; empty where it can. */
export function missingOpenVswitch(): string {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync(SCHEMA) ? '' : 'Open vSwitch is not installed';
}

export class OpenVswitch {
  readonly folder: string;
  readonly netns: string;
  readonly #children = new Map<string, ChildProcess>();

  private constructor(folder: string) {
    this.folder = folder;
    this.netns = basename(folder);
  }

  /** With a bridge `br-int` on the userspace datapath that forwards only by flows. */
  static async start(): Promise<OpenVswitch> {
    const ovs = new OpenVswitch(await mkdtemp(join(tmpdir(), 'alcor-ovs-')));
    await run('ip', ['netns', 'add', ovs.netns]);
    await run('ovsdb-tool', ['create', join(ovs.folder, 'conf.db'), SCHEMA]);
    await ovs.#spawn('ovsdb-server', [join(ovs.folder, 'conf.db'), `--remote=punix:${ovs.folder}/db.sock`], 'db.sock');
    await ovs.vsctl('--no-wait', 'init');
    await ovs.startDaemon();
    const settings = ['datapath_type=netdev', 'fail_mode=secure', 'protocols=OpenFlow15'];
    await ovs.vsctl('add-br', 'br-int', '--', 'set', 'bridge', 'br-int', ...settings);
    return ovs;
  }

  async stop(): Promise<void> {
    for (const name of ['ovs-vswitchd', 'ovsdb-server']) await this.#kill(name);
    await run('ip', ['netns', 'del', this.netns]);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Starts ovs-vswitchd. Dummy interfaces are allowed, so that most tests need no device of the machine. */
  async startDaemon(): Promise<void> {
    await this.#spawn('ovs-vswitchd', [`unix:${this.folder}/db.sock`, '--enable-dummy'], 'ovs-vswitchd.ctl');
  }

  async killDaemon(): Promise<void> {
    await this.#kill('ovs-vswitchd');
    for (const left of ['br-int.mgmt', 'br-int.snoop', 'ovs-vswitchd.ctl'])
      await rm(join(this.folder, left), { force: true });
  }

  /** A driver of its own, as an agent process would make it. */
  driver(bridgeMappings: ReadonlyMap<string, string> = new Map(), tunnelType?: TunnelType): OvsSwitch {
    return new OvsSwitch({
      bridgeMappings,
      tunnelType,
      ovsdb: `unix:${this.folder}/db.sock`,
      openflow: `unix:${this.folder}/br-int.mgmt`,
      dial: dialBytes,
      sleep: (ms, signal) => clock.sleep(ms, signal),
    });
  }

  /** What an agent on the host `hostIp` programs this switch with, once its tunnel port is there. */
  async startDataplane(hostIp: string, signal: AbortSignal, tunnelType?: TunnelType): Promise<Dataplane> {
    const dataplane = new Dataplane({ switch: this.driver(new Map(), tunnelType), hostIp, clock });
    await dataplane.start(signal);
    for (let turn = 0; dataplane.describe().tunnelPort === null; turn += 1) {
      if (turn > 15_000) throw new Error('no tunnel port');
      await clock.sleep(20);
    }
    return dataplane;
  }

  async vsctl(...args: string[]): Promise<string> {
    return this.#tool('ovs-vsctl', `--db=unix:${this.folder}/db.sock`, '--timeout=300', ...args);
  }

  /** What `ovs-appctl` does, without a process for each question: JSON-RPC on the daemon's control socket. */
  async appctl(method: string, ...params: string[]): Promise<string> {
    const wire = await dialBytes(`unix:${this.folder}/ovs-vswitchd.ctl`, AbortSignal.timeout(300_000));
    try {
      wire.write(JSON.stringify({ id: 0, method, params }));
      let text = '';
      for await (const bytes of wire as AsyncIterable<Buffer>) {
        text += bytes.toString();
        const answer = parsed(text);
        if (answer?.error) throw new Error(answer.error);
        if (answer !== null) return answer.result ?? '';
      }
      throw new Error(`no answer to ${method}`);
    } finally {
      wire.destroy();
    }
  }

  async ofctl(command: string, ...args: string[]): Promise<string> {
    return this.#tool('ovs-ofctl', '-O', 'OpenFlow15', command, `unix:${this.folder}/br-int.mgmt`, ...args);
  }

  /** Adds the flows of a file in one transaction, as fast as Open vSwitch's own tool can. */
  async bundle(file: string): Promise<void> {
    await this.#tool('ovs-ofctl', '-O', 'OpenFlow15', '--bundle', 'add-flows', `unix:${this.folder}/br-int.mgmt`, file);
  }

  /** Puts an interface without a device on the bridge. */
  async plug(ifaceId: string, name = `d-${ifaceId}`): Promise<number> {
    const claim = [`external_ids:iface-id=${ifaceId}`, 'type=dummy'];
    await this.vsctl('add-port', 'br-int', name, '--', 'set', 'interface', name, ...claim);
    return Number(await this.vsctl('get', 'interface', name, 'ofport'));
  }

  async unplug(ifaceId: string): Promise<void> {
    await this.vsctl('del-port', 'br-int', `d-${ifaceId}`);
  }

  async log(): Promise<string> {
    return readFile(join(this.folder, 'ovs-vswitchd.log'), 'utf8');
  }

  async #tool(name: string, ...args: string[]): Promise<string> {
    const { stdout } = await run(name, args, { maxBuffer: 1 << 28, env: this.#env() });
    return stdout;
  }

  #env(): NodeJS.ProcessEnv {
    const { folder } = this;
    return { ...process.env, OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVS_DBDIR: folder, OVS_SYSCONFDIR: folder };
  }

  async #spawn(name: string, args: readonly string[], ready: string): Promise<void> {
    const files = [`--unixctl=${this.folder}/${name}.ctl`, `--log-file=${this.folder}/${name}.log`, '--no-chdir'];
    // `ip netns exec` becomes the program, so killing the child kills the daemon.
    const command = ['netns', 'exec', this.netns, name, ...args, ...files, '-vconsole:off'];
    const child = spawn('ip', command, { stdio: 'ignore', env: this.#env() });
    this.#children.set(name, child);
    const deadline = clock.now() + 300_000;
    while (!existsSync(join(this.folder, ready))) {
      if (clock.now() > deadline || child.exitCode !== null) throw new Error(`${name} did not come up`);
      await clock.sleep(10);
    }
  }

  async #kill(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }
}

interface Answer {
  readonly result: string | null;
  readonly error: string | null;
}

/** Null while there is more to come. */
function parsed(text: string): Answer | null {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return null;
  }
}
