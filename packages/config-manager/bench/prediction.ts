/**
 * What predictions save, and what they waste: counts, no times. Simulated hosts of one VPC on demand ask for who their ports speak with and they do not
 * hold, and name what nothing uses, as agents do; once with nothing predicted, then with so many at most for each port that comes.
 *
 *   npm run bench:prediction -- [--clients N] [--hosts N] [--per-port N,…] [--seed N] [--json]
 *   npm run bench:prediction -- --trace FILE [--roles FILE] [--hours N] …      (of FILE: prediction-traffic.ts)
 */
import { parseArgs } from 'node:util';
import {
  type Goal,
  goalKey,
  HostRequest_ResourceStateRequest as Question,
  NeighborConfiguration,
  type StatedGoal,
  VpcConfiguration,
} from '@alcor/contract';
import { Bus, createSchedule, createWorld, seededRandom } from '@alcor/runtime';
import { learntLifetimeMs } from '../src/answer.ts';
import type { Learner } from '../src/learner.ts';
import { OnDemand, type OnDemandCounters } from '../src/on-demand.ts';
import { questionTurns } from '../src/requests.ts';
import { drawn, type Guest, type Step, traced } from './prediction-traffic.ts';

const vpcId = 'vpc';
const tunnelId = 7;
const idleCheckMs = 15_000;

interface Use {
  readonly toldAt: number;
  at: number;
}

/** What a host holds, and when its ports used it. */
class Host implements Learner {
  readonly hostId: string;
  readonly hostIp: string;
  readonly uses = new Map<string, Use>();
  readonly #now: () => number;

  constructor(n: number, now: () => number) {
    this.hostId = `host-${n}`;
    this.hostIp = `172.16.${n >> 8}.${n & 255}`;
    this.#now = now;
  }

  learn(_vpcId: string, { goal, removed }: StatedGoal): void {
    const { id } = goal.state;
    const now = this.#now();
    if (removed) this.uses.delete(id);
    else if (!this.uses.has(id)) this.uses.set(id, { toldAt: now, at: now });
  }

  afterApplied(run: () => void): void {
    run();
  }

  /** False: it does not hold it. */
  use(id: string): boolean {
    const use = this.uses.get(id);
    if (use !== undefined) use.at = this.#now() + 1;
    return use !== undefined;
  }

  idle(): { id: string; used: boolean }[] {
    const since = this.#now() - learntLifetimeMs;
    return [...this.uses].flatMap(([id, { toldAt, at }]) => (at < since ? [{ id, used: at > toldAt }] : []));
  }
}

interface Played {
  readonly counters: OnDemandCounters;
  readonly ports: number;
  /** Of ports that had come a moment before. */
  readonly firstQuestions: number;
}

async function play(steps: AsyncIterable<Step> | Iterable<Step>, perPort: number): Promise<Played> {
  const schedule = createSchedule();
  const { clock } = createWorld(schedule, seededRandom(1), () => {}).start('manager').runtime;
  const goals = new Bus<Goal>();
  const onDemand = new OnDemand({ goals, clock, prediction: { perPort, questions: questionTurns(clock) } });
  const stop = new AbortController();
  void onDemand.run(stop.signal);
  const topic = goals.topic(`vpc/${vpcId}`);
  topic.put('vpc', { kind: 'vpc', state: VpcConfiguration.fromPartial({ id: vpcId, tunnelId }) });
  const hosts = new Map<number, Host>();
  const guests = new Map<number, Guest>();
  const pass = async (ms: number): Promise<void> => {
    schedule.after(ms, () => {});
    await schedule.run(ms);
  };

  async function hostOf(n: number): Promise<Host> {
    const host = hosts.get(n) ?? new Host(n, () => schedule.now());
    if (hosts.has(n)) return host;
    hosts.set(n, host);
    onDemand.enter(host);
    const whole = onDemand.whole(vpcId);
    await pass(0);
    await whole;
    onDemand.join(vpcId, host, []);
    return host;
  }

  let firstQuestions = 0;
  let checkedAt = 0;
  for await (const { ms, come, speak } of steps) {
    await pass(ms);
    if (schedule.now() - checkedAt >= idleCheckMs) {
      for (const host of hosts.values()) onDemand.idle(vpcId, host, host.idle());
      checkedAt = schedule.now();
    }
    for (const guest of come) {
      const { hostIp } = await hostOf(guest.host);
      guests.set(guest.port, guest);
      const goal = goalOf(guest, hostIp);
      topic.put(goalKey(goal), goal);
    }
    const born = new Set(come.map(({ port }) => port));
    await pass(1);
    for (const [from, to] of speak) {
      const [one, other] = [hosts.get(guests.get(from)!.host)!, hosts.get(guests.get(to)!.host)!];
      if (one === other) continue;
      if (!one.use(`p${to}`)) {
        if (born.has(from)) firstQuestions++;
        onDemand.ask(one.hostId, Question.fromPartial({ tunnelId, sourceIp: ipOf(from), destinationIp: ipOf(to) }));
        one.use(`p${to}`);
      }
      other.use(`p${from}`);
    }
  }
  const { counters } = onDemand;
  stop.abort();
  return { counters, ports: guests.size, firstQuestions };
}

function goalOf({ port, group }: Guest, hostIpAddress: string): Goal {
  const fixedIps = [{ ipAddress: ipOf(port) }];
  const state = { id: `p${port}`, vpcId, revisionNumber: 1, hostIpAddress, fixedIps, securityGroupIds: [group] };
  return { kind: 'neighbor', state: NeighborConfiguration.fromPartial(state) };
}

function ipOf(port: number): string {
  return `10.${port >> 16}.${(port >> 8) & 255}.${port & 255}`;
}

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '5000' },
    hosts: { type: 'string', default: '500' },
    'per-port': { type: 'string', default: '4,16,64' },
    seed: { type: 'string', default: '1' },
    trace: { type: 'string' },
    roles: { type: 'string' },
    hours: { type: 'string', default: '24' },
    json: { type: 'boolean', default: false },
  },
});

function traffic(): Iterable<Step> | AsyncIterable<Step> {
  const hosts = Number(values.hosts);
  const { trace: path, roles } = values;
  if (path !== undefined) return traced({ path, roles, hours: Number(values.hours), hosts });
  return drawn(Number(values.clients), hosts, seededRandom(Number(values.seed)));
}

function print(measure: string, value: number, unit: string, context: object): void {
  const line = { measure, value, unit, ...context, hosts_are: 'simulated', traffic: values.trace ? 'trace' : 'drawn' };
  console.log(values.json ? JSON.stringify(line) : `${measure.padEnd(36)} ${value.toFixed(3)} ${unit}`);
}

const without = await play(traffic(), 0);
const ports = without.ports;
print('questions', without.counters.answers.routable, '', { ports, per_port: 0 });
print('questions_of_new_ports', without.firstQuestions, '', { ports, per_port: 0 });
for (const perPort of values['per-port'].split(',').map(Number)) {
  const { counters, firstQuestions } = await play(traffic(), perPort);
  const { predicted, used, wasted, late, remembered } = counters.prediction;
  const context = { ports, per_port: perPort, predicted, used, wasted, late, remembered };
  console.error(`  at most ${perPort} for a port: ${JSON.stringify(context)}`);
  print('questions_saved', 1 - counters.answers.routable / without.counters.answers.routable, '1', context);
  print('questions_of_new_ports_saved', 1 - firstQuestions / without.firstQuestions, '1', context);
  print('prediction_precision', used / (used + wasted + late), '1', context);
}
process.exit(0);
