/**
 * A controller as a process of its own: HOSTS PORTS ADDRESS. Real are the compiler, delivery, the config manager and gRPC; simulated is the feed,
 * which is in memory. Says how it stands: `loaded` with all that is meant, then `verified` when every host has confirmed what it holds.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ConfigManager } from '@alcor/config-manager';
import type { Goal } from '@alcor/contract';
import { Delivery, type Host } from '@alcor/delivery';
import { createMemoryFeed } from '@alcor/network';
import { Bus, realRuntime, Topic } from '@alcor/runtime';
import { hostName, intentOf, type Size } from './resync-intent.ts';

export type ControllerSays =
  /** Seconds that it took to make the feed that stands for the database, and to compile all of it. */
  | { readonly loaded: true; readonly feedS: number; readonly compileS: number }
  | {
      readonly verified: true;
      /** How often a host was lost, and had to be reached again. */
      readonly lost: number;
      readonly cpuS: number;
      readonly delayP99Ms: number;
      readonly delayMaxMs: number;
    };

const lookEveryMs = 20;

const [hosts, ports, address = ''] = process.argv.slice(2);
const size: Size = { hosts: Number(hosts), ports: Number(ports) };
const runtime = realRuntime();
const { clock } = runtime;
const forever = new AbortController().signal;
const say = (what: ControllerSays): void => void process.send?.(what);
let lost = 0;
const log = (message: string, error?: unknown): void => {
  const isLoss = message.startsWith('lost host');
  if (isLoss) lost++;
  if (error !== undefined || (isLoss && lost === 1)) console.error(message, error ?? '');
};

process.once('disconnect', () => process.exit());
const began = performance.now();
const feed = createMemoryFeed();
for (const { kind, row } of intentOf(size, address)) feed.put(kind, row as never);
const made = performance.now();
const goals = new Bus<Goal>();
const hostsTopic = new Topic<Host>();
const delivery = new Delivery({ feed, goals, hosts: hostsTopic, clock, log });
void delivery.run(forever);
await delivery.ready;
say({ loaded: true, feedS: (made - began) / 1000, compileS: (performance.now() - made) / 1000 });

const before = process.cpuUsage();
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const manager = new ConfigManager({ runtime, goals, hosts: hostsTopic, onReport: () => undefined, log });
void manager.run(forever);
for (let n = 0; n < size.hosts;) {
  if (manager.host(hostName(n))?.state === 'synchronised') n++;
  else await clock.sleep(lookEveryMs, forever);
}
const { user, system } = process.cpuUsage(before);
say({
  verified: true,
  lost,
  cpuS: (user + system) / 1e6,
  delayP99Ms: delay.percentile(99) / 1e6,
  delayMaxMs: delay.max / 1e6,
});
