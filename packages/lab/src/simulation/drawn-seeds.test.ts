import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.ts';

/** Runs of whole seeds that more than one test looks at. */
const runs = new Map<number, ReturnType<typeof simulate>>();

function runOf(seed: number): ReturnType<typeof simulate> {
  const run = runs.get(seed) ?? simulate(seed);
  runs.set(seed, run);
  return run;
}

const seeds = Array.from({ length: 10 }, (_, n) => n + 1);

describe('a region under faults', () => {
  it.each(seeds)('comes right after every kind of fault, with seed %i', async (seed) => {
    expect((await runOf(seed)).failures).toEqual([]);
  });

  it('has had, with some seed, all seen to that should work', async () => {
    const seen: Record<string, number> = {};
    for (const seed of seeds)
      for (const [what, times] of Object.entries((await runOf(seed)).tally)) seen[what] = (seen[what] ?? 0) + times;
    expect(seen).not.toEqual({});
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0);
  });

  it('runs the same for the same seed, to the byte of its log, and otherwise for another', async () => {
    const [first, second, other] = [await runOf(7), await simulate(7), await runOf(8)];
    expect(first.log.join('\n')).toBe(second.log.join('\n'));
    expect(first.log.length).toBeGreaterThan(200);
    expect(first.log.join('\n')).not.toBe(other.log.join('\n'));
  });
});
