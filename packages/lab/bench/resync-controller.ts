/**
 * A controller as a process of its own: HOSTS PORTS ADDRESS. Real are the compiler, delivery, the config manager and gRPC; simulated is the feed,
 * whose rows are made as they are asked for. Says how it stands: `loaded` with all that is meant, then `verified` when every host has confirmed what it holds.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ConfigManager } from '@alcor/config-manager';
import type { Goal } from '@alcor/contract';
import { Delivery, type Host } from '@alcor/delivery';
import type { Change, Feed } from '@alcor/network';
import { aborted, Bus, realRuntime, Topic } from '@alcor/runtime';
import { hostName, intentOf, type Size } from './resync-intent.ts';

export type ControllerSays =
  /** To have started, and to have read all rows and compiled them. */
  | { readonly loaded: true; readonly start: Took; readonly compile: Took }
  | {
      readonly verified: true;
      /** How often a host was lost, and had to be reached again. */
      readonly lost: number;
      readonly hosts: Took;
      readonly delayP99Ms: number;
      readonly delayMaxMs: number;
    };

/** What a phase took: seconds by the clock, and of CPU in all threads of the process. */
export interface Took {
  readonly wallS: number;
  readonly cpuS: number;
}

const lookEveryMs = 20;
/** As many as are read from the database at once. */
const rowsPerBatch = 1_000;

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
/** What it took since the last time, or since the process began. */
const took = (
  (before = { ms: 0, us: 0 }) =>
  (): Took => {
    const { user, system } = process.cpuUsage();
    const now = { ms: performance.now(), us: user + system };
    const since = { wallS: (now.ms - before.ms) / 1e3, cpuS: (now.us - before.us) / 1e6 };
    before = now;
    return since;
  }
)();
const start = took();
/** Everything is there at the start, and nothing changes. */
const feed: Feed = {
  snapshot: () => Promise.resolve({ position: '0', batches: rows() }),
  changes: (_from, signal) => ({ [Symbol.asyncIterator]: () => ({ next: () => nothing(signal) }) }),
};

async function nothing(signal: AbortSignal): Promise<IteratorReturnResult<undefined>> {
  await aborted(signal);
  return { done: true, value: undefined };
}

async function* rows(): AsyncGenerator<readonly Change[]> {
  let batch: Change[] = [];
  for (const change of intentOf(size, address)) {
    batch.push(change);
    if (batch.length < rowsPerBatch) continue;
    yield batch;
    batch = [];
    // What comes from a database lets others have their turn.
    await clock.sleep(0);
  }
  yield batch;
}

const goals = new Bus<Goal>();
const hostsTopic = new Topic<Host>();
const delivery = new Delivery({ feed, goals, hosts: hostsTopic, clock, log });
void delivery.run(forever);
await delivery.ready;
say({ loaded: true, start, compile: took() });

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const manager = new ConfigManager({ runtime, goals, hosts: hostsTopic, onReport: () => undefined, log });
void manager.run(forever);
for (let n = 0; n < size.hosts;) {
  if (manager.host(hostName(n))?.state === 'synchronised') n++;
  else await clock.sleep(lookEveryMs, forever);
}
say({
  verified: true,
  lost,
  hosts: took(),
  delayP99Ms: delay.percentile(99) / 1e6,
  delayMaxMs: delay.max / 1e6,
});
