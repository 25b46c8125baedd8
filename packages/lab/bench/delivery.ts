/**
 * What a change costs, by the size of the VPC that it is in: compiling it, what is published of it, and how long until every host that
 * needs it has applied it. Real are the compiler, delivery, the publisher, the encoding and what an agent holds; simulated are the feed (in memory), the queue
 * (in this process) and the hosts, which have no switch and share one process and one core; what each would decode is decoded once for all.
 *
 *   npm run bench:delivery -- [--ports N,…] [--rounds N] [--json]
 */
import { parseArgs } from 'node:util';
import type { Change, Port } from '@alcor/network';
import { realRuntime } from '@alcor/runtime';
import { type BenchRegion, club, compilerOf, everyone, portOf, startRegion } from './delivery-region.ts';

const MOST_HOSTS = 10_000;
const COMPILED = 3_000;
const GIVE_UP_MS = 60_000;
const { clock } = realRuntime();

interface Line {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  readonly [context: string]: string | number;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

function changeTo(row: Port): Change {
  return { kind: 'port', id: row.id, revision: row.revision, row };
}

/** Milliseconds per change for adding, migrating and deleting a port, in turns. */
function compile(ports: number, hosts: number): number[] {
  const compiler = compilerOf(ports, hosts);
  const times: number[] = [];
  const timed = (change: Change): void => {
    const start = clock.now();
    compiler.apply(change);
    times.push(clock.now() - start);
  };
  // The first ones are slow because the engine has not compiled the compiler yet.
  for (let n = 0; n < 2 * COMPILED; n++) {
    const [host, other] = [n % hosts, (n + 1) % hosts];
    if (n === COMPILED) times.length = 0;
    timed(changeTo(portOf(ports + n, host, [everyone])));
    timed(changeTo(portOf(ports + n, other, [everyone], 2)));
    timed({ kind: 'port', id: portOf(ports + n, other, []).id, revision: 3, row: null });
  }
  return times;
}

interface Step {
  readonly name: string;
  /** Hosts that have something to apply, each time one goal. */
  readonly deliveries: (hosts: number) => number;
  readonly act: (region: BenchRegion, n: number) => void;
}

/** What happens to port `n`, which is new; its host and the next one are picked by its number. */
function stepsFor(hosts: number): readonly Step[] {
  const put = (region: BenchRegion, n: number, host: number, groups: readonly number[], revision: number): void =>
    region.feed.put('port', portOf(n, host % hosts, groups, revision));
  return [
    { name: 'added', deliveries: (count) => count + 1, act: (region, n) => put(region, n, n, [everyone], 1) },
    { name: 'migrated', deliveries: (count) => count + 2, act: (region, n) => put(region, n, n + 1, [everyone], 2) },
    {
      name: 'made a member',
      deliveries: (count) => count + 1,
      act: (region, n) => put(region, n, n + 1, [everyone, club], 3),
    },
    {
      name: 'deleted',
      deliveries: (count) => count + 1,
      act: (region, n) => region.feed.remove('port', portOf(n, 0, []).id),
    },
  ];
}

/** A change that some host never hears of is a defect, not a slow one. */
async function inTime(everywhere: Promise<void>, name: string): Promise<void> {
  const over = new AbortController();
  const late = clock.sleep(GIVE_UP_MS, over.signal).then(() => {
    throw new Error(`a port was ${name}, and after ${GIVE_UP_MS} ms not every host has applied it`);
  });
  await Promise.race([everywhere, late]);
  late.catch(() => undefined);
  over.abort();
}

interface Told {
  readonly times: Map<string, number[]>;
  readonly changes: number;
  readonly multicast: number;
  readonly unicast: number;
  readonly bytes: number;
}

async function tell(ports: number, hosts: number, rounds: number): Promise<Told> {
  const region = await startRegion(ports, hosts, clock);
  const steps = stepsFor(hosts);
  const times = new Map<string, number[]>(steps.map(({ name }) => [name, []]));
  const before = { ...region.counters };
  for (let n = ports; n < ports + rounds; n++) {
    for (const { name, deliveries, act } of steps) {
      const everywhere = region.applied(portOf(n, 0, []).id, deliveries(hosts));
      const start = clock.now();
      act(region, n);
      await inTime(everywhere, name);
      times.get(name)?.push(clock.now() - start);
    }
  }
  const { multicast, unicast, bytes } = region.counters;
  await region.close();
  return {
    times,
    changes: rounds * steps.length,
    multicast: multicast - before.multicast,
    unicast: unicast - before.unicast,
    bytes: bytes - before.bytes,
  };
}

async function measure(ports: number, rounds: number): Promise<readonly Line[]> {
  const hosts = Math.min(ports, MOST_HOSTS);
  console.error(`a VPC of ${ports} ports: compiling changes of it …`);
  const compiled = compile(ports, hosts);
  console.error(
    `a VPC of ${ports} ports: publishing it, then ${rounds} ports come, move, join a group and go, on ${hosts} hosts …`,
  );
  const { times, changes, multicast, unicast, bytes } = await tell(ports, hosts, rounds);
  const all = ['added', 'migrated', 'deleted'].flatMap((name) => times.get(name) ?? []);
  const context = {
    ports,
    hosts,
    hosts_are: 'simulated, in one process, without switches; a message is decoded once for all',
  };
  const joins = times.get('made a member') ?? [];
  return [
    { measure: 'compile_p50_ms', value: quantile(compiled, 0.5), unit: 'ms', ...context, changes: compiled.length },
    { measure: 'compile_p99_ms', value: quantile(compiled, 0.99), unit: 'ms', ...context, changes: compiled.length },
    { measure: 'messages_per_change', value: (multicast + unicast) / changes, unit: '1', ...context, changes },
    { measure: 'multicast_per_change', value: multicast / changes, unit: '1', ...context, changes },
    { measure: 'bytes_per_change', value: bytes / changes, unit: 'B', ...context, changes },
    { measure: 'applied_everywhere_p50_ms', value: quantile(all, 0.5), unit: 'ms', ...context, changes: all.length },
    { measure: 'applied_everywhere_p99_ms', value: quantile(all, 0.99), unit: 'ms', ...context, changes: all.length },
    { measure: 'group_change_p50_ms', value: quantile(joins, 0.5), unit: 'ms', ...context, changes: joins.length },
    { measure: 'group_change_p99_ms', value: quantile(joins, 0.99), unit: 'ms', ...context, changes: joins.length },
  ];
}

const { values } = parseArgs({
  options: {
    ports: { type: 'string', default: '10,1000,100000,1000000' },
    rounds: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const compileP99 = new Map<number, number>();
const print = (line: Line): void => {
  const { measure: name, value, unit, ports } = line;
  console.log(
    values.json ? JSON.stringify(line) : `${String(ports).padStart(8)}  ${name.padEnd(28)} ${value.toFixed(4)} ${unit}`,
  );
};
for (const text of values.ports.split(',')) {
  const ports = Number(text);
  for (const line of await measure(ports, Number(values.rounds))) {
    print(line);
    if (line.measure === 'compile_p99_ms') compileP99.set(ports, line.value);
  }
}
const [smallest, largest] = [Math.min(...compileP99.keys()), Math.max(...compileP99.keys())];
if (smallest < largest) {
  const value = (compileP99.get(largest) ?? Number.NaN) / (compileP99.get(smallest) ?? Number.NaN);
  print({ measure: 'compile_p99_ratio', value, unit: '1', ports: largest, against_ports: smallest });
}
