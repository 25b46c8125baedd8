import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gatewayOf, type NodeId } from './index.ts';

const vpcs = Array.from({ length: 1_000 }, (_, n) => `vpc-${n}`);
const someGateways = fc.uniqueArray(
  fc.string({ minLength: 1, maxLength: 8 }).map((id) => id as NodeId),
  { minLength: 1, maxLength: 20 },
);

describe('the share of a gateway', () => {
  it('moves alone when a gateway comes or goes, and is about as large as that of the others', () => {
    fc.assert(
      fc.property(someGateways, fc.nat(), (gateways, at) => {
        const gone = gateways[at % gateways.length]!;
        const left = gateways.filter((id) => id !== gone);
        const held = vpcs.map((vpc) => ({ before: gatewayOf(vpc, gateways), after: gatewayOf(vpc, left) }));
        expect(held.filter(({ before, after }) => before !== gone && before !== after)).toEqual([]);
        const moved = held.filter(({ before }) => before === gone).length;
        const fair = vpcs.length / gateways.length;
        // Six standard deviations of as many fair throws.
        expect(Math.abs(moved - fair)).toBeLessThan(6 * Math.sqrt(fair) + 1);
      }),
      { numRuns: 50 },
    );
  });

  it('does not depend on the order in which gateways are named, and is nobody where there is none', () => {
    fc.assert(
      fc.property(someGateways, (gateways) => {
        for (const vpc of vpcs.slice(0, 50))
          expect(gatewayOf(vpc, gateways.toReversed())).toBe(gatewayOf(vpc, gateways));
      }),
    );
    expect(gatewayOf('vpc', [])).toBeUndefined();
  });
});
