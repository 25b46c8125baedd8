/**
 * How long the first packet to a neighbour takes that the host does not know: many at once, between two hosts with a real Open vSwitch
 * each, from the VM's first ARP request until its echo reply. The agents ask the config manager over gRPC, and the security groups of the ports
 * let in their members only. All processes share this machine.
 *
 * With `--way gateway` a third host forwards them meanwhile, with `--way told` the hosts know everybody before: what the first costs more than
 * the second is what a gateway adds.
 *
 *   npm run bench:first-packet -- [--pings N] [--sources N] [--rounds N] [--groups] [--way asked|gateway|told] [--json]
 *
 * All guests are namespaces of one kernel, whose ICMP has one socket for each processor: when a hundred answers wait at once for their ARP, it has no room for
 * more and drops them (IcmpOutErrors). Those were not lost on their way and are counted apart, as `unsent`.
 *
 * CPU time is that of a ping with its answer, and says more than the clock where others use the machine too. `undisturbed` are the rounds in which
 * the machine did not stand still.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { realRuntime } from '@alcor/runtime';
import { stoodStillMs } from '../../runtime/bench/standstills.ts';
import type { Vm } from '../src/hosts/index.ts';
import { type CpuTimes, guest, type FirstPacketHosts, startFirstPacketHosts } from './first-packet-hosts.ts';

const { clock } = realRuntime();

/**
 * Rounds before those that count: the userspace datapath drops what it sends to an underlay address whose MAC it does not know yet, in whatever
 * way neighbours are told, and the engine has not compiled the agent yet.
 */
const WARM_UP = 3;
/** Until processes that ping have started, in ms. */
const STARTING_MS = 500;

const { values } = parseArgs({
  options: {
    pings: { type: 'string', default: '200' },
    sources: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    groups: { type: 'boolean', default: false },
    way: { type: 'string', default: 'asked' },
    json: { type: 'boolean', default: false },
  },
});
const way = (['asked', 'gateway', 'told'] as const).find((each) => each === values.way);
if (way === undefined) throw new TypeError(`--way wants asked, gateway or told, not '${values.way}'`);
const [pings, sources, rounds] = [Number(values.pings), Number(values.sources), Number(values.rounds)];

/** A process that pings when it is told whom. */
interface Pinger {
  /** Round-trip times in ms by target, with nothing between one request and the next; null: no answer. */
  ping(targets: readonly string[]): Promise<(number | null)[]>;
}

function startPinger(vm: Vm): Pinger {
  const command = ['netns', 'exec', vm.netns, 'fping', '-q', '-C', '1', '-i', '0', '-t', '5000'];
  const child = spawn('ip', command, { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  const closed = new Promise((resolve) => child.once('close', resolve));
  return {
    async ping(targets) {
      child.stdin.end(`${targets.join('\n')}\n`);
      await closed;
      const lines = said.split('\n').filter((line) => line.includes(' : '));
      if (lines.length !== targets.length) throw new Error(`unexpected output of fping: ${said}`);
      return lines.map((line) => {
        const time = line.split(' : ')[1]!.trim();
        return time === '-' ? null : Number(time);
      });
    },
  };
}

/** Calls `begin` when all is set up and nothing has been sent yet. */
async function everybody(
  vms: readonly Vm[],
  begin: () => Promise<void> = () => Promise.resolve(),
): Promise<(number | null)[]> {
  const [from, to] = [vms.slice(0, sources), vms.slice(sources)];
  const share = (n: number): string[] => to.filter((_, at) => at % sources === n).map(({ ip }) => ip);
  const pingers = from.map((vm) => startPinger(vm));
  // Packets are to be measured, and not what it takes to start processes beside the switches.
  await clock.sleep(STARTING_MS);
  await begin();
  return (await Promise.all(pingers.map((pinger, n) => pinger.ping(share(n))))).flat();
}

async function forgetMacs(vms: readonly Vm[]): Promise<void> {
  for (const vm of vms) {
    const child = spawn('ip', ['-n', vm.netns, 'neigh', 'flush', 'dev', 'eth0'], { stdio: 'ignore' });
    await new Promise((resolve) => child.once('close', resolve));
  }
}

/** Answers that the kernel of the guests has had no room for, since they were made. */
async function unsentBy(vms: readonly Vm[]): Promise<number> {
  let sum = 0;
  for (const vm of vms) {
    const child = spawn('ip', ['netns', 'exec', vm.netns, 'cat', '/proc/net/snmp'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    child.stdout.on('data', (data: Buffer) => (said += data.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    const [names = [], numbers = []] = said
      .split('\n')
      .filter((line) => line.startsWith('Icmp: '))
      .map((line) => line.split(' '));
    sum += Number(numbers[names.indexOf('OutErrors')]);
  }
  return sum;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await holds()); looks++) {
    if (looks > 300) throw new Error(`after 30 s not yet: ${what}`);
    await clock.sleep(100);
  }
}

interface Round {
  readonly first: (number | null)[];
  readonly second: (number | null)[];
  /** First packets that came, and whose answers did not leave their guest. */
  readonly unsent: number;
  /** While the first packets were on their way, in ms. */
  readonly stoodStillMs: number;
  /** What the first packets took, all processes of a kind together. */
  readonly cpu: CpuTimes;
}

async function round(hosts: FirstPacketHosts): Promise<Round> {
  hosts.showNeighbours(false);
  await until('the ports are in force, and no neighbour is', async () => {
    const says = [await hosts.describe(0), await hosts.describe(1)];
    return says.every(({ learnt }) => learnt === 0) && says[0]!.ports + says[1]!.ports === sources + pings;
  });
  hosts.showNeighbours(true);
  await forgetMacs(hosts.vms);
  // The datapath forgets what it has seen a moment after its flows are gone.
  await clock.sleep(3_000);
  const answering = hosts.vms.slice(sources);
  const unsentBefore = await unsentBy(answering);
  let before: CpuTimes | undefined;
  let from = 0;
  const first = await everybody(hosts.vms, async () => {
    before = await hosts.cpu();
    from = clock.wall();
  });
  const span = { from, to: clock.wall() };
  const after = await hosts.cpu();
  const spent = (kind: keyof CpuTimes): number => after[kind] - (before?.[kind] ?? 0);
  const cpu = { agents: spent('agents'), switches: spent('switches'), manager: spent('manager') };
  const unsent = (await unsentBy(answering)) - unsentBefore;
  return { first, second: await everybody(hosts.vms), unsent, stoodStillMs: stoodStillMs(span), cpu };
}

function quantile(times: readonly number[], q: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

const guests = Array.from({ length: sources + pings }, (_, n) => guest(n, n < sources ? 0 : 1));
const hosts = await startFirstPacketHosts(guests, values.groups, way);
try {
  const first: (number | null)[] = [];
  const undisturbed: (number | null)[] = [];
  const second: (number | null)[] = [];
  const cpu = { agents: 0, switches: 0, manager: 0 };
  let unsent = 0;
  let unsentUndisturbed = 0;
  for (let n = 0; n < WARM_UP; n++) await round(hosts);
  for (let n = 0; n < rounds; n++) {
    const times = await round(hosts);
    first.push(...times.first);
    unsent += times.unsent;
    if (times.stoodStillMs === 0) {
      undisturbed.push(...times.first);
      unsentUndisturbed += times.unsent;
    }
    second.push(...times.second);
    for (const kind of ['agents', 'switches', 'manager'] as const) cpu[kind] += times.cpu[kind];
    console.error(
      `round ${n + 1}: ${times.first.filter((time) => time === null).length - times.unsent} lost, ${times.unsent} unsent, stood still ${times.stoodStillMs} ms`,
      summary(times.first),
      times.cpu,
    );
  }
  const context = { pings, sources, rounds, groups: values.groups ? 1 : 0, way };
  for (const [name, times, notSent] of [
    ['first', first, unsent],
    ['undisturbed_first', undisturbed, unsentUndisturbed],
    ['next', second, 0],
  ] as const) {
    // prettier-ignore
    const answered = times.filter((time) => time !== null);
    if (answered.length === 0) continue;
    const line = (measure: string, value: number, unit: string): void =>
      console.log(JSON.stringify({ measure: `${name}_packet_${measure}`, value, unit, ...context }));
    line('median_ms', quantile(answered, 0.5), 'ms');
    line('p99_ms', quantile(answered, 0.99), 'ms');
    line('max_ms', Math.max(...answered), 'ms');
    line('unsent', notSent, 'packets');
    line('lost', times.length - answered.length - notSent, 'packets');
  }
  for (const [kind, ms] of Object.entries(cpu)) {
    const value = (1_000 * ms) / (rounds * pings);
    console.log(JSON.stringify({ measure: `first_packet_cpu_${kind}_us`, value, unit: 'us', ...context }));
  }
  for (const host of [0, 1]) console.error(`host ${host + 1}`, await hosts.describe(host));
} finally {
  await hosts.close();
}

function summary(times: readonly (number | null)[]): string {
  const answered = times.filter((time) => time !== null);
  return `median ${quantile(answered, 0.5)} ms, max ${Math.max(...answered)} ms`;
}
