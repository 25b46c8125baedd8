import { expect, it } from 'vitest';
import { type Scope, simulate } from './simulate.ts';

/** Seeds that failed once in the scope that there was, `core` unless said, and what they found. They stay. */
const onceFailed: readonly { seed: number; scope?: Scope; found: string }[] = [
  { seed: 24, found: 'an agent that starts while its switch is away' },
  { seed: 55, found: 'a VM that is unplugged while the switch is away' },
  { seed: 137, found: 'the same, with other faults around it' },
  { seed: 155, found: 'a VM that is unplugged while the switch restarts, plugged where it does not belong' },
  { seed: 17, found: 'a port taken back by a topic in an older revision than the stream had told' },
  { seed: 20, found: 'a neighbour told again by a topic in an older revision that said the same' },
  { seed: 203, found: 'an unsubscription whose answer was lost, so that the host was not told that it had left' },
  { seed: 231, found: 'a group in the last words of a stream, after the topic had said everything' },
  { seed: 380, found: 'a router that went and came back the same, left in the topic under its old revision' },
  { seed: 309, found: 'the word that a port works lost for the word that its goal came twice' },
  { seed: 51, found: 'a stream that lags behind a topic, of a VPC on demand and of a port that had been switched off' },
  { seed: 360, found: 'a host that left a VPC between its topic and the stream, and was not told that it had' },
  { seed: 206, found: 'a VPC told on demand for the first time while the host still read its topic, and not again' },
  { seed: 41, scope: 'whole', found: 'a gateway host that was one again while what leaves the region was looked at' },
  { seed: 518, scope: 'whole', found: 'one that was lost and one again meanwhile' },
  { seed: 527, scope: 'whole', found: 'the same, with as many gateway hosts before as after' },
  {
    seed: 359,
    scope: 'whole',
    found: 'a machine outside that was forgotten with the first address that had asked for it, though others needed it',
  },
  { seed: 559, scope: 'whole', found: 'a machine outside that answered before its question was seen as asked' },
];

it.each(onceFailed)('seed $seed holds, which found $found', async ({ seed, scope = 'core' }) => {
  expect((await simulate(seed, scope)).failures).toEqual([]);
});
