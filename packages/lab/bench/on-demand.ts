/**
 * What answering hosts costs by the size of their VPC: questions per second over real gRPC on loopback, from hosts in a process of their own, with the
 * neighbours that they learn sent down their streams; and what a tenant feels of another one that asks a hundred times as much. Every question is for
 * what its host does not know yet, whatever the size, so of small VPCs there are as many as that takes.
 * Real are the config manager, the contract and gRPC; the goals are put where delivery would publish them, and the hosts have no switch. The limit
 * in the same run is a server that says yes to every question and does nothing else. `undisturbed` leaves out what was asked while the machine stood
 * still, and shortly after.
 *
 *   npm run bench:on-demand -- [--ports N,…] [--per-message N] [--ms N] [--json]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ConfigManager, type ManagedHost } from '@alcor/config-manager';
import {
  EtherType,
  type Goal,
  goalKey,
  HostRequestReply,
  NeighborConfiguration,
  PortConfiguration,
  requestGoalStates,
  SecurityGroupConfiguration,
  SecurityGroupConfiguration_Direction as Direction,
  VpcConfiguration,
} from '@alcor/contract';
import { answering, Bus, realRuntime, Topic } from '@alcor/runtime';
import { addressOf, type Asked, type Asking, hostId, HOSTS, type Order, type Word } from './on-demand-client.ts';

const ASKING = [0, 1, 2, 3, 4, 5, 6, 7];
const MOST_P99_MS = 5;
/** Questions of all hosts together that none of them may have asked before: for two closed loops and all rates. */
const NEW_QUESTIONS = 500_000;
/** In a period with a rate at least, so that its p99 is not that of one or two. */
const LEAST_MESSAGES = 1_000;
const RATES = [1_000, 2_500, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 40_000, 60_000];
/** Of the tenant beside the flood, in questions per second. */
const QUIET = 200;
const FLOOD = 100;

const runtime = realRuntime();
const { clock } = runtime;

interface Published {
  readonly tenant: string;
  readonly vpcId: string;
  readonly tunnelId: number;
  readonly ports: number;
}

/** A VPC of a tenant with that many ports, dealt out over the hosts; rules let anybody in by address. */
function publish(goals: Bus<Goal>, { tenant: projectId, vpcId, tunnelId, ports }: Published): void {
  const put = (topic: string, goal: Goal): void => goals.topic(topic).put(goalKey(goal), goal);
  const group = SecurityGroupConfiguration.fromPartial({
    id: `group-${vpcId}`,
    vpcId,
    securityGroupRules: [Direction.EGRESS, Direction.INGRESS].map((direction) => ({
      id: `rule-${direction}`,
      direction,
      ethertype: EtherType.IPV4,
      ...(direction === Direction.INGRESS ? { remoteIpPrefix: '10.0.0.0/8' } : {}),
    })),
  });
  const common: Goal[] = [
    { kind: 'vpc', state: VpcConfiguration.fromPartial({ id: vpcId, tunnelId, projectId }) },
    { kind: 'security-group', state: group },
  ];
  for (const goal of common) for (const topic of [`vpc/${vpcId}`, `vpc/${vpcId}/common`]) put(topic, goal);
  for (let n = 0; n < ports; n++) {
    const id = `${vpcId}-${n}`;
    const hex = n.toString(16).padStart(6, '0');
    const macAddress = `fa:16:3e:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
    const state = NeighborConfiguration.fromPartial({
      id,
      vpcId,
      revisionNumber: 1,
      macAddress,
      hostIpAddress: hostIp(n % HOSTS),
      fixedIps: [{ ipAddress: addressOf(n) }],
      securityGroupIds: [group.id],
    });
    put(`vpc/${vpcId}`, { kind: 'neighbor', state });
  }
  // One port of its own has each host in the VPC; how many more does not matter to whom it asks.
  for (let n = 0; n < HOSTS; n++) {
    put(`host/${hostId(n)}`, {
      kind: 'port',
      state: PortConfiguration.fromPartial({ id: `${vpcId}-own-${n}`, vpcId, revisionNumber: 1 }),
    });
  }
}

function hostIp(n: number): string {
  return `172.16.0.${n + 1}`;
}

/** A process with the agents of all hosts, or with nobody yet; either can ask. */
interface Client {
  readonly agentAddress: string;
  say(order: Order): void;
  ask(asking: Asking): Promise<Asked>;
  close(): Promise<void>;
}

async function startClient(): Promise<Client> {
  const client = fork(fileURLToPath(new URL('on-demand-client.ts', import.meta.url)), ['hosts']);
  const [{ agentAddress }] = (await once(client, 'message')) as [{ agentAddress: string }];
  let asked = 0;
  const waiting = new Map<number, (asked: Asked) => void>();
  client.on('message', (word: Word) => {
    if ('asked' in word) waiting.get(word.id)?.(word.asked);
  });
  const say = (order: Order): void => void client.send(order);
  return {
    agentAddress,
    say,
    ask(asking) {
      const id = ++asked;
      say({ id, asking });
      return new Promise((resolve) => waiting.set(id, resolve));
    },
    async close() {
      const gone = once(client, 'exit');
      client.disconnect();
      await gone;
    },
  };
}

interface Region {
  /** Of all hosts. */
  readonly client: Client;
  /** Asks for the same hosts and does nothing else, so that what all of them together do is not in the way where times are taken. */
  readonly apart: Client;
  close(): Promise<void>;
}

/** A config manager with all hosts in step, and the process that the hosts are in; `tenants`: whose each of the VPCs is. */
async function start(tenants: readonly string[], ports: number): Promise<Region> {
  const goals = new Bus<Goal>();
  for (const [index, tenant] of tenants.entries())
    publish(goals, { tenant, vpcId: `vpc-${index}`, tunnelId: index + 1, ports });
  const [client, apart] = [await startClient(), await startClient()];
  const { agentAddress } = client;
  const hosts = new Topic<ManagedHost>();
  for (let n = 0; n < HOSTS; n++) hosts.put(hostId(n), { id: hostId(n), agentAddress, ip: hostIp(n) });
  const channels = new Topic<{ readonly channel: 'grpc' | 'mq' | 'on-demand' }>();
  for (const index of tenants.keys()) channels.put(`vpc-${index}`, { channel: 'on-demand' });
  const stop = new AbortController();
  const manager = new ConfigManager({
    runtime,
    goals,
    hosts,
    channels,
    onReport: () => undefined,
    log: (message, error) => (error === undefined ? undefined : console.error(message, error)),
  });
  const requestAddress = await manager.answer('127.0.0.1:0', stop.signal);
  for (const each of [client, apart]) each.say({ requestAddress });
  const running = manager.run(stop.signal);
  const inStep = (): boolean =>
    Array.from({ length: HOSTS }, (_, n) => manager.host(hostId(n))?.state).every((state) => state === 'synchronised');
  while (!inStep()) await clock.sleep(50);
  return {
    client,
    apart,
    async close() {
      stop.abort();
      await running;
      for (const each of [client, apart]) await each.close();
    },
  };
}

interface Line {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  readonly [context: string]: string | number;
}

async function rates(ports: number, perMessage: number, ms: number): Promise<Line[]> {
  const vpcs = Math.ceil(NEW_QUESTIONS / (ASKING.length * ports));
  const region = await start(
    Array.from({ length: vpcs }, () => 'tenant'),
    ports,
  );
  const vnis = { first: 1, count: vpcs };
  const base = { hosts: ASKING, vnis, ports, perMessage, underWay: 2, ms };
  const context = { ports, vpcs, hosts_are: 'simulated', per_message: perMessage };
  await region.apart.ask({ ...base, perSecond: null });
  const before = process.cpuUsage();
  const closed = await region.apart.ask({ ...base, perSecond: null });
  const used = process.cpuUsage(before);
  const cpu = (used.user + used.system) / closed.answered;
  const lines: Line[] = [
    { measure: 'on_demand_closed_loop_per_s', value: closed.perSecond, unit: '1/s', ...context },
    { measure: 'on_demand_cpu_us', value: cpu, unit: 'us', ...context },
  ];
  let [best, undisturbedBest] = [0, 0];
  for (const perSecond of RATES) {
    const leastMs = (LEAST_MESSAGES * perMessage * 1_000) / perSecond;
    const asked = await region.apart.ask({ ...base, perSecond, ms: Math.max(ms, leastMs) });
    if (perSecond === 10_000)
      lines.push(
        { measure: 'on_demand_p99_ms', value: asked.p99Ms, unit: 'ms', ...context, per_s: perSecond },
        {
          measure: 'on_demand_undisturbed_p99_ms',
          value: asked.undisturbedP99Ms,
          unit: 'ms',
          ...context,
          per_s: perSecond,
        },
      );
    const [p50, p99, undisturbedP99] = [asked.p50Ms, asked.p99Ms, asked.undisturbedP99Ms].map((each) =>
      each.toFixed(2),
    );
    console.error(
      `  ${perSecond}/s: p50 ${p50} ms, p99 ${p99} ms, undisturbed ${undisturbedP99} ms, ${asked.behind} behind`,
    );
    const isRoutable = asked.routable === asked.answered;
    if (asked.p99Ms <= MOST_P99_MS && isRoutable) best = perSecond;
    if (asked.undisturbedP99Ms <= MOST_P99_MS && isRoutable) undisturbedBest = perSecond;
    if (asked.undisturbedP99Ms > 20 * MOST_P99_MS) break;
  }
  const most = { unit: '1/s', ...context, most_p99_ms: MOST_P99_MS };
  lines.push({ measure: 'on_demand_per_s', value: best, ...most });
  lines.push({ measure: 'on_demand_undisturbed_per_s', value: undisturbedBest, ...most });
  await region.close();
  return lines;
}

/** What the wire, the machine and the asking process alone take: nobody looks anything up, and no host is told anything. */
async function limit(perMessage: number, ms: number): Promise<Line[]> {
  const stop = new AbortController();
  const yes = answering(requestGoalStates, ({ stateRequests }) => {
    const operationStatuses = stateRequests.map(({ requestId }) => ({ requestId, lifetimeMs: 300_000 }));
    return Promise.resolve(HostRequestReply.fromPartial({ formatVersion: 2, operationStatuses }));
  });
  const [client, apart] = [await startClient(), await startClient()];
  const requestAddress = await runtime.transport.serve('127.0.0.1:0', [yes], stop.signal);
  for (const each of [client, apart]) each.say({ requestAddress });
  const base = { hosts: ASKING, vnis: { first: 1, count: 1 }, ports: 10_000, underWay: 2, ms };
  await apart.ask({ ...base, perMessage, perSecond: null });
  const closed = await apart.ask({ ...base, perMessage, perSecond: null });
  const paced = await apart.ask({ ...base, perMessage, perSecond: 10_000 });
  const { before, during } = await besideFlood({ client, apart }, { ports: 10_000, perMessage, ms });
  for (const each of [client, apart]) await each.close();
  stop.abort();
  const context = { ports: 0, hosts_are: 'simulated', per_message: perMessage };
  return [
    { measure: 'limit_closed_loop_per_s', value: closed.perSecond, unit: '1/s', ...context },
    { measure: 'limit_p99_ms', value: paced.p99Ms, unit: 'ms', ...context, per_s: 10_000 },
    { measure: 'limit_undisturbed_p99_ms', value: paced.undisturbedP99Ms, unit: 'ms', ...context, per_s: 10_000 },
    { measure: 'limit_alone_p99_ms', value: before, unit: 'ms', ...context, per_message: 1, per_s: QUIET },
    { measure: 'limit_other_tenant_p99_ratio', value: during / before, unit: '1', ...context, per_s: QUIET },
  ];
}

interface Flood {
  readonly ports: number;
  readonly perMessage: number;
  readonly ms: number;
}

interface BesideFlood {
  readonly before: number;
  /** In the first period of a flood, in which V8 is still compiling what a flood takes. */
  readonly first: number;
  readonly during: number;
  readonly putOff: number;
}

/**
 * Of one who asks quietly, out of a process that does nothing else: undisturbed p99 in ms, medians of three periods alone and three beside the flood of
 * another tenant, after a first one.
 */
async function besideFlood(
  { client, apart }: { readonly client: Pick<Client, 'ask'>; readonly apart: Pick<Client, 'ask'> },
  { ports, perMessage, ms }: Flood,
): Promise<BesideFlood> {
  const quiet: Asking = {
    hosts: [0],
    vnis: { first: 1, count: 1 },
    ports,
    perMessage: 1,
    underWay: 1,
    perSecond: QUIET,
    ms,
  };
  const flooding: Asking = {
    ...quiet,
    hosts: ASKING.slice(1),
    vnis: { first: 2, count: 1 },
    perMessage,
    perSecond: QUIET * FLOOD,
  };
  let putOff = 0;
  const together = async (): Promise<number> => {
    const [asked, other] = await Promise.all([apart.ask(quiet), client.ask(flooding)]);
    putOff += other.putOff;
    return asked.undisturbedP99Ms;
  };
  await apart.ask(quiet);
  const first = await together();
  const alone: number[] = [];
  const beside: number[] = [];
  for (let n = 0; n < 3; n++) {
    alone.push((await apart.ask(quiet)).undisturbedP99Ms);
    beside.push(await together());
  }
  return { before: median(alone), first, during: median(beside), putOff };
}

/** Two tenants with a VPC of that many ports each: one asks quietly, the other a hundred times as much in every other period. */
async function flood(flooding: Flood): Promise<Line[]> {
  const { ports } = flooding;
  const region = await start(['quiet', 'flooding'], ports);
  const { before, first, during, putOff } = await besideFlood(region, flooding);
  await region.close();
  const context = { ports, hosts_are: 'simulated', per_s: QUIET, other_per_s: QUIET * FLOOD, put_off: putOff };
  return [
    { measure: 'alone_p99_ms', value: before, unit: 'ms', ...context },
    { measure: 'beside_first_flood_p99_ms', value: first, unit: 'ms', ...context },
    { measure: 'beside_flood_p99_ms', value: during, unit: 'ms', ...context },
    { measure: 'other_tenant_p99_ratio', value: during / before, unit: '1', ...context },
  ];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const { values } = parseArgs({
  options: {
    ports: { type: 'string', default: '100,1000,10000,100000,1000000' },
    // An agent sends what gathers while it waits for a turn: few questions when it is asked little.
    'per-message': { type: 'string', default: '10' },
    ms: { type: 'string', default: '2000' },
    json: { type: 'boolean', default: false },
    // Of this size the rates, told to the process that asks for them.
    only: { type: 'string' },
  },
});
const print = (line: Line): void => {
  const { measure: name, value, unit, ports } = line;
  console.log(
    values.json ? JSON.stringify(line) : `${String(ports).padStart(8)}  ${name.padEnd(28)} ${value.toFixed(3)} ${unit}`,
  );
};
/** In a process of its own, so that no size is measured on what another has left behind. */
async function ratesApart(ports: number): Promise<Line[]> {
  const args = ['--per-message', values['per-message'], '--ms', values.ms, '--only', String(ports)];
  const child = fork(fileURLToPath(import.meta.url), args);
  const [lines] = (await once(child, 'message')) as [Line[]];
  await once(child, 'exit');
  return lines;
}

const ms = Number(values.ms);
const perMessage = Number(values['per-message']);
if (values.only !== undefined) {
  const lines = await rates(Number(values.only), perMessage, ms);
  process.send!(lines, () => process.exit());
  await new Promise(() => undefined);
}
const closedLoop = new Map<number, number>();
console.error('the wire alone …');
for (const line of await limit(perMessage, ms)) print(line);
for (const text of values.ports.split(',')) {
  const ports = Number(text);
  console.error(`a VPC of ${ports} ports …`);
  for (const line of await ratesApart(ports)) {
    print(line);
    if (line.measure === 'on_demand_closed_loop_per_s') closedLoop.set(ports, line.value);
  }
}
const [smallest, largest] = [Math.min(...closedLoop.keys()), Math.max(...closedLoop.keys())];
if (smallest < largest) {
  const value = (closedLoop.get(largest) ?? Number.NaN) / (closedLoop.get(smallest) ?? Number.NaN);
  print({ measure: 'on_demand_rate_ratio', value, unit: '1', ports: largest, against_ports: smallest });
}
console.error('a flood beside another tenant …');
for (const line of await flood({ ports: Math.min(largest, 10_000), perMessage, ms })) print(line);
process.exit(0);
