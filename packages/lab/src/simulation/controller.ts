import { ConfigManager, type HostState } from '@alcor/config-manager';
import type { Goal } from '@alcor/contract';
import {
  ChannelKeeper,
  Delivery,
  GatewayWatch,
  type Host,
  HostShare,
  LeaseKeeper,
  StatusCollector,
} from '@alcor/delivery';
import {
  type ChannelStore,
  type Feed,
  type FeedBatch,
  type GatewayStore,
  type LeaseStore,
  type PortReport,
  shardOf,
} from '@alcor/network';
import { between, Bus, type Process, type SimulatedQueue, Topic, type World } from '@alcor/runtime';

export interface ControllerOptions {
  /** Among those that share the work. */
  readonly name: string;
  readonly world: World;
  readonly feed: Feed;
  readonly leases: LeaseStore;
  readonly queue: SimulatedQueue;
  /** Keeps statuses and channels; the store's place. */
  readonly keep: (reports: readonly PortReport[]) => void;
  readonly setChannel: (...args: Parameters<ChannelStore['setChannel']>) => void;
  readonly setGatewayLost: (...args: Parameters<GatewayStore['setGatewayLost']>) => void;
  readonly log: (line: string) => void;
}

/** Small, so that VPCs change channels by their size. */
const thresholds = { mq: { ports: 8, largestGroup: 1_000 }, onDemand: { ports: 1_000, largestGroup: 1_000 } };

/** A controller's processes one after another: whatever one knew that is not in the feed is gone with it. */
export class SimulatedController {
  readonly #options: ControllerOptions;
  #process: Process | undefined;
  readonly #managers: ConfigManager[] = [];

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#start();
  }

  crash(): void {
    this.#process?.kill();
  }

  /** Neighbours that hosts were told before they asked, by all of the processes. */
  get predicted(): number {
    return this.#managers.reduce((sum, { onDemand }) => sum + onDemand.prediction.predicted, 0);
  }

  #start(): void {
    const { name, world, queue, log } = this.#options;
    const process = world.start(name, () => {
      world.schedule.after(between(world.random, 10, 3_000), () => this.#start());
    });
    this.#process = process;
    const { clock } = process.runtime;
    const goals = new Bus<Goal>();
    const hosts = new Topic<Host>();
    const say = (message: string, error?: unknown): void =>
      log(`${process.name}: ${message}${error instanceof Error ? ` (${error.message})` : ''}`);
    const feed = feedOf(process, world, this.#options.feed);
    const delivery = new Delivery({ feed, goals, hosts, clock, log: say });
    const share = new HostShare(hosts);
    const channels = new ChannelKeeper({
      delivery,
      queue: queue.seenBy(process),
      thresholds,
      channels: { setChannel: (...args) => this.#work(process, () => this.#options.setChannel(...args)) },
      clock,
      log: say,
    });
    const keeper = new LeaseKeeper({
      store: this.#leases(process),
      name,
      address: () => `${name}:9016`,
      told: delivery.leases,
      work: { vpc: channels, host: share },
      clock,
      log: say,
    });
    const collector = new StatusCollector({
      clock,
      log: say,
      sink: { setPortStatuses: (reports) => this.#work(process, () => this.#options.keep(reports)) },
    });
    const manager = new ConfigManager({
      runtime: process.runtime,
      goals,
      hosts: share.own,
      channels: delivery.channels,
      peerAt: (ip) => {
        const hostId = share.hostAt(ip);
        const address = delivery.leases.get(shardOf('host', hostId ?? ''))?.address ?? '';
        return hostId === undefined || address === '' ? undefined : { hostId, address };
      },
      queueUrl: 'the queue',
      log: say,
      onReport: (hostId, report) => collector.take(hostId, report),
    });
    this.#managers.push(manager);
    const forever = new AbortController().signal;
    void manager.answer(`${name}:9016`, forever);
    const watch = new GatewayWatch({
      nodes: delivery.nodes,
      leaseOf: (id) => keeper.working.get(shardOf('host', id)),
      answers: (id) => answers(manager.host(id)),
      store: { setGatewayLost: (...args) => this.#work(process, () => this.#options.setGatewayLost(...args)) },
      clock,
      log: say,
    });
    const works = [share, channels, keeper, manager, watch];
    void delivery.run(forever);
    void collector.run(forever);
    // A process that another has taken the name of exits, and whoever supervises it starts another.
    void delivery.ready.then(() => Promise.all(works.map((each) => each.run(forever)))).catch(() => process.kill());
  }

  /** Work in the store: it takes time, and the process may die before it or after. */
  async #work<Result>(process: Process, work: () => Result | Promise<Result>): Promise<Result> {
    await process.wait(between(this.#options.world.random, 1, 20));
    const result = await work();
    await process.wait(1);
    return result;
  }

  #leases(process: Process): LeaseStore {
    const { leases } = this.#options;
    return {
      enterLeases: (name, address) => this.#work(process, () => leases.enterLeases(name, address)),
      renewLeases: (holder, ttlMs) => this.#work(process, () => leases.renewLeases(holder, ttlMs)),
      releaseLeases: (holder, shards) => this.#work(process, () => leases.releaseLeases(holder, shards)),
      leaveLeases: (holder) => this.#work(process, () => leases.leaveLeases(holder)),
    };
  }
}

function answers({ state, switchAway }: Partial<HostState> = {}): boolean | undefined {
  return state === 'unreachable' || switchAway === true ? false : state === 'synchronised' ? true : undefined;
}

/** The feed as one process sees it: a wait, and so a place to die, at every step. */
function feedOf(process: Process, world: World, feed: Feed): Feed {
  const wait = (): Promise<void> => process.wait(between(world.random, 0, 5));
  return {
    async snapshot(signal) {
      await wait();
      return feed.snapshot(signal);
    },
    async *changes(position, signal): AsyncGenerator<FeedBatch> {
      for await (const batch of feed.changes(position, signal)) {
        await wait();
        yield batch;
      }
    },
  };
}
