import { simulate } from '@alcor/lab';
import { defineCommand } from 'citty';
import { progress } from './output.ts';

/** `alcor simulate`: the region under seeded faults. */
export const simulateCommand = defineCommand({
  meta: { name: 'simulate', description: 'Run the region in one process under seeded faults and check its invariants' },
  args: {
    seeds: { type: 'string', default: '100', description: 'Run the seeds 1 to N' },
    seed: { type: 'string', description: 'Run one seed and print everything that happens in it' },
    json: { type: 'boolean', default: false, description: 'Print the result as one JSON object on the last line' },
  },
  async run({ args }) {
    const failed =
      args.seed === undefined ? await many(positive('--seeds', args.seeds)) : await one(positive('--seed', args.seed));
    const seeds = args.seed === undefined ? Number(args.seeds) : 1;
    if (args.json) console.log(JSON.stringify({ seeds, failed }));
    else
      console.log(
        failed.length === 0
          ? `All invariants held in ${seeds} simulated runs.`
          : `Failed seeds: ${failed.join(', ')}. Replay one with: npm run simulate -- --seed ${failed[0]}`,
      );
    process.exitCode = failed.length === 0 ? 0 : 1;
  },
});

async function many(seeds: number): Promise<number[]> {
  const failed: number[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const { failures } = await simulate(seed);
    if (failures.length > 0) {
      failed.push(seed);
      progress(`seed ${seed}: ${failures[0]}${failures.length > 1 ? ` (and ${failures.length - 1} more)` : ''}`);
    }
    if (seed % 50 === 0) progress(`${seed} of ${seeds} seeds, ${failed.length} failed`);
  }
  return failed;
}

async function one(seed: number): Promise<number[]> {
  const { failures, log } = await simulate(seed);
  for (const line of log) console.log(line);
  for (const failure of failures) progress(`failed: ${failure}`);
  return failures.length > 0 ? [seed] : [];
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new TypeError(`${name} wants a whole number from 1 up, not '${text}'`);
  return value;
}
