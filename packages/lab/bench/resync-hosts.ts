/**
 * Hosts that hold what they should before anybody speaks to them. Real are the agent's session and what it holds; simulated is that all share
 * one process and one address, at which each is known by its name, and that below them there is no switch: writes are counted where the
 * data plane would be told.
 */
import { emptyReply, type GoalSink, HeldState, Reports, Session } from '@alcor/agent';
import { Compiler } from '@alcor/compiler';
import {
  addGoal,
  emptyGoalState,
  type Goal,
  goalKey,
  type GoalStateOperationReply,
  GoalStateV2,
  goalVpc,
  pushGoalStatesStream,
  type StatedGoal,
} from '@alcor/contract';
import { type Clock, handler, realRuntime, reliable, type Stream } from '@alcor/runtime';
import { hostName, intentOf, networkName, networksOf, type Size } from './resync-intent.ts';

export interface HostCounters {
  /** Goals whose content is another than the one that was in force, or that came anew. */
  written: number;
  /** Goals that were taken out. */
  removed: number;
  /** Goals that were told though they were in force as they were. */
  retold: number;
  /** Of all messages, both ways. */
  bytes: number;
}

/** Counts what would be written into a switch, by what it was told before. */
class CountingSink implements GoalSink {
  readonly #counters: HostCounters;
  /** A hash of the content that is in force, by resource. */
  readonly #inForce = new Map<string, number>();

  constructor(counters: HostCounters) {
    this.#counters = counters;
  }

  setNeighbor({ id, vni, mac, ips, hostIp, securityGroupIds = [] }: Parameters<GoalSink['setNeighbor']>[0]): void {
    this.#set(`neighbor ${id}`, `${vni} ${mac} ${ips.join()} ${hostIp} ${securityGroupIds.join()}`);
  }

  readonly #any = (resource: { readonly id: string }): void =>
    this.#set(resource.id, JSON.stringify({ ...resource, revision: 0 }));

  readonly #remove = (id: string): void => {
    if (this.#inForce.delete(id)) this.#counters.removed++;
  };

  readonly setPort = this.#any;
  readonly removePort = this.#remove;
  readonly removeNeighbor = (id: string): void => this.#remove(`neighbor ${id}`);
  readonly setSecurityGroup = this.#any;
  readonly removeSecurityGroup = this.#remove;
  readonly setAddressGroup = this.#any;
  readonly removeAddressGroup = this.#remove;
  readonly setRouter = this.#any;
  readonly removeRouter = this.#remove;
  readonly setOnDemandVpc = this.#any;
  readonly removeOnDemandVpc = this.#remove;

  #set(id: string, content: string): void {
    const hash = hashOf(content);
    const isSame = this.#inForce.get(id) === hash;
    this.#inForce.set(id, hash);
    this.#counters[isSame ? 'retold' : 'written']++;
  }
}

type Wire = Stream<GoalStateOperationReply, GoalStateV2>;

const noSwitch = { flush: async () => [], reconcile: async () => [] };

class SimulatedHost {
  readonly #held: HeldState;
  readonly #reports: Reports;
  #session: Session | undefined;

  constructor(counters: HostCounters, clock: Clock) {
    this.#held = new HeldState({ sink: new CountingSink(counters), clock });
    this.#reports = new Reports(this.#held, (report) => this.#session?.tell(report));
  }

  /** Holds what a config manager would have told it. */
  take(goals: ReadonlyMap<string, readonly Goal[]>): void {
    const stream = this.#held.openStream();
    this.#held.begin(stream, [...goals.keys()]);
    for (const [vpcId, told] of goals) {
      this.#held.apply(stream, told.map(says));
      this.#held.completeVpc(stream, vpcId);
    }
    this.#held.complete(stream);
  }

  /** Has missed three changes: of one neighbour all, of one the newest and of one the last. */
  diverge(vpcId: string): number {
    const neighbors = [...this.#held.goals(vpcId).values()].filter(isNeighbor);
    const [missing, stale] = neighbors;
    if (missing === undefined || stale === undefined) return 0;
    const other = { ...stale.state, hostIpAddress: '192.0.2.1' };
    const stray = { ...stale.state, id: `stray of ${vpcId}` };
    this.#held.apply(this.#held.openStream(), [
      { goal: missing, removed: true },
      says({ kind: 'neighbor', state: other }),
      says({ kind: 'neighbor', state: stray }),
    ]);
    return 3;
  }

  async serve(stream: Wire, messages: AsyncIterable<GoalStateV2>, clock: Clock, signal: AbortSignal): Promise<void> {
    const session = new Session({
      stream,
      held: this.#held,
      dataplane: noSwitch,
      reports: this.#reports,
      clock,
      subscriptions: [],
    });
    this.#session = session;
    await session.run(messages, signal).finally(() => stream.close());
  }
}

export interface SimulatedHosts {
  readonly counters: HostCounters;
  /** Bytes of all goals of all hosts, as messages that tell them. */
  readonly fullState: number;
  /** Has so many of the hosts, evenly chosen, hold something else than they should; answers how much there is to write for it. */
  diverge(count: number): number;
  close(): void;
}

/** Fills the hosts and serves them at `address`. */
export async function startHosts(size: Size, address: string): Promise<SimulatedHosts> {
  const { clock, transport } = realRuntime();
  const stop = new AbortController();
  const counters: HostCounters = { written: 0, removed: 0, retold: 0, bytes: 0 };
  const hosts = new Map<string, SimulatedHost>();
  const fullState = fill(hosts, size, address, (): SimulatedHost => new SimulatedHost(counters, clock));
  const serve = async (wire: Wire, signal: AbortSignal): Promise<void> => {
    const stream = reliable(wire, { clock, empty: emptyReply });
    const messages = stream.received[Symbol.asyncIterator]();
    const first = await messages.next();
    if (first.done !== true)
      await hosts.get(first.value.hostId)?.serve(stream, from(first.value, messages), clock, signal);
  };
  await transport.serve(address, [handler(countedBy(counters), serve)], stop.signal);
  return {
    counters,
    fullState,
    diverge(count) {
      let writes = 0;
      for (let n = 0; n < count; n++) {
        const number = Math.floor((n * size.hosts) / count);
        const [network] = networksOf(number, size);
        if (network !== undefined) writes += hosts.get(hostName(number))?.diverge(networkName(network)) ?? 0;
      }
      return writes;
    },
    close: () => stop.abort(),
  };
}

/** By topic and key. */
function goalsOf(size: Size, address: string): Map<string, Map<string, Goal>> {
  const compiler = new Compiler();
  const goals = new Map<string, Map<string, Goal>>();
  for (const change of intentOf(size, address)) {
    for (const { audience, goal } of compiler.apply(change)) {
      const topic = goals.get(audience) ?? new Map<string, Goal>();
      goals.set(audience, topic.set(goalKey(goal), goal));
    }
  }
  return goals;
}

/** Returns the bytes of all that they hold. */
function fill(hosts: Map<string, SimulatedHost>, size: Size, address: string, make: () => SimulatedHost): number {
  const goals = goalsOf(size, address);
  const bytes = new Map<string, number>();
  let sum = 0;
  for (let n = 0; n < size.hosts; n++) {
    const own = [...(goals.get(`host/${hostName(n)}`)?.values() ?? [])];
    const told = new Map<string, readonly Goal[]>();
    for (const vpcId of networksOf(n, size).map(networkName)) {
      const common = [...(goals.get(`vpc/${vpcId}`)?.values() ?? [])];
      const ports = own.filter((goal) => goalVpc(goal) === vpcId);
      const known = bytes.get(vpcId) ?? bytesOf(common);
      bytes.set(vpcId, known);
      sum += known + bytesOf(ports);
      told.set(vpcId, [...common, ...ports]);
    }
    const host = make();
    host.take(told);
    hosts.set(hostName(n), host);
  }
  return sum;
}

function countedBy(counters: HostCounters): typeof pushGoalStatesStream {
  const count = <Bytes extends Uint8Array>(bytes: Bytes): Bytes => {
    counters.bytes += bytes.length;
    return bytes;
  };
  const { path, request, reply } = pushGoalStatesStream;
  return {
    path,
    request: { ...request, decode: (bytes) => request.decode(count(bytes as Uint8Array)) },
    reply: { ...reply, encode: (message) => ({ finish: () => count(reply.encode(message).finish()) }) as never },
  };
}

function bytesOf(goals: readonly Goal[]): number {
  const message = emptyGoalState();
  for (const goal of goals) addGoal(message, says(goal));
  return GoalStateV2.encode(message).finish().length;
}

function says(goal: Goal): StatedGoal {
  return { goal, removed: false };
}

function isNeighbor(goal: Goal): goal is Extract<Goal, { kind: 'neighbor' }> {
  return goal.kind === 'neighbor';
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >> 1;
}

async function* from<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T, void> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
