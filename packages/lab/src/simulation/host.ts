import {
  Agent,
  type Fabric,
  type FlowChange,
  type FlowFailure,
  type HeldState,
  MemorySwitch,
  type Switch,
  type Vm,
} from '@alcor/agent';
import { learntLifetimeMs } from '@alcor/config-manager';
import { goalKey, goalVpc, type StatedGoal } from '@alcor/contract';
import type { Node } from '@alcor/network';
import { PHYSICAL, reachesWire, WIRE_PORT } from './outward.ts';
import { between, type Process, type SimulatedQueue, type World } from '@alcor/runtime';

export interface HostWatch {
  readonly log: (line: string) => void;
  readonly violation: (what: string) => void;
}

/** A simulated host: a switch that outlives the agent, and the agent's processes one after another. */
export class SimulatedHost {
  readonly node: Node;
  readonly memory: MemorySwitch;
  /** VMs that are plugged here, by port id. */
  readonly vms = new Map<string, Vm>();
  /** Interfaces that VMs have for the sub-ports of their trunks, by the sub-ports' ids. */
  readonly subVms = new Map<string, Vm>();
  /** How many goals agents here have taken in, by VPC. */
  readonly taken = new Map<string, number>();
  /** How many flows they have written. */
  written = 0;
  /** How long the switch takes for a batch, at most, in ms. */
  switchLatencyMs = 1;
  readonly #world: World;
  readonly #queue: SimulatedQueue;
  readonly #watch: HostWatch;
  /** Newest revision taken in by the agent that runs, by goal: truth never goes back, so neither may what it holds. */
  readonly #revisions = new Map<string, number>();
  #process: Process | undefined;
  #awayMs: number | undefined;
  #agent: Agent | undefined;

  constructor(node: Node, world: World, queue: SimulatedQueue, fabric: Fabric, watch: HostWatch) {
    this.node = node;
    this.#world = world;
    this.#queue = queue;
    this.#watch = watch;
    this.memory = new MemorySwitch({ name: node.id, wires: reachesWire(node) ? { [PHYSICAL]: WIRE_PORT } : {} });
    fabric.addHost(node.ip, this.memory);
    this.#start();
  }

  /** What the agent holds; undefined while there is none. */
  get held(): HeldState | undefined {
    return this.#process?.alive === true ? this.#agent?.held : undefined;
  }

  /** The agent dies here and now; a new one starts some time later, after `awayMs` if that is said. */
  crash(awayMs?: number): void {
    this.#awayMs = awayMs;
    this.#process?.kill();
  }

  #start(): void {
    const process = this.#world.start(`agent ${this.node.id}`, () => {
      const awayMs = this.#awayMs ?? between(this.#world.random, 10, 3_000);
      this.#awayMs = undefined;
      this.#world.schedule.after(awayMs, () => this.#start());
    });
    this.#process = process;
    this.#revisions.clear();
    const agent = new Agent({
      runtime: process.runtime,
      switch: this.#switchOf(process),
      hostIp: this.node.ip,
      log: (message) => this.#watch.log(`${process.name}: ${message}`),
      openQueue: () => this.#queue.seenBy(process),
      observe: (goal) => this.#observe(goal),
      onDemandLimits: { unheardMs: learntLifetimeMs },
    });
    this.#agent = agent;
    // An agent that cannot start exits, and whoever supervises it starts another.
    agent.start(this.node.agentAddress, new AbortController().signal).catch((error: unknown) => {
      this.#watch.log(`${process.name} did not start: ${String(error)}`);
      process.kill();
    });
  }

  #observe({ goal }: StatedGoal): void {
    const vpcId = goalVpc(goal);
    this.taken.set(vpcId, (this.taken.get(vpcId) ?? 0) + 1);
    const key = `${vpcId} ${goalKey(goal)}`;
    const known = this.#revisions.get(key) ?? 0;
    const revision = goal.state.revisionNumber;
    if (revision < known)
      this.#watch.violation(`${this.node.id} took ${key} back from revision ${known} to ${revision}`);
    this.#revisions.set(key, revision);
  }

  /** The switch as one process sees it: slow, and a dead process does nothing to it. */
  #switchOf(process: Process): Switch {
    const memory = this.memory;
    const count = (changes: readonly FlowChange[]): void => void (this.written += changes.length);
    const wait = (): Promise<void> => process.wait(between(this.#world.random, 0, this.switchLatencyMs));
    return {
      name: memory.name,
      async start(tell, signal) {
        await wait();
        await memory.start((event) => process.alive && tell(event), signal);
      },
      async *flows(signal) {
        await wait();
        yield* memory.flows(signal);
      },
      async *uses(match, signal) {
        await wait();
        yield* memory.uses(match, signal);
      },
      async counts(flows, signal) {
        await wait();
        return memory.counts(flows, signal);
      },
      async ended(meters, signal) {
        await wait();
        return memory.ended(meters, signal);
      },
      async *meters(signal) {
        await wait();
        yield* memory.meters(signal);
      },
      async applyMeters(changes, signal) {
        await wait();
        const failures = await memory.applyMeters(changes, signal);
        await wait();
        return failures;
      },
      send(packets) {
        if (process.alive) memory.send(packets);
      },
      // A process may die with half of its changes made.
      async apply(changes: readonly FlowChange[], signal: AbortSignal): Promise<readonly FlowFailure[]> {
        const half = changes.length >> 1;
        count(changes);
        await wait();
        const first = await memory.apply(changes.slice(0, half), signal);
        await wait();
        const second = await memory.apply(changes.slice(half), signal);
        await wait();
        return [...first, ...second.map(({ index, reason }) => ({ index: index + half, reason }))];
      },
    };
  }
}
