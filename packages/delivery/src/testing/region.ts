import {
  decodeGoal,
  decodeWhole,
  type Goal,
  goalKey,
  goalVpc,
  topicOf,
  unicastSubject,
  wholeSubject,
} from '@alcor/contract';
import {
  type ChannelName,
  createMemoryFeed,
  createMemoryLeases,
  type Feed,
  type LeaseStore,
  type NetworkId,
  type Node,
  type NodeId,
  plainNetwork,
  plainPort,
  type Port,
  type PortId,
} from '@alcor/network';
import {
  Bus,
  createSchedule,
  createSimulatedQueue,
  createWorld,
  type MessageQueue,
  type Process,
  seededRandom,
  Topic,
} from '@alcor/runtime';
import { ChannelKeeper } from '../channel-keeper.ts';
import { Delivery, type Host } from '../delivery.ts';
import { HostShare } from '../host-share.ts';
import { LeaseKeeper } from '../lease-keeper.ts';

const at = new Date(0);
const tenant = { projectId: 'p', name: '', description: '', createdAt: at, updatedAt: at };

/** A region without an API, under a virtual clock: tables, leases, channels and a message queue that outlive its processes. */
export class TestRegion {
  readonly schedule = createSchedule();
  readonly world = createWorld(this.schedule, seededRandom(7), () => {});
  readonly feed = createMemoryFeed();
  readonly leases = createMemoryLeases({ now: () => this.schedule.now() }, this.feed);
  readonly queue = createSimulatedQueue(this.world);
  readonly #revisions = new Map<string, number>();
  /** What changes take to every process. */
  feedDelayMs = 5;
  #nodes = 0;

  /** Lets `ms` go by. */
  async pass(ms: number): Promise<void> {
    await this.schedule.run(ms);
  }

  /** Lets time go by until `holds`; fails after ten minutes. */
  async until(holds: () => boolean): Promise<void> {
    const result = await this.schedule.run(600_000, holds);
    if (result !== 'done' && !holds()) throw new Error('it did not come to pass');
  }

  network(id: string): void {
    this.feed.put('network', { ...tenant, ...plainNetwork, id: id as NetworkId, revision: this.#next(id), vni: 1 });
  }

  node(id: string): void {
    const ip = `172.16.0.${this.feed.get('node', id as NodeId)?.ip.split('.')[3] ?? ++this.#nodes}`;
    const row = { id: id as NodeId, name: id, ip, agentAddress: id, revision: this.#next(id) };
    this.feed.put('node', { ...row, createdAt: at, updatedAt: at } as Node);
  }

  /** Makes the port or changes it. */
  port(id: string, networkId: string, hostId: string | null, name = ''): void {
    const row = { ...tenant, ...plainPort, id: id as PortId, networkId: networkId as NetworkId, name };
    const bound = { hostId: hostId as NodeId | null, deviceId: '', deviceOwner: '', portSecurityEnabled: true };
    const plain = { adminStateUp: true, mac: 'fa:16:3e:00:00:01', fixedIps: [], revision: this.#next(id) };
    this.feed.put('port', { ...row, ...bound, ...plain } as Port);
  }

  removePort(id: string): void {
    this.feed.remove('port', id as PortId);
    this.#next(id);
  }

  override(id: string, override: ChannelName | null): void {
    const { channel = 'grpc' } = this.feed.get('channel', id as NetworkId) ?? {};
    this.feed.put('channel', { id: id as NetworkId, channel, override, revision: this.#next(`channel ${id}`) });
  }

  channel(id: string): ChannelName {
    return this.feed.get('channel', id as NetworkId)?.channel ?? 'grpc';
  }

  setChannel(id: string, channel: ChannelName): void {
    const known = this.feed.get('channel', id as NetworkId);
    if ((known?.channel ?? 'grpc') === channel || this.feed.get('network', id as NetworkId) === undefined) return;
    const revision = this.#next(`channel ${id}`);
    this.feed.put('channel', { id: id as NetworkId, channel, override: known?.override ?? null, revision });
  }

  #next(id: string): number {
    const revision = (this.#revisions.get(id) ?? 0) + 1;
    this.#revisions.set(id, revision);
    return revision;
  }
}

const log = (): void => {};

/**
 * A controller process of the region, from the feed to the queue and to which hosts it would speak. `queue: null`: without a message
 * queue; `keeps: false`: only follows the feed.
 */
export class TestController {
  readonly process: Process;
  readonly goals = new Bus<Goal>();
  readonly delivery: Delivery;
  readonly share: HostShare;
  readonly channels: ChannelKeeper;
  readonly keeper: LeaseKeeper;
  readonly #stop = new AbortController();
  readonly #done: Promise<unknown>;

  constructor(region: TestRegion, name: string, options: { readonly queue?: null; readonly keeps?: false } = {}) {
    this.process = region.world.start(name);
    const { clock } = this.process.runtime;
    const hosts = new Topic<Host>();
    this.delivery = new Delivery({
      feed: feedOf(this.process, region.feed, () => region.feedDelayMs),
      goals: this.goals,
      hosts,
      clock,
      log,
    });
    this.share = new HostShare(hosts);
    this.channels = new ChannelKeeper({
      delivery: this.delivery,
      queue: options.queue === null ? undefined : region.queue.seenBy(this.process),
      thresholds: { mq: { ports: 10, largestGroup: 1_000 }, onDemand: { ports: 1_000, largestGroup: 1_000 } },
      channels: {
        setChannel: async (id, channel) => {
          await this.process.wait(3);
          region.setChannel(id, channel);
          await this.process.wait(3);
        },
      },
      clock,
      log,
    });
    this.keeper = new LeaseKeeper({
      store: leasesOf(this.process, region.leases),
      name,
      told: this.delivery.leases,
      work: { vpc: this.channels, host: this.share },
      clock,
      log,
    });
    const { signal } = this.#stop;
    const sharing = this.delivery.ready.then(() =>
      options.keeps === false
        ? undefined
        : Promise.all([this.share.run(signal), this.channels.run(signal), this.keeper.run(signal)]),
    );
    this.#done = Promise.all([this.delivery.run(signal), sharing]);
  }

  /** Ends it as a good process ends. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

/** As a process sees it: a wait, and so a place to die, at every step. */
export function feedOf(process: Process, feed: Feed, delayMs = (): number => 5): Feed {
  return {
    async snapshot(signal) {
      await process.wait(1);
      return feed.snapshot(signal);
    },
    async *changes(position, signal) {
      for await (const batch of feed.changes(position, signal)) {
        await process.wait(delayMs());
        yield batch;
      }
    },
  };
}

export function leasesOf(process: Process, leases: LeaseStore): LeaseStore {
  const waited = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    await process.wait(2);
    const result = await work();
    await process.wait(2);
    return result;
  };
  return {
    enterLeases: (name, address) => waited(() => leases.enterLeases(name, address)),
    renewLeases: (holder, ttlMs) => waited(() => leases.renewLeases(holder, ttlMs)),
    releaseLeases: (holder, shards) => waited(() => leases.releaseLeases(holder, shards)),
    leaveLeases: (holder) => waited(() => leases.leaveLeases(holder)),
  };
}

/** What a topic in the queue says is there, what it says is gone, by subject, and whether it says that it is whole. */
export async function contentOf(
  queue: MessageQueue,
  vpcId: string,
): Promise<{ readonly live: ReadonlyMap<string, Goal>; readonly gone: readonly string[]; readonly isWhole: boolean }> {
  const live = new Map<string, Goal>();
  const gone = new Set<string>();
  let isWhole = false;
  for await (const { messages, caughtUp } of queue.read(topicOf(vpcId), ['>'], 0, new AbortController().signal)) {
    for (const { subject, payload } of messages) {
      if (subject === wholeSubject) {
        isWhole = decodeWhole(payload, vpcId);
        continue;
      }
      const { goal, removed } = decodeGoal(payload);
      if (removed) gone.add(subject);
      else live.set(subject, goal);
    }
    if (caughtUp) break;
  }
  return { live, gone: [...gone].toSorted(), isWhole };
}

/** What the topics of a process say should be in the queue, by subject; revisions aside. */
export function wantedOf(delivery: Delivery, vpcId: string): ReadonlyMap<string, Goal> {
  const wanted = new Map<string, Goal>();
  for (const { value, removed } of delivery.goals.topic(`vpc/${vpcId}`).after(0, Number.POSITIVE_INFINITY)) {
    if (!removed) wanted.set(`multicast.${goalKey(value).replace('/', '.')}`, value);
  }
  for (const [name, topic] of delivery.goals.topics) {
    if (!name.startsWith('host/')) continue;
    for (const { value: goal, removed } of topic.after(0, Number.POSITIVE_INFINITY)) {
      const isOwn = goal.kind === 'port' || goal.kind === 'floating-ip';
      if (isOwn && !removed && goalVpc(goal) === vpcId)
        wanted.set(unicastSubject(name.slice('host/'.length), goal), goal);
    }
  }
  return wanted;
}
