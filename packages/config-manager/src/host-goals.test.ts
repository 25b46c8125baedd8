import {
  bucketOf,
  bucketsOf,
  GatewayConfiguration,
  type Goal,
  GoalDigest,
  goalKey,
  type GoalStateV2,
  goalsOf,
  goalVpc,
  HeldVpc,
  NeighborConfiguration,
  PortConfiguration,
  RouterConfiguration,
  VpcConfiguration,
} from '@alcor/contract';
import { Bus } from '@alcor/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostGoals, type Telling } from './host-goals.ts';
import { TopicDigests } from './topic-digests.ts';

const host = 'host/h';

/** What the region tells, as the data-plane manager would. */
class Region {
  readonly goals = new Bus<Goal>();
  readonly #routers = new Map<number, readonly number[]>();
  #revision = 0;

  port(n: number, vpc: number): void {
    this.#put(host, port(n, vpc, ++this.#revision));
  }

  unbind(n: number): void {
    const known = this.goals.topic(host).get(`port/port${n}`);
    if (known !== undefined) this.goals.topic(host).remove(goalKey(known), known);
  }

  neighbor(n: number, vpc: number): void {
    const revisionNumber = ++this.#revision;
    const hostIpAddress = `172.16.0.${revisionNumber}`;
    const state = NeighborConfiguration.fromPartial({
      id: `neighbor${n}`,
      vpcId: `vpc${vpc}`,
      revisionNumber,
      hostIpAddress,
    });
    this.#put(`vpc/vpc${vpc}`, { kind: 'neighbor', state });
  }

  /** The router is on these networks and on no others. */
  router(n: number, vpcs: readonly number[]): void {
    const before = this.#routers.get(n) ?? [];
    this.#routers.set(n, vpcs);
    const revision = ++this.#revision;
    for (const vpc of vpcs) {
      const goal = router(n, vpc, vpcs, revision);
      for (const topic of [`vpc/vpc${vpc}`, `vpc/vpc${vpc}/routers`]) this.#put(topic, goal);
    }
    for (const vpc of before.filter((each) => !vpcs.includes(each))) {
      const goal = router(n, vpc, [], revision);
      for (const topic of [`vpc/vpc${vpc}`, `vpc/vpc${vpc}/routers`]) {
        this.goals.topic(topic).remove(goalKey(goal), goal);
      }
    }
  }

  /** The host becomes the VPC's gateway, or is it no longer. */
  share(vpc: number): void {
    const vpcId = `vpc${vpc}`;
    const revisionNumber = ++this.#revision;
    const requestId = `of revision ${revisionNumber}`;
    const state = GatewayConfiguration.fromPartial({ id: 'h', vpcId, revisionNumber, requestId });
    const known = this.goals.topic(host).get(`gateway/${vpcId}`);
    const entries = [
      [host, `gateway/${vpcId}`],
      [`vpc/${vpcId}`, 'gateway/h'],
    ] as const;
    for (const [topic, key] of entries) {
      if (known === undefined) this.goals.topic(topic).put(key, { kind: 'gateway', state });
      else this.goals.topic(topic).remove(key, { kind: 'gateway', state });
    }
  }

  /** What the host should know, by VPC: found by going from port or share to VPC to router to VPC until nothing is new. */
  get wanted(): Map<string, string[]> {
    const ports = this.#read(host);
    const vpcs = new Set(ports.map(goalVpc));
    for (const vpc of vpcs) {
      for (const reached of this.#routers.values()) {
        const ids = reached.map((each) => `vpc${each}`);
        if (ids.includes(vpc)) for (const id of ids) vpcs.add(id);
      }
    }
    return new Map(
      [...vpcs].sort().map((vpc) => {
        const own = ports.filter((goal) => goal.kind === 'port' && goalVpc(goal) === vpc);
        return [vpc, [...own, ...this.#read(`vpc/${vpc}`)].map(nameOf).sort()];
      }),
    );
  }

  #put(topic: string, goal: Goal): void {
    this.goals.topic(topic).put(goalKey(goal), goal);
  }

  #read(topic: string): Goal[] {
    return this.goals
      .topic(topic)
      .after(0, Number.POSITIVE_INFINITY)
      .filter(({ removed }) => !removed)
      .map(({ value }) => value);
  }
}

const port = (n: number, vpc: number, revisionNumber: number): Goal => ({
  kind: 'port',
  state: PortConfiguration.fromPartial({
    id: `port${n}`,
    vpcId: `vpc${vpc}`,
    revisionNumber,
    name: `of revision ${revisionNumber}`,
  }),
});

const router = (n: number, vpc: number, vpcs: readonly number[], revisionNumber: number): Goal => ({
  kind: 'router',
  state: RouterConfiguration.fromPartial({
    id: `router${n}`,
    vpcId: `vpc${vpc}`,
    revisionNumber,
    interfaces: vpcs.map((each) => ({ vpcId: `vpc${each}` })),
    hostDvrMacAddress: `of revision ${revisionNumber}`,
  }),
});

const nameOf = (goal: Goal): string => `${goalKey(goal)} ${goal.state.revisionNumber}`;

/** A host that believes what it is told, and does no more than messages say. */
class Host {
  readonly vpcs = new Map<string, Map<string, Goal>>();
  /** What it has been told. */
  readonly heard: Goal[] = [];

  get offers(): HeldVpc[] {
    return [...this.vpcs].map(([vpcId, held]) =>
      HeldVpc.fromPartial({ vpcId, ...new GoalDigest().with(held.values()).offer() }),
    );
  }

  take(message: GoalStateV2): void {
    for (const vpc of message.leftVpcs) this.vpcs.delete(vpc);
    for (const vpc of message.begunVpcs) this.vpcs.set(vpc, new Map());
    for (const { vpcId, staleBuckets } of message.resumedVpcs) this.#resume(vpcId, staleBuckets);
    for (const { goal, removed } of goalsOf(message)) {
      this.heard.push(goal);
      const held = this.vpcs.get(goalVpc(goal));
      if (removed) held?.delete(goalKey(goal));
      else if (held !== undefined) held.set(goalKey(goal), goal);
      else throw new Error(`told of ${goalKey(goal)} in ${goalVpc(goal)}, which was not begun`);
    }
  }

  /** The VPCs in which the host is, where it was told everything. */
  keep(vpcs: Iterable<string>): void {
    const kept = new Set(vpcs);
    for (const vpc of [...this.vpcs.keys()].filter((each) => !kept.has(each))) this.vpcs.delete(vpc);
  }

  #resume(vpcId: string, staleBuckets: readonly number[]): void {
    const held = this.vpcs.get(vpcId)!;
    const count = bucketsOf(new GoalDigest().with(held.values()).offer().digests)!;
    for (const [key, goal] of held) if (staleBuckets.includes(bucketOf(goal, count))) held.delete(key);
  }

  get known(): Map<string, string[]> {
    return new Map([...this.vpcs].sort().map(([vpc, held]) => [vpc, [...held.values()].map(nameOf).sort()] as const));
  }
}

function readerOf(region: Region, telling: Telling = 'stream'): HostGoals {
  return new HostGoals({
    hostId: 'h',
    goals: region.goals,
    digests: new TopicDigests(),
    wake: () => undefined,
    onJoin: () => telling,
    onLeave: () => undefined,
    onShare: () => undefined,
  });
}

function tellAll(reader: HostGoals, to: Host): void {
  for (let next = reader.next(); next !== undefined; next = reader.next()) to.take(next.message);
}

const n = fc.nat(3);
const step = fc.oneof(
  fc.record({ do: fc.constant('port' as const), n: fc.nat(7) }),
  fc.record({ do: fc.constant('unbind' as const), n: fc.nat(7) }),
  fc.record({ do: fc.constant('neighbor' as const), n: fc.nat(7) }),
  fc.record({ do: fc.constant('router' as const), n: fc.nat(2), vpcs: fc.uniqueArray(n, { maxLength: 3 }) }),
  fc.record({ do: fc.constant('share' as const), n }),
  fc.record({ do: fc.constant('tell' as const) }),
  fc.record({ do: fc.constant('tell once' as const) }),
);

type Vpcs = ReadonlyMap<string, ReadonlyMap<string, Goal>>;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A port is in one VPC for ever, and so is the neighbour that it is to others. */
function change(region: Region, each: Step): void {
  if (each.do === 'port') region.port(each.n, each.n % 4);
  if (each.do === 'unbind') region.unbind(each.n);
  if (each.do === 'neighbor') region.neighbor(each.n, each.n % 4);
  if (each.do === 'share') region.share(each.n);
  if (each.do === 'router') region.router(each.n, each.vpcs);
}

/** Whether the goal is in one bucket of its VPC with one that is another than before, or its VPC was not held. */
function isNear(goal: Goal, before: Vpcs, now: Vpcs): boolean {
  const [then, held] = [before.get(goalVpc(goal)), now.get(goalVpc(goal))];
  if (then === undefined) return true;
  const count = bucketsOf(new GoalDigest().with(then.values()).offer().digests)!;
  const changed = [...then.values(), ...(held?.values() ?? [])].filter(
    (each) => then.get(goalKey(each)) !== held?.get(goalKey(each)),
  );
  return changed.some((each) => bucketOf(each, count) === bucketOf(goal, count));
}

describe('what a host is told', () => {
  it('is of the VPCs of its ports and of those that routers lead to from there, after any history', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const region = new Region();
        const reader = readerOf(region);
        const told = new Host();
        for (const each of steps) {
          change(region, each);
          if (each.do === 'tell') tellAll(reader, told);
          if (each.do === 'tell once') {
            const next = reader.next();
            if (next !== undefined) told.take(next.message);
          }
        }
        tellAll(reader, told);
        expect(told.known).toEqual(region.wanted);
        const later = new Host();
        tellAll(readerOf(region), later);
        expect(later.known).toEqual(region.wanted);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is the difference where the host has offered what it holds, after any time without a word', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.array(step, { maxLength: 6 }), (past, since) => {
        const region = new Region();
        // Enough of them for several buckets.
        for (let each = 0; each < 400; each++) region.neighbor(100 + each, each % 4);
        past.forEach((each) => change(region, each));
        const told = new Host();
        tellAll(readerOf(region), told);
        const before = new Map([...told.vpcs].map(([vpc, held]) => [vpc, new Map(held)]));
        since.forEach((each) => change(region, each));
        const reader = readerOf(region);
        told.heard.length = 0;
        reader.look();
        reader.offer(told.offers);
        tellAll(reader, told);
        told.keep(reader.vpcs);
        expect(told.known).toEqual(region.wanted);
        expect(told.heard.filter((goal) => !isNear(goal, before, told.vpcs))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('is of a VPC from nothing when what was offered has been put in doubt, or is not what the VPC is told by', () => {
    const region = new Region();
    region.port(1, 1);
    region.neighbor(1, 1);
    const told = new Host();
    tellAll(readerOf(region), told);
    const reader = readerOf(region);
    reader.look();
    reader.offer(told.offers);
    expect(reader.next()?.message).toMatchObject({ verifiedVpcs: ['vpc1'], begunVpcs: [], complete: true });
    reader.again('vpc1');
    expect(reader.next()?.message).toMatchObject({ verifiedVpcs: [], begunVpcs: ['vpc1'], completedVpcs: ['vpc1'] });
    const later = readerOf(region, 'later');
    later.look();
    later.offer(told.offers);
    expect(later.next()).toBeUndefined();
    later.tell('vpc1', 'stream');
    expect(later.next()?.message).toMatchObject({ verifiedVpcs: [], begunVpcs: ['vpc1'], complete: true });
  });

  it('names the topics that it takes further, and those of which there was nothing to say', () => {
    const region = new Region();
    region.port(1, 0);
    region.neighbor(1, 0);
    const reader = readerOf(region);
    const named = (): readonly unknown[] | undefined => {
      const positions = reader.next()?.positions;
      return positions === undefined ? undefined : [...positions];
    };
    expect(named()).toEqual([
      ['host/h', 1],
      ['vpc/vpc0', 1],
    ]);
    region.neighbor(2, 0);
    expect(named()).toEqual([['vpc/vpc0', 2]]);
    const state = GatewayConfiguration.fromPartial({ id: 'h', vpcId: 'vpc0' });
    region.goals.topic(host).put('gateway/vpc0', { kind: 'gateway', state });
    expect(named()).toBeUndefined();
    region.neighbor(3, 0);
    expect(named()).toEqual([
      ['host/h', 2],
      ['vpc/vpc0', 3],
    ]);
  });

  it('is of an on-demand VPC what is common to all, and the neighbours that it learns, before it is told whole', () => {
    const region = new Region();
    region.port(1, 0);
    const state = VpcConfiguration.fromPartial({ id: 'vpc0', revisionNumber: 1 });
    region.goals.topic('vpc/vpc0/common').put('vpc/vpc0', { kind: 'vpc', state });
    const goals = Array.from({ length: 1_500 }, (_, index): Goal => ({
      kind: 'neighbor',
      state: NeighborConfiguration.fromPartial({ id: `n${index}`, vpcId: 'vpc0', revisionNumber: 1 }),
    }));
    region.neighbor(1, 0);
    const reader = readerOf(region, 'later');
    const told = new Host();
    tellAll(reader, told);
    expect(told.known.size).toBe(0);
    reader.tell('vpc0', 'on-demand');
    for (const goal of goals) reader.learn('vpc0', { goal, removed: false });
    const first = reader.next()!.message;
    expect(first).toMatchObject({ begunVpcs: ['vpc0'], onDemandVpcs: ['vpc0'], completedVpcs: [], complete: false });
    told.take(first);
    expect(reader.owesLearnt).toBe(true);
    expect(reader.next()?.message).toMatchObject({ begunVpcs: [], completedVpcs: ['vpc0'], complete: true });
    expect([...told.vpcs.get('vpc0')!.keys()].slice(0, 3)).toEqual(['vpc/vpc0', 'port/port1', 'neighbor/n0']);
    reader.learn('vpc0', { goal: goals[0]!, removed: true });
    tellAll(reader, told);
    expect(told.vpcs.get('vpc0')!.has('neighbor/n0')).toBe(false);
    expect(reader.owesLearnt).toBe(false);
    reader.tell('vpc0', 'stream');
    tellAll(reader, told);
    expect(told.known).toEqual(region.wanted);
  });

  it('says that the host has left a VPC that it had read itself, and that the stream was only about to tell', () => {
    const region = new Region();
    region.port(1, 0);
    const reader = readerOf(region, 'topic');
    expect(reader.next()?.message).toMatchObject({ begunVpcs: [], complete: true });
    reader.tell('vpc0', 'stream');
    region.unbind(1);
    expect(reader.next()?.message).toMatchObject({ begunVpcs: [], leftVpcs: ['vpc0'] });
  });

  it('reaches across several routers, and goes when the way there goes', () => {
    const region = new Region();
    const reader = readerOf(region);
    const told = new Host();
    region.port(1, 0);
    region.router(1, [0, 1]);
    region.router(2, [1, 2]);
    region.neighbor(1, 2);
    tellAll(reader, told);
    expect([...told.known.keys()]).toEqual(['vpc0', 'vpc1', 'vpc2']);
    expect(told.known.get('vpc2')?.[0]).toMatch('neighbor/neighbor1');
    region.router(1, [0]);
    tellAll(reader, told);
    expect([...told.known.keys()]).toEqual(['vpc0']);
  });
});
