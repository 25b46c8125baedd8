/**
 * How long a guest is not answered for while it moves to another host: three hosts with a real Open vSwitch each, an agent process each, and the
 * region's API, by which a binding of the second host is activated while the first one's guest sends an echo request each millisecond. All share this
 * machine; where that stood still meanwhile, nobody was asked and nobody could answer, so that is said apart.
 *
 *   npm run bench:live-migration -- [--moves N] [--json]
 */
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { stoodStillMs } from '../../runtime/bench/standstills.ts';
import { removeGuests } from '../src/region/testing/guests.ts';
import { type Migration, startMovable } from '../src/region/testing/migration.ts';
import { cleanUp, folder, start } from '../src/region/testing/region-process.ts';

const { values } = parseArgs({
  options: { moves: { type: 'string', default: '10' }, json: { type: 'boolean', default: false } },
});
const moves = Number(values.moves);
const seen: Migration[] = [];
const { json, url } = await start(['--state', join(folder(), 'state'), '--hosts', '3']);
const guest = await startMovable(url, json);
try {
  for (let n = 0; n < moves; n++) {
    seen.push(await guest.move(n % 2 === 0 ? 2 : 1));
    console.error(`move ${n + 1}: ${JSON.stringify(seen.at(-1))}`);
  }
} finally {
  guest.remove();
  removeGuests();
  await cleanUp();
}

const ascending = (all: number[]): number[] => all.toSorted((a, b) => a - b);
const gaps = ascending(seen.map(({ gap }) => gap.to - gap.from));
const awake = ascending(seen.map(({ gap }) => gap.to - gap.from - stoodStillMs(gap)));
const lost = ascending(seen.map(({ sent, answered }) => sent - answered));
const line = (measure: string, value: number, unit: string): void =>
  console.log(JSON.stringify({ measure: `live_migration_${measure}`, value, unit, moves, interval_ms: 1 }));
line('gap_median', gaps[gaps.length >> 1]!, 'ms');
line('gap_max', gaps.at(-1)!, 'ms');
line('gap_less_standstill_median', awake[awake.length >> 1]!, 'ms');
line('gap_less_standstill_max', awake.at(-1)!, 'ms');
line('lost_median', lost[lost.length >> 1]!, 'requests');
line('lost_max', lost.at(-1)!, 'requests');
line(
  'duplicates',
  seen.reduce((sum, { duplicates }) => sum + duplicates, 0),
  'answers',
);
