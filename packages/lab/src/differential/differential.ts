/** One network after another, random packets in each, and three judges that must agree on every one of them. */
import { packetText, walkText } from '@alcor/agent';
import { type Clock, seededRandom } from '@alcor/runtime';
import { type Hosts, type Ofports, programmed, type Spoil } from './hosts.ts';
import { cross } from './memory-judge.ts';
import { judge } from './oracle.ts';
import type { OvsJudge } from './ovs-judge.ts';
import { numberOf } from './frames.ts';
import { networkOf, type Plan } from './plan.ts';
import { randomPacket, type Sent } from './random-packet.ts';
import { randomPlan } from './random-plan.ts';
import { answerTo } from './answer.ts';
import { TraceTracker } from './trace-tracker.ts';
import { receiverOf, type Verdict } from './verdict.ts';

export interface Judges {
  readonly clock: Clock;
  readonly ofports: Ofports;
  /** Undefined: the two others alone. */
  readonly ovs?: OvsJudge | undefined;
  readonly spoil?: Spoil | undefined;
}

/** What the judges say of one packet; of its answer where `answer` is set. */
export interface Disagreement {
  readonly seed: number;
  readonly sent: Sent;
  /** The packet that `sent` answers. */
  readonly answerTo: Sent | null;
  readonly oracle: Verdict;
  readonly memory: Verdict;
  /** Null: not asked. */
  readonly ovs: Verdict | null;
  /** The ways that the switches tell. */
  readonly ways: readonly string[];
}

/** How many packets, and what became of them, so that it is seen whether they were worth it. */
export interface Tally {
  packets: number;
  answers: number;
  delivered: number;
  copied: number;
  answered: number;
  dropped: number;
  services: number;
  /** Of those that were delivered: from, or to, a sub-port; under a mark; in a provider network from host to host. */
  trunks: number;
  marked: number;
  wires: number;
  /** Of those that were delivered: to a machine outside, from one, and between two ports by the outside. */
  outward: number;
  inward: number;
  around: number;
}

export const noTally = (): Tally => ({
  packets: 0,
  answers: 0,
  delivered: 0,
  copied: 0,
  answered: 0,
  dropped: 0,
  services: 0,
  trunks: 0,
  marked: 0,
  wires: 0,
  outward: 0,
  inward: 0,
  around: 0,
});

/** The network of a seed, and packets in it. */
export function casesOf(seed: number, packets: number): { readonly plan: Plan; readonly sent: readonly Sent[] } {
  const random = seededRandom(seed);
  const plan = randomPlan(random);
  const sent = Array.from({ length: packets }, () => randomPacket(random, plan));
  return { plan, sent: sent.filter((each) => each !== null) };
}

/** Has the plan programmed and sends the packets through it, and to each that one port got an answer. */
export async function disagreements(
  seed: number,
  { plan, sent }: { readonly plan: Plan; readonly sent: readonly Sent[] },
  judges: Judges,
  tally: Tally = noTally(),
): Promise<Disagreement[]> {
  const hosts = await programmed(plan, judges.ofports, judges.clock, judges.spoil);
  await judges.ovs?.program(hosts);
  const found: Disagreement[] = [];
  for (const each of sent) found.push(...(await compare(seed, plan, hosts, judges, each, tally)));
  return found;
}

async function compare(
  seed: number,
  plan: Plan,
  hosts: Hosts,
  { ovs }: Judges,
  sent: Sent,
  tally: Tally,
): Promise<Disagreement[]> {
  for (const { memory } of hosts.hosts) memory.flushConnections();
  const tracker = new TraceTracker();
  const oracle = judge(plan, sent);
  const memory = cross(hosts, sent);
  const traces = await ovs?.cross(hosts, sent, tracker);
  count(tally, plan, sent, oracle.verdict);
  const ways = (): string[] => [...memory.hops.map(({ walk }) => walkText(walk)), ...(traces?.texts ?? [])];
  const first = {
    seed,
    sent,
    answerTo: null,
    oracle: oracle.verdict,
    memory: memory.verdict,
    ovs: traces?.verdict ?? null,
  };
  if (!agree(first)) return [{ ...first, ways: ways() }];
  const receiver = receiverOf(oracle.verdict);
  const back = receiver === null || memory.got === undefined ? null : answerTo(receiver, memory.got);
  if (back === null) return [];
  tally.answers++;
  const second = {
    seed,
    sent: back,
    answerTo: sent,
    oracle: judge(plan, back, oracle.memory).verdict,
    memory: cross(hosts, back).verdict,
    ovs: ovs === undefined ? null : (await ovs.cross(hosts, back, tracker)).verdict,
  };
  return agree(second) ? [] : [{ ...second, ways: [] }];
}

function agree({ oracle, memory, ovs }: Pick<Disagreement, 'oracle' | 'memory' | 'ovs'>): boolean {
  const text = JSON.stringify(oracle);
  return JSON.stringify(memory) === text && (ovs === null || JSON.stringify(ovs) === text);
}

function count(tally: Tally, plan: Plan, sent: Sent, verdict: Verdict): void {
  tally.packets++;
  if (verdict.length === 0) tally.dropped++;
  else if (verdict.length > 1) tally.copied++;
  else if (verdict[0]!.startsWith('delivered')) tally.delivered++;
  else if (verdict[0]!.startsWith('answered')) tally.answered++;
  else tally.services++;
  const receiver = receiverOf(verdict);
  if (plan.machines.some(({ id }) => id === receiver)) tally.outward++;
  else if (receiver !== null && plan.machines.some(({ id }) => id === sent.from)) tally.inward++;
  else if (receiver !== null && isForFloating(plan, sent)) tally.around++;
  const [from, to] = [sent.from, receiver].map((id) => plan.ports.find((port) => port.id === id));
  if (from === undefined || to === undefined) return;
  if (from.trunk !== null || to.trunk !== null) tally.trunks++;
  if (verdict[0]!.includes('under the mark')) tally.marked++;
  if (from.hostId !== to.hostId && networkOf(plan, to.networkId).physicalNetwork !== null) tally.wires++;
}

function isForFloating({ floatingIps }: Plan, { packet: { ipv4_dst } }: Sent): boolean {
  return ipv4_dst !== undefined && floatingIps.some(({ ip }) => numberOf(ip) === BigInt(ipv4_dst));
}

/** For people. */
export function disagreementText({ seed, sent, answerTo: to, oracle, memory, ovs }: Disagreement): string {
  return [
    `seed ${seed}: ${packetWords(sent)}`,
    ...(to === null ? [] : [`  in answer to: ${packetWords(to)}`]),
    `  intent:       ${words(oracle)}`,
    `  memory:       ${words(memory)}`,
    `  Open vSwitch: ${ovs === null ? 'not asked' : words(ovs)}`,
  ].join('\n');
}

function words(verdict: Verdict): string {
  return verdict.length === 0 ? 'dropped' : verdict.join('; ');
}

function packetWords({ from, packet }: Sent): string {
  return `${from} sends ${packetText(packet)}`;
}
