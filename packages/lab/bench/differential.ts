/**
 * Three judges on random packets in random networks: what tenants have said (`src/differential/oracle.ts`), the switches in memory, and real ones.
 * Where they disagree it says which packet, in which network after what does not matter has been left out, and what each of them says. A seed gives
 * the same network and packets again.
 *
 *   npm run test:differential -- [--networks N] [--packets N] [--first SEED] [--seed SEED] [--memory] [--json] [--save]
 */
import { parseArgs } from 'node:util';
import { realRuntime } from '@alcor/runtime';
import {
  casesOf,
  type Disagreement,
  disagreements,
  disagreementText,
  noTally,
  planText,
  shrunk,
} from '../src/differential/index.ts';
import type { Judges } from '../src/differential/differential.ts';
import { type Ofports, portIds } from '../src/differential/hosts.ts';
import { missingOpenVswitch, startSwitches } from '../src/differential/testing/real-switches.ts';

/** How many disagreements are shrunk and told; the others are counted. */
const MOST_TOLD = 10;

const { values } = parseArgs({
  options: {
    networks: { type: 'string', default: '100' },
    packets: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    memory: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const first = whole('seed', values.seed ?? values.first);
const networks = values.seed === undefined ? whole('networks', values.networks) : 1;
const packets = whole('packets', values.packets);
const { clock } = realRuntime();
const missing = values.memory ? 'not asked for' : missingOpenVswitch();
if (missing !== '') console.error(`Open vSwitch is no judge: ${missing}`);
const real = missing === '' ? await startSwitches() : undefined;

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new TypeError(`--${name} wants a whole number from 1 up, not '${text}'`);
  return value;
}

function plainOfports(): Ofports {
  return { tunnel: 1, gateway: 2, wire: 3, ports: new Map(portIds.map((id, n) => [id, n + 4])) };
}

/** The network without what the packet does not need, and the packet. */
async function told(found: Disagreement, judges: Judges): Promise<string> {
  const { plan } = casesOf(found.seed, packets);
  const sent = [found.answerTo ?? found.sent];
  const fails = async (smaller: typeof plan): Promise<boolean> =>
    (await disagreements(found.seed, { plan: smaller, sent }, judges)).length > 0;
  const least = await shrunk(plan, sent[0]!.from, fails);
  const [last] = await disagreements(found.seed, { plan: least, sent }, judges);
  return [disagreementText(found), planText(least), ...(last?.ways ?? [])].join('\n');
}

const judges: Judges = { clock, ofports: real?.ofports ?? plainOfports(), ovs: real?.judge };
const tally = noTally();
const all: Disagreement[] = [];
const start = clock.now();
try {
  for (let seed = first; seed < first + networks; seed++) {
    const found = await disagreements(seed, casesOf(seed, packets), judges, tally);
    for (const each of found) {
      if (all.push(each) <= MOST_TOLD) console.error(await told(each, judges));
    }
    const done = seed - first + 1;
    if (done % 10 === 0)
      console.error(`${done} of ${networks} networks, ${tally.packets} packets, ${all.length} disagreements`);
  }
} finally {
  await real?.close();
}
const seconds = Math.round((clock.now() - start) / 1000);
const context = { networks, packets, first, judges: real === undefined ? 2 : 3, seconds };
for (const [measure, value] of Object.entries({ ...tally, disagreements: all.length }))
  console.log(
    values.json
      ? JSON.stringify({ measure: `differential_${measure}`, value, unit: 'packets', ...context })
      : `${measure}: ${value}`,
  );
for (const { ways: _, ...each } of all.slice(0, MOST_TOLD))
  console.log(
    JSON.stringify(
      { measure: 'differential_disagreement', value: each.seed, unit: 'seed', ...each },
      (__, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    ),
  );
if (all.length > 0) process.exitCode = 1;
