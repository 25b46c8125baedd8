import { realRuntime } from '@alcor/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { casesOf, disagreements, disagreementText, noTally } from './differential.ts';
import { flaws } from './flaws.ts';
import { missingOpenVswitch, type RealSwitches, startSwitches } from './testing/real-switches.ts';

const { clock } = realRuntime();
const missing = missingOpenVswitch();

describe.skipIf(missing !== '')(`three judges${missing && ` (skipped: ${missing})`}`, () => {
  let real: RealSwitches;

  beforeAll(async () => {
    real = await startSwitches();
  });

  afterAll(() => real.close());

  test('intent, switches in memory and Open vSwitch agree on every packet of random networks', async () => {
    const tally = noTally();
    for (let seed = 1001; seed <= 1030; seed++) {
      const judges = { clock, ofports: real.ofports, ovs: real.judge };
      const found = await disagreements(seed, casesOf(seed, 30), judges, tally);
      expect(found.map(disagreementText).join('\n')).toBe('');
    }
    for (const times of Object.values(tally)) expect(times).toBeGreaterThan(3);
  });

  test('a fault that both kinds of switch share is noticed on both', async () => {
    const { spoil } = flaws.find(({ why }) => why.includes('any IPv4 address'))!;
    for (let seed = 1; seed <= 60; seed++) {
      const judges = { clock, ofports: real.ofports, ovs: real.judge, spoil };
      const [found] = await disagreements(seed, casesOf(seed, 30), judges);
      if (found === undefined) continue;
      expect(found.ovs).toEqual(found.memory);
      expect(found.ovs).not.toEqual(found.oracle);
      return;
    }
    throw new Error('60 networks have not shown it');
  });
});
