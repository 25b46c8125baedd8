/**
 * What the data plane takes from TCP between two hosts: iperf3 between VMs on two hosts with a real Open vSwitch each and 10,000 neighbours, with
 * 0, 10 and 1,000 rules in the security group of both, beside two hosts whose switches have one flow for each direction and nothing else. Rounds
 * alternate, because all share this machine. And what a group of as many members costs a host in flows.
 *
 *   npm run bench:throughput -- [--neighbours N] [--rounds N] [--seconds N] [--json]
 */
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Dataplane, OvsSwitch, type SecurityGroup, type SecurityGroupRule } from '@alcor/agent';
import { dialBytes, realRuntime } from '@alcor/runtime';
import {
  cleanRegion,
  createFabric,
  type Host,
  introduce,
  type Means,
  ping,
  plugVm,
  run,
  startHosts,
  type Vm,
} from '../src/hosts/index.ts';

const RULES = [0, 10, 1000];
const VNI = 7;
const GROUP = 'group';
/** Until iperf3 listens, in ms. */
const LISTENING_MS = 500;

const { values } = parseArgs({
  options: {
    neighbours: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const [neighbours, rounds, seconds] = [Number(values.neighbours), Number(values.rounds), Number(values.seconds)];
const { clock } = realRuntime();
const means: Means = { sleep: (ms, signal) => clock.sleep(ms, signal), dial: dialBytes };
const stop = new AbortController();
const never = new AbortController().signal;

interface Pair {
  readonly hosts: readonly [Host, Host];
  readonly vms: readonly [Vm, Vm];
}

interface Programmed extends Pair {
  readonly dataplanes: readonly [Dataplane, Dataplane];
}

async function plugged(hosts: readonly [Host, Host]): Promise<Pair> {
  const plug = (n: 0 | 1): Promise<Vm> =>
    plugVm(hosts[n], { portId: `${hosts[n].id}-vm`, ...guest(n), prefixLength: 8 });
  return { hosts, vms: [await plug(0), await plug(1)] };
}

/** Of all VMs that there are, the first two send. */
function guest(n: number): { readonly mac: string; readonly ip: string } {
  const bytes = [(n + 1) >> 16, ((n + 1) >> 8) & 255, (n + 1) & 255];
  return {
    mac: `fa:16:3e:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`,
    ip: `10.${bytes.join('.')}`,
  };
}

/** The least that a switch can do: what comes from the VM goes to the other host, and what comes from there to the VM. */
async function makePlain({ hosts, vms }: Pair): Promise<void> {
  for (const [n, host] of hosts.entries()) {
    const [vm, other] = [vms[n]!, hosts[1 - n]!];
    const out = `in_port=${vm.link},actions=set_field:${other.ip}->tun_dst,set_field:${VNI}->tun_id,output:${host.tunnel}`;
    for (const flow of [out, `in_port=${host.tunnel},actions=output:${vm.link}`])
      await run('ovs-ofctl', ['-O', 'OpenFlow15', 'add-flow', host.openflow, flow]);
  }
}

async function startDataplanes(pair: Pair): Promise<Programmed> {
  const started = pair.hosts.map(async (host) => {
    const driver = new OvsSwitch({ ...host, ...means, sleep: (ms, signal) => clock.sleep(ms, signal) });
    const dataplane = new Dataplane({ switch: driver, hostIp: host.ip, clock });
    await dataplane.start(stop.signal);
    await dataplane.reconcile(never);
    return dataplane;
  });
  const dataplanes = (await Promise.all(started)) as [Dataplane, Dataplane];
  return { ...pair, dataplanes };
}

/** Other VMs of the network, on hosts that are not here. */
function setNeighbours(dataplane: Dataplane, groups: readonly string[], revision: number): void {
  for (let n = 2; n < neighbours + 2; n++)
    dataplane.setNeighbor({
      ...guest(n),
      id: `neighbour-${n}`,
      vpcId: 'vpc',
      vni: VNI,
      ips: [guest(n).ip],
      securityGroupIds: groups,
      hostIp: `172.30.${(n >> 8) & 255}.${n & 255}`,
      revision,
    });
}

/** The VMs' ports in a group of this many rules, of which one lets in what iperf3 says; of none: without port security. */
async function setRules({ hosts, vms, dataplanes }: Programmed, count: number, revision: number): Promise<void> {
  for (const [n, dataplane] of dataplanes.entries()) {
    const shared = { vpcId: 'vpc', vni: VNI, securityGroupIds: count === 0 ? [] : [GROUP], revision };
    const port = (at: number) => ({ ...shared, id: vms[at]!.portId, mac: vms[at]!.mac, ips: [vms[at]!.ip] });
    dataplane.setSecurityGroup(groupOf(count, revision));
    dataplane.setPort({ ...port(n), adminStateUp: true, portSecurityEnabled: count > 0 });
    dataplane.setNeighbor({ ...port(1 - n), hostIp: hosts[1 - n]!.ip });
    await dataplane.flush(never);
  }
}

function rule(n: number, changes: Partial<SecurityGroupRule>): SecurityGroupRule {
  const any = { ethertype: 'IPv4', protocol: null, portRangeMin: null, portRangeMax: null } as const;
  return { id: `rule-${n}`, direction: 'ingress', ...any, ...changes };
}

function groupOf(count: number, revision: number): SecurityGroup {
  const others = Array.from({ length: Math.max(0, count - 3) }, (_, n) =>
    rule(n + 3, { protocol: n % 2 === 0 ? 6 : 17, portRangeMin: 10_000 + n, portRangeMax: 10_000 + n }),
  );
  const rules = [
    rule(0, { direction: 'egress' }),
    rule(1, { protocol: 6, portRangeMin: 5201, portRangeMax: 5201, remoteGroupId: GROUP }),
    rule(2, { protocol: 1 }),
    ...others,
  ];
  return { id: GROUP, stateful: true, revision, rules: rules.slice(0, count) };
}

interface Sample {
  /** As the receiver has it. */
  readonly mbits: number;
  /** What both switches have worked for each Gbit, in seconds of a core: that does not depend on what else the machine does. */
  readonly cpu: number;
}

async function sample({ hosts, vms: [from, to] }: Pair): Promise<Sample> {
  // What has changed since the last time is met by packets before those that count; and who has to be asked for by ARP.
  await ping(from, to.ip, { count: 5 });
  const listening = run('ip', ['netns', 'exec', to.netns, 'iperf3', '-s', '-1', '-p', '5201']);
  await clock.sleep(LISTENING_MS);
  const client = [
    'netns',
    'exec',
    from.netns,
    'iperf3',
    '-c',
    to.ip,
    '-p',
    '5201',
    '-t',
    String(seconds),
    '-O',
    '1',
    '-J',
  ];
  const before = await cpuOf(hosts);
  const { end } = JSON.parse(await run('ip', client)) as Iperf;
  const cpu = (await cpuOf(hosts)) - before;
  await listening;
  const { bits_per_second: rate, bytes } = end.sum_received;
  // The first second is sent, and not counted.
  const gbits = ((bytes * 8) / 1e9) * ((seconds + 1) / seconds);
  return { mbits: rate / 1e6, cpu: cpu / gbits };
}

interface Iperf {
  readonly end: { readonly sum_received: { readonly bits_per_second: number; readonly bytes: number } };
}

/** Seconds that the hosts' daemons have worked; the kernel counts in hundredths (proc(5)). */
async function cpuOf(hosts: readonly Host[]): Promise<number> {
  const ticks = hosts.map(async (host) => {
    const stat = await readFile(`/proc/${await daemonOf(host)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return (await Promise.all(ticks)).reduce((sum, each) => sum + each, 0) / 100;
}

async function daemonOf({ runDir }: Host): Promise<string> {
  return (await readFile(join(runDir, 'ovs-vswitchd.pid'), 'utf8')).trim();
}

/** What a host's daemon holds, in MiB. */
async function memoryOf(host: Host): Promise<number> {
  const status = await readFile(`/proc/${await daemonOf(host)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

function median(measured: readonly number[]): number {
  const sorted = [...measured].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

function line(measure: string, value: number, unit: string, context: object = {}): void {
  const rounded = Math.round(value * 1000) / 1000;
  console.log(JSON.stringify({ measure, value: rounded, unit, neighbours, rounds, seconds, ...context }));
}

const flowsOf = ({ dataplanes: [first] }: Programmed): number => first.describe().flows.present;

/** Flows that a host has more when its neighbours are in a group that a rule of a port here names, for each of them. */
async function flowsPerMember(pair: Programmed): Promise<number> {
  const [dataplane] = pair.dataplanes;
  const before = flowsOf(pair);
  setNeighbours(dataplane, [GROUP], 2);
  await dataplane.flush(never);
  return (flowsOf(pair) - before) / neighbours;
}

async function compare(plain: Pair, pair: Programmed): Promise<void> {
  const seen = new Map<number | 'plain', Sample[]>((['plain', ...RULES] as const).map((name) => [name, []]));
  const flows = new Map<number, number>();
  const memory = new Map<number, number>();
  for (let round = 1; round <= rounds; round++) {
    seen.get('plain')!.push(await sample(plain));
    for (const [n, rules] of RULES.entries()) {
      await setRules(pair, rules, 10 * round + n);
      flows.set(rules, flowsOf(pair));
      seen.get(rules)!.push(await sample(pair));
      memory.set(rules, await memoryOf(pair.hosts[0]));
    }
    const last = Array.from(seen, ([name, each]) => `${name} ${Math.round(each.at(-1)!.mbits)}`);
    console.error(`round ${round}:`, ...last, 'Mbit/s');
  }
  const of = (name: number | 'plain', value: keyof Sample): number =>
    median(seen.get(name)!.map((each) => each[value]));
  line('throughput_plain', of('plain', 'mbits'), 'Mbit/s');
  line('switch_cpu_plain', of('plain', 'cpu'), 's/Gbit');
  line('memory_plain', await memoryOf(plain.hosts[0]), 'MiB');
  for (const rules of RULES) {
    line('throughput', of(rules, 'mbits'), 'Mbit/s', { rules });
    line('throughput_of_plain', of(rules, 'mbits') / of('plain', 'mbits'), 'ratio', { rules });
    line('switch_cpu', of(rules, 'cpu'), 's/Gbit', { rules });
    line('switch_cpu_of_plain', of(rules, 'cpu') / of('plain', 'cpu'), 'ratio', { rules });
    line('flows', flows.get(rules)!, 'flows', { rules });
    line('memory', memory.get(rules)!, 'MiB', { rules });
  }
}

const runDir = await mkdtemp(join(tmpdir(), 'al-'));
const prefix = `tp${process.pid.toString(36).slice(-5)}`;
try {
  const fabric = await createFabric({ prefix, runDir, means });
  const [a, b, c, d] = (await startHosts(fabric, 4)) as [Host, Host, Host, Host];
  await introduce([a, b, c, d]);
  const plain = await plugged([a, b]);
  await makePlain(plain);
  const pair = await startDataplanes(await plugged([c, d]));
  for (const dataplane of pair.dataplanes) {
    setNeighbours(dataplane, [], 1);
    await dataplane.flush(never);
  }
  await compare(plain, pair);
  line('flows_per_member', await flowsPerMember(pair), 'flows');
} finally {
  stop.abort();
  await cleanRegion({ prefix, runDir, means });
}
