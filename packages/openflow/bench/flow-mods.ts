/**
 * How many flow-mods per second reach a real Open vSwitch: the library against `ovs-ofctl --bundle add-flows` with
 * the same flows, in turns. Each round starts from an empty table and is checked by the switch's own count.
 *
 *   npm run bench:openflow -- [--flows N] [--rounds N] [--json]
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeFlowMod, mac } from '../src/index.ts';
import type { FlowMod, OpenFlowConnection } from '../src/index.ts';
import { startOvs, whyNoOvs } from '../src/testing/ovs.ts';
import type { Ovs } from '../src/testing/ovs.ts';

const TABLE = 70;
const FIRST_MAC = mac('02:00:00:00:00:00');

/** Neighbour number `i`: packets of its network to its MAC go into the tunnel to its host. */
function neighbour(i: number): FlowMod {
  return {
    type: 'flow_mod',
    command: 'add',
    table: TABLE,
    priority: 100,
    cookie: BigInt(i + 1),
    match: { metadata: BigInt(1 + (i & 0xff)), eth_dst: FIRST_MAC + i },
    instructions: [
      {
        type: 'apply_actions',
        actions: [
          { type: 'set_field', field: 'tun_dst', value: 0x0a00_0000 + (i & 0xffff) },
          { type: 'set_field', field: 'tunnel_id', value: 1 + (i & 0xff) },
          { type: 'output', port: 1 },
        ],
      },
    ],
  };
}

/** The same flow as ovs-ofctl reads it. */
function neighbourText(i: number): string {
  const address = (FIRST_MAC + i)
    .toString(16)
    .padStart(12, '0')
    .replaceAll(/..(?!$)/g, '$&:');
  const host = `10.0.${(i >> 8) & 0xff}.${i & 0xff}`;
  const network = 1 + (i & 0xff);
  const match = `table=${TABLE},priority=100,cookie=${i + 1},metadata=${network},dl_dst=${address}`;
  return `${match},actions=set_field:${host}->tun_dst,set_field:${network}->tun_id,output:1`;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

async function count(connection: OpenFlowConnection): Promise<number> {
  let flows = 0;
  for await (const part of connection.multipart({ kind: 'aggregate', filter: { table: TABLE } })) {
    if (part.kind === 'aggregate') flows += part.stats.flows;
  }
  return flows;
}

/** Flows per second of one way of writing them, from an empty table, checked. */
async function timed(connection: OpenFlowConnection, flows: number, write: () => Promise<unknown>): Promise<number> {
  await connection.applyFlowMods([{ type: 'flow_mod', command: 'delete', table: TABLE }]);
  const start = performance.now();
  await write();
  const seconds = (performance.now() - start) / 1000;
  const found = await count(connection);
  if (found !== flows) throw new Error(`the switch has ${found} flows instead of ${flows}`);
  return flows / seconds;
}

async function apply(connection: OpenFlowConnection, mods: readonly FlowMod[], way: 'each' | 'bundle'): Promise<void> {
  const { failures } = await connection.applyFlowMods(mods, { bundle: way === 'bundle' });
  if (failures.length > 0) throw new Error(`${failures.length} refused: ${String(failures[0]?.error)}`);
}

type Rounds = { readonly each: number[]; readonly bundle: number[]; readonly ofctl: number[] };

async function measure(ovs: Ovs, flows: number, rounds: number): Promise<Rounds> {
  const connection = await ovs.connect({ echoIntervalMs: 60_000 });
  const mods = Array.from({ length: flows }, (_, i) => neighbour(i));
  const file = `${dirname(ovs.socket)}/flows.txt`;
  await writeFile(file, Array.from({ length: flows }, (_, i) => neighbourText(i)).join('\n'));
  const result: Rounds = { each: [], bundle: [], ofctl: [] };
  for (let round = 0; round < rounds; round++) {
    result.each.push(await timed(connection, flows, () => apply(connection, mods, 'each')));
    result.ofctl.push(await timed(connection, flows, () => ovs.ofctl('--bundle', 'add-flows', 'BR', file)));
    result.bundle.push(await timed(connection, flows, () => apply(connection, mods, 'bundle')));
  }
  connection.close();
  return result;
}

/** Encoding alone, without a switch: messages per second. */
function encodeRate(flows: number): number {
  const mods = Array.from({ length: flows }, (_, i) => neighbour(i));
  let bytes = 0;
  const start = performance.now();
  for (const [i, mod] of mods.entries()) bytes += encodeFlowMod(mod, i).length;
  if (bytes === 0) throw new Error('nothing was encoded');
  return flows / ((performance.now() - start) / 1000);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      flows: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
    },
  });
  const [flows, rounds] = [Number(values.flows), Number(values.rounds)];
  const missing = whyNoOvs();
  if (missing !== undefined) {
    throw new Error(`this bench needs root and an installed Open vSwitch: ${missing}`);
  }
  encodeRate(flows);
  const encode = encodeRate(flows);
  const ovs = await startOvs();
  try {
    report(await measure(ovs, flows, rounds), { flows, rounds }, encode, values.json ? 'json' : 'text');
  } finally {
    await ovs.stop();
  }
}

function report({ each, bundle, ofctl }: Rounds, context: object, encode: number, form: 'json' | 'text'): void {
  const machine = {
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    load1: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
  const lines = [
    { measure: 'openflow_flow_mods_per_s', value: median(each), unit: '1/s', all: each },
    { measure: 'openflow_bundled_flow_mods_per_s', value: median(bundle), unit: '1/s', all: bundle },
    { measure: 'ovs_ofctl_flow_mods_per_s', value: median(ofctl), unit: '1/s', all: ofctl },
    { measure: 'openflow_to_ovs_ofctl_ratio', value: median(each) / median(ofctl), unit: '1' },
    { measure: 'openflow_bundled_to_ovs_ofctl_ratio', value: median(bundle) / median(ofctl), unit: '1' },
    { measure: 'openflow_encoded_flow_mods_per_s', value: encode, unit: '1/s' },
  ];
  for (const { all, ...line } of lines as (Record<string, unknown> & { all?: number[] })[]) {
    const rate = Number(line['value']);
    const value = rate > 100 ? Math.round(rate) : Math.round(rate * 1000) / 1000;
    if (form === 'text') console.log(`${String(line['measure']).padEnd(40)} ${value} ${String(line['unit'])}`);
    else console.log(JSON.stringify({ ...line, value, ...context, all: all?.map(Math.round), machine }));
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
