import { ConfigManager } from '@alcor/config-manager';
import type { Goal } from '@alcor/contract';
import { Delivery, type Host, StatusCollector } from '@alcor/delivery';
import type { Feed, FeedBatch, PortReport } from '@alcor/network';
import { between, Bus, type Process, Topic, type World } from '@alcor/runtime';

export interface ControllerOptions {
  readonly world: World;
  readonly feed: Feed;
  /** Keeps statuses; the store's place. */
  readonly keep: (reports: readonly PortReport[]) => void;
  readonly log: (line: string) => void;
}

/** The controller's processes one after another: whatever one knew that is not in the feed is gone with it. */
export class SimulatedController {
  readonly #options: ControllerOptions;
  #process: Process | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#start();
  }

  crash(): void {
    this.#process?.kill();
  }

  #start(): void {
    const { world, log, keep } = this.#options;
    const process = world.start('controller', () => {
      world.schedule.after(between(world.random, 10, 3_000), () => this.#start());
    });
    this.#process = process;
    const { clock } = process.runtime;
    const goals = new Bus<Goal>();
    const hosts = new Topic<Host>();
    const say = (message: string): void => log(`${process.name}: ${message}`);
    const collector = new StatusCollector({
      clock,
      log: say,
      sink: {
        async setPortStatuses(reports) {
          await process.wait(between(world.random, 1, 20));
          keep(reports);
          await process.wait(1);
        },
      },
    });
    const delivery = new Delivery({ feed: feedOf(process, world, this.#options.feed), goals, hosts, clock, log: say });
    const manager = new ConfigManager({
      runtime: process.runtime,
      goals,
      hosts,
      log: say,
      onReport: (hostId, report) => collector.take(hostId, report),
    });
    const forever = new AbortController().signal;
    void delivery.run(forever);
    void collector.run(forever);
    void delivery.ready.then(() => manager.run(forever));
  }
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
