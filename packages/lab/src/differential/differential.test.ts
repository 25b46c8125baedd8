import { realRuntime } from '@alcor/runtime';
import { expect, test } from 'vitest';
import { casesOf, disagreements, disagreementText, noTally } from './differential.ts';
import { flaws } from './flaws.ts';
import { type Ofports, portIds } from './hosts.ts';
import { shrunk } from './shrink.ts';

const { clock } = realRuntime();
const ofports: Ofports = { tunnel: 1, gateway: 2, wire: 3, ports: new Map(portIds.map((id, n) => [id, n + 4])) };

test('what the tenants have said and what the switches in memory do is the same for random networks and packets', async () => {
  const tally = noTally();
  for (let seed = 1; seed <= 30; seed++) {
    const found = await disagreements(seed, casesOf(seed, 60), { clock, ofports }, tally);
    expect(found.map(disagreementText).join('\n')).toBe('');
  }
  // Packets that are all dropped would agree about nothing.
  for (const times of Object.values(tally)) expect(times).toBeGreaterThan(3);
});

test.each(flaws)('it is noticed when $why', async ({ spoil }) => {
  for (let seed = 1; seed <= 200; seed++) {
    const found = await disagreements(seed, casesOf(seed, 60), { clock, ofports, spoil });
    if (found.length > 0) return;
  }
  throw new Error('200 networks have not shown it');
});

test('what is left of a network after shrinking still shows the fault, and little else', async () => {
  const { spoil } = flaws.find(({ why }) => why.includes('hops'))!;
  const judges = { clock, ofports, spoil };
  for (let seed = 1; ; seed++) {
    const { plan, sent } = casesOf(seed, 60);
    const [first] = await disagreements(seed, { plan, sent }, judges);
    if (first === undefined) continue;
    const only = [first.answerTo ?? first.sent];
    const fails = async (smaller: typeof plan) =>
      (await disagreements(seed, { plan: smaller, sent: only }, judges)).length > 0;
    const least = await shrunk(plan, only[0]!.from, fails);
    expect(await fails(least)).toBe(true);
    expect(least.ports.length).toBeLessThanOrEqual(2);
    expect(least.routers).toHaveLength(1);
    return;
  }
});
