import { Fabric } from '@alcor/agent';
import { topicOf } from '@alcor/contract';
import { createMemoryLeases, isGateway, type Node, type NodeId, type Port, type PortReport } from '@alcor/network';
import {
  between,
  createSchedule,
  createSimulatedQueue,
  createWorld,
  type Faults,
  noFaults,
  pick,
  type Random,
  seededRandom,
  type SimulatedQueue,
} from '@alcor/runtime';
import { SimulatedController } from './controller.ts';
import { goalsOfFeed } from './held.ts';
import { specOf } from './guests.ts';
import { SimulatedHost } from './host.ts';
import { cutOffSome } from './cut-off.ts';
import { Lifetimes } from './lifetimes.ts';
import { askAround, leaks, noTally, type Region, type Tally, unsettled, wrongPings } from './invariants.ts';
import { askOutside, leaksFromOutside, makeOutside, wrongOutside } from './north-south.ts';
import { PHYSICAL } from './outward.ts';
import { restartControllers } from './restarting.ts';
import { switchChannels } from './switching.ts';
import { Workload } from './workload.ts';

export interface SimulationResult {
  readonly seed: number;
  /** Invariants that did not hold; empty when all did. */
  readonly failures: readonly string[];
  /** Everything that happened, in order, with its virtual time in ms. */
  readonly log: readonly string[];
  /** What was seen to work after the faults. */
  readonly tally: Tally;
}

const chaosMs = 30_000;
const settleMs = 300_000;

/**
 * What a tenant draws: `whole` is also trunks, QoS policies, provider networks, gateways of routers, floating IPs and forwarded ports.
 * `core` draws what seeds have drawn that were kept before there were any of these, to the byte.
 */
export type Scope = 'core' | 'whole';

/**
 * One region under one seed: a tenant changes things while messages are lost, late, repeated and reordered, processes die,
 * switches are slow or lose their flows and clocks jump; then the faults stop, and everything must come right.
 * The same seed gives the same run, to the byte of its log.
 */
export async function simulate(seed: number, scope: Scope = 'whole'): Promise<SimulationResult> {
  const random = seededRandom(seed);
  const more = scope === 'core' ? null : seededRandom(seed ^ 0x5eed);
  const schedule = createSchedule();
  const log: string[] = [];
  const failures: string[] = [];
  const say = (line: string): void => void log.push(`${schedule.now()} ${line}`);
  const violation = (what: string): void => {
    say(`VIOLATION ${what}`);
    failures.push(what);
  };

  const world = createWorld(schedule, random, say);
  const fabric = new Fabric();
  const workload = new Workload(
    random,
    Array.from({ length: between(random, 2, 5) }, (_, n) => nodeOf(n + 1, more)),
    more,
  );
  if (more !== null) workload.furnish();
  const queue = createSimulatedQueue(world);
  const hosts = workload.nodes.map((node) => new SimulatedHost(node, world, queue, fabric, { log: say, violation }));
  const statuses = new Map<string, PortReport>();
  const outside = more === null ? [] : makeOutside(fabric, PHYSICAL);
  const region: Region = {
    workload,
    hosts,
    fabric,
    outside,
    statuses,
    tally: noTally(),
    sockets: countingFrom(10_000),
  };
  const leases = createMemoryLeases(schedule, workload.feed);
  const controllers = ['controller 1', 'controller 2'].map(
    (name) =>
      new SimulatedController({
        name,
        world,
        feed: workload.feed,
        leases,
        queue,
        log: say,
        keep: (reports) => keep(region, statuses, reports),
        setChannel: (...args) => workload.setChannel(...args),
        setGatewayLost: (...args) => workload.setGatewayLost(...args),
      }),
  );
  const lifetimes = new Lifetimes(region, () => schedule.now());
  const plugging = new Plugging(region, random);

  const actions: readonly (() => string)[] = [
    ...Array.from({ length: 12 }, () => () => workload.step()),
    ...Array.from({ length: 4 }, () => () => plugging.step()),
    ...Array.from({ length: 4 }, () => () => workload.policyStep()),
    ...Array.from({ length: 2 }, () => () => workload.overrideSome()),
    ...Array.from({ length: more === null ? 0 : 10 }, () => () => workload.moreStep()),
    () => workload.gatewayStep(),
    () => (pick(random, controllers).crash(), 'a controller is killed'),
    () => (queue.restart(between(random, 1, 5_000)), 'the message queue restarts'),
    () => loseTopic(workload, queue, random),
    () => (pick(random, hosts).crash(), 'an agent is killed'),
    () => (pick(random, hosts).crash(between(random, 6_000, 12_000)), 'an agent is away for long'),
    () => (world.cut(pick(random, hosts).node.agentAddress), 'a stream is cut'),
    () => forgetting(workload),
    () => restartSwitch(pick(random, hosts)),
  ];
  world.faults = randomFaults(random);
  for (const host of hosts) host.switchLatencyMs = between(random, 0, 300);
  const step = (): void => {
    if (schedule.now() >= chaosMs) return;
    say(pick(random, actions)());
    for (const leak of leaks(region, random)) violation(leak);
    if (more !== null) for (const leak of leaksFromOutside(region, more)) violation(leak);
    for (const what of lifetimes.look()) violation(what);
    schedule.after(between(random, 0, 400), step);
  };
  schedule.after(0, step);
  await schedule.run(chaosMs);

  say('the faults stop');
  world.faults = noFaults;
  for (const host of hosts) host.switchLatencyMs = 1;
  for (const host of hosts) host.memory.resume();
  if (more !== null) workload.mend();
  plugging.settle();
  if (more !== null) plugging.plugMost();
  // A gateway host that can be reached again is one again only after a while, and then has still to ask who is outside.
  let gateways: string;
  do {
    await settle();
    gateways = gatewaysOf(workload);
    // Who asks for an address is answered, and asks for another on the way: that of who answers, or the next hop.
    for (let n = 0; n < 3; n++) {
      askAround(region);
      askOutside(region);
      await schedule.run(2_000);
    }
  } while (gateways !== gatewaysOf(workload));
  for (const what of [...wrongPings(region), ...wrongOutside(region)]) violation(what);
  say('the networks change channels');
  for (const what of await switchChannels(region, schedule, random, say)) violation(what);
  await settle();
  say('all controllers restart');
  for (const what of await restartControllers(region, controllers, schedule)) violation(what);
  await settle();
  if (more !== null) {
    say('some hosts are cut off');
    for (const what of await cutOffSome(region, world, lifetimes, more, say)) violation(what);
    await settle();
  }
  region.tally.predicted = controllers.reduce((sum, { predicted }) => sum + predicted, 0);
  return { seed, failures, log, tally: region.tally };

  async function settle(): Promise<void> {
    let wrong = await look();
    for (let passed = 0; wrong.length > 0 && passed < settleMs; passed += 1_000) {
      await schedule.run(1_000);
      wrong = await look();
    }
    for (const what of wrong) violation(what);
  }

  /** Controllers still change channels, and with them who has a gateway. */
  async function look(): Promise<string[]> {
    return unsettled(region, await goalsOfFeed(workload.feed));
  }

  function restartSwitch(host: SimulatedHost): string {
    host.memory.stop('restarted');
    schedule.after(between(random, 1, 2_000), () => host.memory.resume());
    return `the switch of ${host.node.id} restarts`;
  }
}

/** Those that are gateway hosts now. */
function gatewaysOf({ nodes }: Workload): string {
  const gateways = nodes.filter(isGateway);
  return gateways.map(({ id }) => id).join(' ');
}

/** Most hosts have a bridge to the physical network. */
function nodeOf(n: number, more: Random | null): Node {
  const at = new Date(0);
  const id = `host-${n}` as NodeId;
  return {
    id,
    name: id,
    ip: `172.16.0.${n}`,
    agentAddress: `agent-${n}:50001`,
    ...(more === null || more.next() < 0.2 ? {} : { bridgeMappings: { [PHYSICAL]: 'br-physical' } }),
    revision: 1,
    createdAt: at,
    updatedAt: at,
  };
}

function countingFrom(first: number): { next(): number } {
  let last = first - 1;
  return { next: () => ++last };
}

function randomFaults(random: Random): Faults {
  const some = (most: number): number => (random.next() < 0.5 ? 0 : random.next() * most);
  return {
    lose: some(0.2),
    repeat: some(0.2),
    latencyMs: [1, 1 + Math.floor(random.next() * 500)],
    crash: some(0.01),
    clockJump: some(0.05),
    queue: { disconnect: some(0.05), awayMs: 3_000, repeat: some(0.2), loseAcknowledgement: some(0.2) },
  };
}

/** The store's rule: only the host that a port is bound to speaks for it. */
function keep({ workload }: Region, statuses: Map<string, PortReport>, reports: readonly PortReport[]): void {
  for (const report of reports) {
    if (workload.feed.get('port', report.portId)?.hostId === report.nodeId) statuses.set(report.portId, report);
  }
}

/** Somebody plugs and unplugs VMs: on the host that the port is bound to, too early, too late, or on a wrong one. */
class Plugging {
  readonly #region: Region;
  readonly #random: Random;

  constructor(region: Region, random: Random) {
    this.#region = region;
    this.#random = random;
  }

  step(): string {
    const { hosts, fabric, workload } = this.#region;
    const host = pick(this.#random, hosts);
    const plugged = [...host.vms.values()];
    if (plugged.length > 0 && this.#random.next() < 0.2) {
      const vm = pick(this.#random, plugged);
      host.vms.delete(vm.id);
      fabric.removeVm(vm);
      return `unplug ${vm.id} from ${host.node.id}`;
    }
    const bound = workload.ports.filter((port) => port.hostId === host.node.id && !host.vms.has(port.id));
    const candidates = bound.length > 0 && this.#random.next() < 0.9 ? bound : workload.ports;
    if (candidates.length === 0) return 'nothing to plug';
    return this.#plug(host, pick(this.#random, candidates));
  }

  /** Most ports that are on a host are plugged there. */
  plugMost(): void {
    for (const host of this.#region.hosts)
      for (const port of this.#region.workload.ports)
        if (port.hostId === host.node.id && port.trunk === null && this.#random.next() < 0.85) this.#plug(host, port);
  }

  #plug(host: SimulatedHost, port: Port): string {
    const { id } = port;
    if (host.vms.has(id)) return 'nothing to plug';
    host.vms.set(id, this.#region.fabric.addVm(host.node.ip, specOf({ ...port, trunk: null })));
    return `plug ${id} into ${host.node.id}`;
  }

  /** At the end some ports more are plugged where they belong, so that there is something to ping. */
  settle(): void {
    for (let n = 0; n < 20; n++) this.step();
  }
}

/** The queue loses a topic, and all that it held. */
function loseTopic({ networks }: Workload, queue: SimulatedQueue, random: Random): string {
  if (networks.length === 0) return 'nothing';
  const topic = topicOf(pick(random, networks));
  void queue.content.drop(topic, new AbortController().signal);
  return `the message queue loses ${topic}`;
}

/** A change that the feed no longer keeps when a reader asks for it. */
function forgetting(workload: Workload): string {
  const what = workload.step();
  workload.feed.forget();
  return `${what}, and the feed forgets it`;
}
