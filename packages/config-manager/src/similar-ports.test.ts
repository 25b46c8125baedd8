import { NeighborConfiguration } from '@alcor/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kindOf, SimilarPorts } from './similar-ports.ts';

const to = (n: number) => ({ tunnelId: 7, address: `10.0.0.${n}` });

function named(vpcId: string, securityGroupIds: string[], subnetId = 's'): string {
  return kindOf(NeighborConfiguration.fromPartial({ vpcId, securityGroupIds, fixedIps: [{ subnetId }] }));
}

describe('what similar ports need', () => {
  it('is by their security groups in any order, and without any by their subnet, within a VPC', () => {
    expect(named('v', ['a', 'b'])).toBe(named('v', ['b', 'a'], 't'));
    const others = [named('v', ['a', 'b']), named('v', ['a']), named('w', ['a']), named('v', []), named('v', [], 't')];
    expect(new Set(others).size).toBe(others.length);
  });

  it('is likely what a sixth of the last hosts have needed, and two at least', () => {
    const similar = new SimilarPorts(10_000);
    similar.note('web', 'h1', to(1));
    expect(similar.likely('web')).toEqual([]);
    similar.note('web', 'h1', to(1));
    expect(similar.likely('web')).toEqual([]);
    similar.note('web', 'h2', to(2));
    similar.note('web', 'h2', to(1));
    similar.note('web', 'h3', to(1));
    similar.note('web', 'h3', to(2));
    expect(similar.likely('web')).toEqual([to(1), to(2)]);
    for (let n = 4; n <= 12; n++) similar.note('web', `h${n}`, to(1));
    expect(similar.likely('web')).toEqual([to(1), to(2)]);
    similar.note('web', 'h13', to(1));
    expect(similar.likely('web')).toEqual([to(1)]);
    expect(similar.likely('db')).toEqual([]);
  });

  it('forgets what hosts needed that have not shown anything for longest', () => {
    const similar = new SimilarPorts(10_000);
    for (let n = 1; n <= 32; n++) similar.note('web', `h${n}`, to(1));
    for (let n = 33; n <= 64 - 6; n++) similar.note('web', `h${n}`, to(2));
    expect(similar.likely('web')).toEqual([to(2), to(1)]);
    similar.note('web', 'h59', to(2));
    expect(similar.likely('web')).toEqual([to(2)]);
  });

  it('is less likely with every host that has not needed it', () => {
    const similar = new SimilarPorts(10_000);
    for (const host of ['h1', 'h2']) similar.note('web', host, to(1));
    for (let n = 3; n <= 12; n++) similar.noteUnneeded('web', `h${n}`, to(1));
    expect(similar.likely('web')).toEqual([to(1)]);
    similar.noteUnneeded('web', 'h13', to(1));
    expect(similar.likely('web')).toEqual([]);
    for (let n = 3; n <= 13; n++) similar.note('web', `h${n}`, to(1));
    similar.noteUnneeded('web', 'h1', to(1));
    expect(similar.likely('web')).toEqual([to(1)]);
  });

  it('forgets the kinds first of which nothing was learnt for long', () => {
    const similar = new SimilarPorts(12);
    const learn = (...kinds: string[]): void => {
      for (const kind of kinds) for (const host of ['h1', 'h2']) similar.note(kind, host, to(1));
    };
    const known = (): string[] => ['a', 'b', 'c', 'd', 'e'].filter((kind) => similar.likely(kind).length > 0);
    learn('a', 'b', 'c', 'd');
    expect(known()).toEqual(['b', 'c', 'd']);
    learn('b', 'e');
    expect(known()).toEqual(['b', 'd', 'e']);
  });

  it('takes no more than its room, whoever asks for whatever', () => {
    const step = fc.record({
      kind: fc.integer({ min: 1, max: 6 }),
      host: fc.integer({ min: 1, max: 40 }),
      of: fc.integer({ min: 1, max: 60 }),
      needed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const similar = new SimilarPorts(200);
        for (const { kind, host, of, needed } of steps) {
          const known = [`k${kind}`, `h${host}`, to(of)] as const;
          if (needed) similar.note(...known);
          else similar.noteUnneeded(...known);
          expect(similar.size).toBeGreaterThan(0);
          expect(similar.size).toBeLessThanOrEqual(200);
        }
        // With room for nothing, all that is counted is counted out again.
        const none = new SimilarPorts(0);
        for (const { kind, host, of } of steps) none.note(`k${kind}`, `h${host}`, to(of));
        expect(none.size).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});
