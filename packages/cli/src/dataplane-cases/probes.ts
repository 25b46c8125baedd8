/** The probe processes of VMs and hosts: commands out, events in. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** How hosts tunnel: their probes look at such packets. */
export type TunnelType = 'vxlan' | 'geneve';

const tagger = new URL('./tagger.py', import.meta.url).pathname;
const program = new URL('./probe.py', import.meta.url).pathname;

/** What a probe saw of one packet or did with it. */
export interface ProbeEvent {
  readonly event:
    | 'ready'
    | 'listening'
    | 'sent'
    | 'seen'
    | 'crossed'
    | 'received'
    | 'answered'
    | 'error'
    | 'told'
    | 'counted'
    | 'fetched'
    | 'missed'
    | 'failed';
  /** What identifies the packet: the id that it carries, or the source port of a TCP connection. */
  readonly key: string;
  readonly ttl?: number;
  readonly dscp?: number;
  /** What it took to send a burst. */
  readonly seconds?: number;
  /** Datagrams of a burst so far. */
  readonly count?: number;
  readonly vni?: number;
  /** Of a tunnel packet the other host's address; of what was told, which question it answers. */
  readonly to?: string;
  readonly source?: string;
  readonly type?: number;
  readonly code?: number;
  /** Of an error: what the next network takes, where it says so. */
  readonly mtu?: number;
  readonly error?: string;
  readonly connection?: string;
}

export type Command = { readonly do: string } & { readonly [field: string]: unknown };

export interface Probe {
  readonly name: string;
  /** Everything it has said since the last `forget`. */
  readonly events: readonly ProbeEvent[];
  tell(command: Command): void;
  /** Its events, and the sockets that asked before. */
  forget(): void;
  /** Resolves when it has ended, and so holds its namespace no longer. */
  stop(): Promise<void>;
}

/** A process that puts a guest's frames under a VLAN tag, and takes it off. */
export type Tagger = Pick<Probe, 'stop'>;

/** Between `device` and `plain` in a namespace; resolves when it does so. */
export async function startTagger(place: {
  readonly name: string;
  readonly netns: string;
  readonly device: string;
  readonly plain: string;
  readonly vlan: number;
}): Promise<Tagger> {
  const { name, netns, device, plain, vlan } = place;
  const args = ['netns', 'exec', netns, 'python3', '-B', tagger, device, plain, String(vlan)];
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (status) => reject(new Error(`the tagger of ${name} ended with ${status}`)));
    child.once('error', reject);
    child.stdout.once('data', () => resolve());
  });
  return {
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.kill('SIGKILL')) await ended;
    },
  };
}

/** Resolves when it listens to its device. `onEvent` is called after each event. */
export async function startProbe(
  { name, netns, device, role }: { name: string; netns: string; device: string; role: 'vm' | 'outside' | TunnelType },
  onEvent: () => void,
): Promise<Probe> {
  const args = ['netns', 'exec', netns, 'python3', '-B', program, device, role];
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn('ip', args, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const events: ProbeEvent[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (status) => reject(new Error(`the probe of ${name} ended with ${status}`)));
    child.once('error', reject);
    createInterface(child.stdout).on('line', (line) => {
      const event = JSON.parse(line) as ProbeEvent;
      if (event.event === 'ready') return resolve();
      events.push(event);
      onEvent();
    });
  });
  const tell = (command: Command): void => void child.stdin.write(`${JSON.stringify(command)}\n`);
  return {
    name,
    events,
    tell,
    forget() {
      events.length = 0;
      tell({ do: 'clear' });
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.kill('SIGKILL')) await ended;
    },
  };
}
