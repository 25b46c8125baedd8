import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketOf,
  bucketsOf,
  type Goal,
  GoalDigest,
  goalKey,
  NeighborConfiguration,
  RouterConfiguration,
  SecurityGroupConfiguration,
} from './index.ts';

function neighbor(n: number, mac = 0, revisionNumber = 1): Goal {
  const state = NeighborConfiguration.fromPartial({
    id: `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`,
    vpcId: 'vpc',
    revisionNumber,
    macAddress: `fa:16:3e:00:00:${mac.toString(16).padStart(2, '0')}`,
    fixedIps: [{ subnetId: 'subnet', ipAddress: `10.0.0.${n}` }],
  });
  return { kind: 'neighbor', state };
}

function digestOf(goals: Iterable<Goal>): GoalDigest {
  return new GoalDigest().with(goals);
}

const group = (rule: object): Goal => ({
  kind: 'security-group',
  state: SecurityGroupConfiguration.fromPartial({ id: 'g', securityGroupRules: [rule] }),
});

const change = fc.record({ n: fc.nat(60), mac: fc.nat(2), removed: fc.boolean() });

describe('a digest', () => {
  it('names the buckets of exactly what differs, whatever the history', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 200, size: 'max' }),
        fc.array(change, { maxLength: 8 }),
        (past, since) => {
          const held = new Map<string, Goal>();
          const digest = new GoalDigest();
          const take = ({ n, mac, removed }: { n: number; mac: number; removed: boolean }): void => {
            const goal = neighbor(n, mac);
            const before = held.get(goalKey(goal));
            if (before !== undefined) digest.remove(before);
            held.delete(goalKey(goal));
            if (removed) return;
            held.set(goalKey(goal), goal);
            digest.add(goal);
          };
          past.forEach(take);
          const offered = digest.offer();
          const then = new Map(held);
          since.forEach(take);
          expect(digest.offer()).toEqual(digestOf(held.values()).offer());
          const count = bucketsOf(offered.digests)!;
          const changed = [...new Set([...then.keys(), ...held.keys()])].filter(
            (key) => JSON.stringify(then.get(key)) !== JSON.stringify(held.get(key)),
          );
          const buckets = changed.map((key) => bucketOf((then.get(key) ?? held.get(key))!, count));
          expect(digest.differing(offered)).toEqual([...new Set(buckets)].sort((a, b) => a - b));
        },
      ),
    );
  });

  it('does not depend on the revision, nor on the way that the goal came by', () => {
    const goal = neighbor(1, 2, 3);
    const state = NeighborConfiguration.decode(NeighborConfiguration.encode(neighbor(1, 2, 7).state as never).finish());
    expect(digestOf([goal]).differing(digestOf([{ kind: 'neighbor', state }]).offer())).toEqual([]);
  });

  it.each([
    ['an optional number that is 0 and one that is absent', group({ ipProtocol: 0 }), group({})],
    [
      'strings that are cut elsewhere',
      group({ id: 'ab', remoteIpPrefix: 'c' }),
      group({ id: 'a', remoteIpPrefix: 'bc' }),
    ],
    ['values of two fields that change places', group({ portRangeMin: 1 }), group({ portRangeMax: 1 })],
    [
      'one of two equal rules',
      group({ id: 'a' }),
      {
        ...group({ id: 'a' }),
        state: SecurityGroupConfiguration.fromPartial({ id: 'g', securityGroupRules: [{ id: 'a' }, { id: 'a' }] }),
      } as Goal,
    ],
    ['kinds', { kind: 'router', state: RouterConfiguration.fromPartial({ id: 'g' }) } as Goal, group({})],
  ])('tells %s apart', (_, a, b) => {
    expect(digestOf([a]).offer()).not.toEqual(digestOf([b]).offer());
  });

  it('tells goals apart that differ in little, as random numbers would be', () => {
    const all = Array.from({ length: 20_000 }, (_, n) => {
      const state = NeighborConfiguration.fromPartial({
        id: 'n',
        macAddress: `fa:16:3e:${n}`,
        hostIpAddress: '172.16.0.1',
      });
      return digestOf([{ kind: 'neighbor', state }]).offer().digests;
    });
    const first = new Set(all.map((digest) => Buffer.from(digest).readUInt32BE(0)));
    const second = new Set(all.map((digest) => Buffer.from(digest).readUInt32BE(4)));
    // Of 20,000 random words of 32 bits one pair in twenty trials is equal.
    expect(Math.min(first.size, second.size)).toBeGreaterThan(19_996);
  });

  it('spreads goals over its buckets, and offers few of them where there is little to speak of', () => {
    const goals = Array.from({ length: 6_400 }, (_, n) => neighbor(n));
    const sizes = new Map<number, number>();
    for (const goal of goals) sizes.set(bucketOf(goal, 64), (sizes.get(bucketOf(goal, 64)) ?? 0) + 1);
    expect([sizes.size, Math.min(...sizes.values()) > 50, Math.max(...sizes.values()) < 150]).toEqual([64, true, true]);
    const lengths = [0, 32, 33, 100, 6_400].map((count) => digestOf(goals.slice(0, count)).offer().digests.length);
    expect(lengths).toEqual([8, 8, 16, 32, 512]);
  });

  it('does not compare with what makes no sense', () => {
    for (const length of [0, 4, 24, 1024]) {
      expect(digestOf([]).differing({ count: 0, digests: new Uint8Array(length) })).toBeUndefined();
    }
  });
});
