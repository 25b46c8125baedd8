/**
 * Hosts that hold what they should before anybody speaks to them. Real is the agent's session; simulated is that all share one process and one
 * address, at which each is known by its name, that below them there is no switch (writes are counted where the data plane would be
 * told), and that of networks of which they hold what is meant they keep no more than the digests that they offer. To be told anything else of
 * such a network than that it is verified ends the benchmark.
 */
import {
  emptyReply,
  type GoalSink,
  HeldState,
  Reports,
  Session,
  type Source,
  type StreamSource,
  type Verdict,
} from '@alcor/agent';
import { Compiler } from '@alcor/compiler';
import {
  addGoal,
  emptyGoalState,
  type Goal,
  GoalDigest,
  goalKey,
  type GoalStateOperationReply,
  GoalStateV2,
  goalVpc,
  HeldVpc as Offer,
  pushGoalStatesStream,
  type ResumedVpc,
  type StatedGoal,
} from '@alcor/contract';
import { type Clock, handler, realRuntime, reliable, type Stream } from '@alcor/runtime';
import { hostName, hostsOf, intentOfNetwork, networkCount, networkName, type Size } from './resync-intent.ts';

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
  readonly setNetworkAcl = this.#any;
  readonly removeNetworkAcl = this.#remove;
  readonly setQosPolicy = this.#any;
  readonly removeQosPolicy = this.#remove;
  readonly setRouter = this.#any;
  readonly removeRouter = this.#remove;
  readonly setOnDemandVpc = this.#any;
  readonly removeOnDemandVpc = this.#remove;
  readonly setFloatingIp = this.#any;
  readonly removeFloatingIp = this.#remove;
  readonly setProviderNetwork = this.#any;
  readonly removeProviderNetwork = this.#remove;

  #set(id: string, content: string): void {
    const hash = hashOf(content);
    const isSame = this.#inForce.get(id) === hash;
    this.#inForce.set(id, hash);
    this.#counters[isSame ? 'retold' : 'written']++;
  }
}

type Wire = Stream<GoalStateOperationReply, GoalStateV2>;

const noSwitch = { flush: async () => [], reconcile: async () => [], isAway: false };

/** What a host holds: networks as it should, by their digests; those of which it holds something else, as agents do. */
class SimulatedHeld {
  readonly #asMeant = new Map<string, Offer>();
  readonly #other: HeldState;

  constructor(counters: HostCounters, clock: Clock) {
    this.#other = new HeldState({ sink: new CountingSink(counters), clock });
  }

  /** Holds all that is meant of a VPC. */
  keep(vpcId: string, digest: { count: number; digests: Buffer }): void {
    this.#asMeant.set(vpcId, Offer.fromPartial({ vpcId, ...digest }));
  }

  /** Has missed three changes of a VPC: of one neighbour all, of one the newest and of one the last. Answers how many writes that takes. */
  diverge(vpcId: string, meant: readonly Goal[]): number {
    const [missing, stale] = meant.filter(isNeighbor);
    if (missing === undefined || stale === undefined) return 0;
    const stream = this.#other.openStream();
    if (this.#asMeant.delete(vpcId)) {
      this.#other.begin(stream, [vpcId]);
      this.#other.apply(stream, meant.map(says));
      this.#other.completeVpc(stream, vpcId);
    }
    const other = { ...stale.state, hostIpAddress: '192.0.2.1' };
    const stray = { ...stale.state, id: `stray of ${vpcId}` };
    this.#other.apply(stream, [
      { goal: missing, removed: true },
      says({ kind: 'neighbor', state: other }),
      says({ kind: 'neighbor', state: stray }),
    ]);
    return 3;
  }

  openStream(): StreamSource {
    return this.#other.openStream();
  }

  offer(source: StreamSource): Offer[] {
    return [...this.#asMeant.values(), ...this.#other.offer(source)];
  }

  resume(source: StreamSource, resumed: readonly ResumedVpc[]): string[] {
    for (const { vpcId, staleBuckets } of resumed) if (staleBuckets.length > 0) this.#refuse(vpcId);
    return this.#other.resume(
      source,
      resumed.filter(({ vpcId }) => !this.#asMeant.has(vpcId)),
    );
  }

  begin(source: StreamSource, vpcIds: readonly string[], onDemand?: readonly string[]): void {
    vpcIds.forEach((vpcId) => this.#refuse(vpcId));
    this.#other.begin(source, vpcIds, onDemand);
  }

  apply(source: Source, goals: readonly StatedGoal[]): Verdict[] {
    for (const { goal } of goals) this.#refuse(goalVpc(goal));
    return this.#other.apply(source, goals);
  }

  leave(source: StreamSource, vpcIds: readonly string[]): void {
    vpcIds.forEach((vpcId) => this.#refuse(vpcId));
    this.#other.leave(source, vpcIds);
  }

  completeVpc(source: StreamSource, vpcId: string): void {
    this.#other.completeVpc(source, vpcId);
  }

  complete(source: StreamSource): void {
    this.#other.complete(source);
  }

  find(id: string): Goal | undefined {
    return this.#other.find(id);
  }

  waitsForVpc(vpcId: string): boolean {
    return this.#other.waitsForVpc(vpcId);
  }

  #refuse(vpcId: string): void {
    if (!this.#asMeant.has(vpcId)) return;
    console.error(`a host that holds what is meant of ${vpcId} is told of it`);
    process.exit(1);
  }
}

class SimulatedHost {
  readonly held: SimulatedHeld;
  readonly #reports: Reports;
  #session: Session | undefined;

  constructor(counters: HostCounters, clock: Clock) {
    this.held = new SimulatedHeld(counters, clock);
    this.#reports = new Reports(this.held, (report) => this.#session?.tell(report));
  }

  async serve(stream: Wire, messages: AsyncIterable<GoalStateV2>, clock: Clock, signal: AbortSignal): Promise<void> {
    const session = new Session({
      stream,
      held: this.held,
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
  for (let n = 0; n < size.hosts; n++) hosts.set(hostName(n), new SimulatedHost(counters, clock));
  const fullState = fill(hosts, size, address);
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
        const network = number % networkCount(size);
        writes += hosts
          .get(hostName(number))!
          .held.diverge(networkName(network), goalsOf(network, size, address).of(number));
      }
      return writes;
    },
    close: () => stop.abort(),
  };
}

/** What is meant of one network: for all its hosts, and for one of them. */
function goalsOf(network: number, size: Size, address: string): { common: Goal[]; of: (host: number) => Goal[] } {
  const compiler = new Compiler();
  const topics = new Map<string, Map<string, Goal>>();
  for (const change of intentOfNetwork(network, size, address)) {
    for (const { audience, goal } of compiler.apply(change)) {
      const topic = topics.get(audience) ?? new Map<string, Goal>();
      topics.set(audience, topic.set(goalKey(goal), goal));
    }
  }
  const common = [...(topics.get(`vpc/${networkName(network)}`)?.values() ?? [])];
  return { common, of: (host) => [...common, ...(topics.get(`host/${hostName(host)}`)?.values() ?? [])] };
}

/** Returns the bytes of all that they hold. */
function fill(hosts: ReadonlyMap<string, SimulatedHost>, size: Size, address: string): number {
  let sum = 0;
  for (let network = 0; network < networkCount(size); network++) {
    const { common, of } = goalsOf(network, size, address);
    const digest = new GoalDigest().with(common);
    const commonBytes = bytesOf(common);
    for (const host of hostsOf(network, size)) {
      const own = of(host).slice(common.length);
      hosts.get(hostName(host))!.held.keep(networkName(network), digest.with(own).offer());
      sum += commonBytes + bytesOf(own);
    }
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
