/**
 * A region of one VPC for benchmarks: intent in a feed in memory, the real compiler, delivery and publisher, and simulated hosts. Ids are as long as
 * those of a real region, so that messages are.
 */
import { HeldState } from '@alcor/agent';
import { Compiler } from '@alcor/compiler';
import { decodeGoal, hostKey, type StatedGoal, subjectsFor, topicOf } from '@alcor/contract';
import { Delivery, type Host, type PublishCounters, TopicPublisher } from '@alcor/delivery';
import { createMemoryFeed, type MemoryFeed, type Port } from '@alcor/network';
import { aborted, Bus, type Clock, createMemoryQueue, type MessageQueue, Topic } from '@alcor/runtime';
import { put, rowsNamed } from '../../compiler/src/testing/rows.ts';

const kinds = ['net', 'sub', 'port', 'host', 'group', 'rule', 'addresses', 'router'];

/** A UUID per kind and number. */
function uuidOf(kind: string, n: number): string {
  const kindOf = kinds.indexOf(kind).toString(16).padStart(4, '0');
  return `00000000-${kindOf}-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

const { networkId, nodeId, network, subnet, node, group, groupId, rule, port } = rowsNamed(uuidOf);
const vpcId = networkId(0);

/** Every port is in this group. */
export const everyone = 0;
/** The group that ports join in the benchmark; the rules of both refer to it. */
export const club = 1;

/** Port number `n`, on host `host`. */
export function portOf(n: number, host: number, groups: readonly number[], revision = 1): Port {
  return { ...port(n, revision, { network: 0, host, groups }), deviceOwner: 'compute:nova' };
}

/** Says everything that stands before the benchmark: `ports` ports dealt out over `hosts` hosts, all members of both groups. */
function intend(say: MemoryFeed['put'], ports: number, hosts: number): void {
  for (let n = 0; n < hosts; n++) say('node', node(n, 1));
  say('network', network(0, 1));
  for (const n of [everyone, club]) {
    const more = { protocol: 'tcp', portRangeMin: 443, portRangeMax: 443, remoteGroupId: groupId(club) };
    say('security-group', group(n, 1, [rule(n, more)]));
  }
  say('subnet', subnet(0, 1));
  for (let n = 0; n < ports; n++) say('port', portOf(n, n % hosts, [everyone, club]));
}

const nothing = (): void => undefined;
const noSwitch = new Proxy({}, { get: () => nothing }) as ConstructorParameters<typeof HeldState>[0]['sink'];

function log(message: string, error?: unknown): void {
  console.error(message, error ?? '');
}

/**
 * What each host would decode on its own machine is decoded once for all of this process. (Real hosts do it side by side; here they would wait
 * for each other.)
 */
class SharedDecoder {
  #payload: Uint8Array | undefined;
  #stated: StatedGoal | undefined;

  decode(payload: Uint8Array): StatedGoal {
    if (this.#stated === undefined || this.#payload !== payload) {
      this.#payload = payload;
      this.#stated = decodeGoal(payload);
    }
    return this.#stated;
  }
}

/** One host: reads the VPC's topic as an agent does and holds what it tells; below it there is no switch. */
class SimulatedHost {
  readonly #id: string;
  readonly #held: HeldState;
  readonly #decoder: SharedDecoder;

  constructor(id: string, clock: Clock, decoder: SharedDecoder) {
    this.#id = id;
    this.#held = new HeldState({ sink: noSwitch, clock });
    this.#decoder = decoder;
  }

  async read(queue: MessageQueue, from: number, applied: (portId: string) => void, signal: AbortSignal): Promise<void> {
    const { source } = this.#held.openTopic(vpcId, []);
    for await (const batch of queue.read(topicOf(vpcId), subjectsFor(hostKey(this.#id)), from, signal)) {
      const goals = batch.messages.map(({ payload }) => this.#decoder.decode(payload));
      this.#held.apply(source, goals);
      for (const { goal } of goals) applied(goal.state.id);
    }
  }
}

export interface BenchRegion {
  readonly feed: MemoryFeed;
  readonly counters: PublishCounters;
  /** Resolves when the port's change has been applied `times` times, over all hosts. */
  applied(portId: string, times: number): Promise<void>;
  close(): Promise<void>;
}

/** Loads the region, publishes the VPC and has every host read on from there. */
export async function startRegion(ports: number, hosts: number, clock: Clock): Promise<BenchRegion> {
  const stop = new AbortController();
  const { signal } = stop;
  const feed = createMemoryFeed();
  intend((kind, row) => feed.put(kind, row), ports, hosts);
  const goals: ConstructorParameters<typeof Delivery>[0]['goals'] = new Bus();
  const delivery = new Delivery({ feed, goals, hosts: new Topic<Host>(), clock, log });
  const queue = createMemoryQueue();
  const counters: PublishCounters = { multicast: 0, unicast: 0, bytes: 0, unchanged: 0 };
  const running = [delivery.run(signal)];
  await delivery.ready;
  const whole = new AbortController();
  const publisher = new TopicPublisher({
    vpcId,
    multicast: goals.topic(`vpc/${vpcId}`),
    unicast: delivery.unicast.open(vpcId),
    queue,
    fence: 1,
    clock,
    counters,
    onWhole: () => whole.abort(),
    log,
  });
  running.push(publisher.run(signal));
  await aborted(whole.signal);
  let waited = { portId: '', left: 0, done: (): void => undefined };
  const onApplied = (portId: string): void => {
    if (portId === waited.portId && --waited.left === 0) waited.done();
  };
  const decoder = new SharedDecoder();
  for (let n = 0; n < hosts; n++) {
    const host = new SimulatedHost(nodeId(n), clock, decoder);
    running.push(host.read(queue, publisher.position, onApplied, signal));
  }
  return {
    feed,
    counters,
    applied: (portId, times) => new Promise((done) => (waited = { portId, left: times, done })),
    async close() {
      stop.abort();
      await Promise.allSettled(running);
      await queue.close();
    },
  };
}

/** A compiler that knows the region. */
export function compilerOf(ports: number, hosts: number): Compiler {
  const compiler = new Compiler();
  intend((kind, row) => compiler.apply(put(kind, row)), ports, hosts);
  return compiler;
}
