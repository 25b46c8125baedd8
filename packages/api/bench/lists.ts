/**
 * How long lists take in a region of many ports: the pages that tools ask for, first among few ports and then among all, and the whole list as
 * one stream. The API is called in this process, without identity, on a PostgreSQL of its own.
 *
 *   npm run bench:lists -- [--ports N] [--repeats N] [--json]
 *
 * Measures, with the number of ports as context: `list_p50_ms` and `list_p99_ms` by what is asked for, `list_ratio` (median among all
 * ports to median among few), `stream_ports_per_s`, `stream_peak_mib` (memory above what the process had before).
 */
import { parseArgs } from 'node:util';
import { type TestStore, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, clientOf, type Row } from '../src/testing/client.ts';

const { values } = parseArgs({
  options: {
    ports: { type: 'string', default: '1000000' },
    repeats: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const total = Number(values.ports);
const repeats = Number(values.repeats);
const few = Math.min(10_000, total);
const portsPerNetwork = 50_000;
const portsPerRequest = 1_000;

interface Region {
  readonly client: Client;
  readonly store: TestStore;
  readonly networks: Row[];
  readonly subnets: Row[];
  ports: number;
}

function report(measure: string, value: number, unit: string, context: object): void {
  const rounded = Math.round(value * 100) / 100;
  if (values.json) console.log(JSON.stringify({ measure, value: rounded, unit, context }));
  else console.log(`${measure}: ${rounded} ${unit} ${JSON.stringify(context)}`);
}

/** Adds ports until there are `count`, by the API's bulk requests. */
async function grow(region: Region, count: number): Promise<void> {
  const { client, networks, subnets, store } = region;
  for (; region.ports < count; region.ports += portsPerRequest) {
    if (region.ports % portsPerNetwork === 0) {
      const network = await client.make('network', { name: `net-${networks.length}` });
      networks.push(network);
      const cidr = `10.${networks.length}.0.0/16`;
      subnets.push(await client.make('subnet', { network_id: network.id, ip_version: 4, cidr }));
    }
    const network_id = networks.at(-1)!.id;
    const ports = Array.from({ length: portsPerRequest }, (_, index) => {
      const n = region.ports + index;
      return { network_id, name: `port-${n}`, device_id: `vm-${n}`, device_owner: 'compute:nova' };
    });
    const { status, body } = await client.call('POST', '/v2.0/ports', { ports });
    if (status !== 201) throw new Error(`cannot make ports: ${status} ${JSON.stringify(body)}`);
    if (region.ports % 100_000 === 0) console.error(`${region.ports} ports of ${count}`);
  }
  // What PostgreSQL does by itself in a minute or so.
  await store.sql.unsafe('analyze');
}

/** What tools ask for, with answers whose size does not grow with the region. */
function queriesOf({ networks, subnets }: Region): Record<string, (n: number) => string> {
  const network = (n: number): string => networks[n % networks.length]!.id;
  const address = (n: number): string => `10.${1 + (n % networks.length)}.${n % 30}.${(n * 7) % 250}`;
  return {
    'first page': () => 'limit=100',
    'first page, sorted by name': () => 'limit=100&sort_key=name&sort_dir=asc',
    'first page, newest first': () => 'limit=100&sort_key=created_at&sort_dir=desc',
    'by name': (n) => `name=port-${n}`,
    'by device': (n) => `device_id=vm-${n}`,
    'by several devices': (n) => `device_id=vm-${n}&device_id=vm-${n + 1}&device_id=vm-${n + 2}`,
    'by address': (n) => `fixed_ips=ip_address%3D${address(n)}`,
    'by address and subnet': (n) =>
      `fixed_ips=subnet_id%3D${subnets[n % subnets.length]!.id}&fixed_ips=ip_address%3D${address(n)}`,
    'page of a network': (n) => `network_id=${network(n)}&limit=100`,
    'page of a network, some fields': (n) => `network_id=${network(n)}&limit=100&fields=id&fields=name`,
    'page of a project': () => 'project_id=admin&limit=100',
    'page of a network, sorted by name': (n) => `network_id=${network(n)}&limit=100&sort_key=name&sort_dir=asc`,
    'page of those that are down': () => 'status=DOWN&limit=100',
    'none: another project': () => 'project_id=nobody&limit=100',
    'none: a status that no port has': () => 'status=ERROR&limit=100',
    'none: a host without ports': () => 'binding%3Ahost_id=nobody',
  };
}

async function timed(client: Client, query: string): Promise<number> {
  const start = performance.now();
  const { status } = await client.call('GET', `/v2.0/ports?${query}`);
  if (status !== 200) throw new Error(`${query}: ${status}`);
  return performance.now() - start;
}

/** Medians by what is asked for. */
async function measureAll(region: Region): Promise<Map<string, number>> {
  const medians = new Map<string, number>();
  for (const [asked, query] of Object.entries(queriesOf(region))) {
    await timed(region.client, query(0));
    const took: number[] = [];
    for (let n = 0; n < repeats; n++) took.push(await timed(region.client, query((n * 7_919) % region.ports)));
    took.sort((a, b) => a - b);
    const median = took[took.length >> 1]!;
    medians.set(asked, median);
    report('list_p50_ms', median, 'ms', { asked, ports: region.ports });
    report('list_p99_ms', took[Math.floor(took.length * 0.99)]!, 'ms', { asked, ports: region.ports });
  }
  medians.set('next pages', await walk(region));
  return medians;
}

/** Follows the links from page to page, as far as `repeats` pages. */
async function walk({ client, ports }: Region): Promise<number> {
  const took: number[] = [];
  let path = '/v2.0/ports?limit=100';
  for (let page = 0; page < repeats; page++) {
    const start = performance.now();
    const { body } = await client.call('GET', path);
    took.push(performance.now() - start);
    const next = body.ports_links?.find(({ rel }) => rel === 'next');
    if (next === undefined) break;
    const { pathname, search } = new URL(next.href);
    path = pathname + search;
  }
  took.sort((a, b) => a - b);
  const median = took[took.length >> 1]!;
  report('list_p50_ms', median, 'ms', { asked: 'next pages', ports });
  return median;
}

/** The whole list over a socket, as a client reads it. */
async function stream({ client, ports }: Region): Promise<void> {
  const url = await client.app.listen({ host: '127.0.0.1', port: 0 });
  global.gc?.();
  const before = process.memoryUsage().rss;
  let peak = before;
  let bytes = 0;
  const start = performance.now();
  const response = await fetch(`${url}/v2.0/ports`);
  for await (const chunk of response.body!) {
    bytes += (chunk as Uint8Array).length;
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  const seconds = (performance.now() - start) / 1_000;
  const context = { ports, mib: Math.round(bytes / 2 ** 20) };
  report('stream_ports_per_s', ports / seconds, 'ports/s', context);
  report('stream_peak_mib', (peak - before) / 2 ** 20, 'MiB', context);
}

const server = await startTestServer();
try {
  const store = await server.openFresh();
  const client = clientOf(store);
  await client.call('PUT', '/v2.0/quotas/admin', { quota: { port: -1, network: -1, subnet: -1 } });
  const region: Region = { client, store, networks: [], subnets: [], ports: 0 };
  await grow(region, few);
  const among = await measureAll(region);
  const start = performance.now();
  await grow(region, total);
  if (total > few) {
    const perSecond = ((total - few) / (performance.now() - start)) * 1_000;
    report('bulk_ports_per_s', perSecond, 'ports/s', { ports: total, portsPerRequest });
    for (const [asked, median] of await measureAll(region)) {
      report('list_ratio', median / among.get(asked)!, '', { asked, ports: total, few });
    }
  }
  await stream(region);
  await client.app.close();
} finally {
  await server.close();
}
