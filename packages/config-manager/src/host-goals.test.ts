import {
  type Goal,
  goalKey,
  type GoalStateV2,
  goalsOf,
  goalVpc,
  NeighborConfiguration,
  PortConfiguration,
  RouterConfiguration,
} from '@alcor/contract';
import { Bus } from '@alcor/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostGoals } from './host-goals.ts';

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
    const state = NeighborConfiguration.fromPartial({
      id: `neighbor${n}`,
      vpcId: `vpc${vpc}`,
      revisionNumber: ++this.#revision,
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

  /** What the host should know, by VPC: found by going from port to VPC to router to VPC until nothing is new. */
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
        const own = ports.filter((goal) => goalVpc(goal) === vpc);
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
  state: PortConfiguration.fromPartial({ id: `port${n}`, vpcId: `vpc${vpc}`, revisionNumber }),
});

const router = (n: number, vpc: number, vpcs: readonly number[], revisionNumber: number): Goal => ({
  kind: 'router',
  state: RouterConfiguration.fromPartial({
    id: `router${n}`,
    vpcId: `vpc${vpc}`,
    revisionNumber,
    interfaces: vpcs.map((each) => ({ vpcId: `vpc${each}` })),
  }),
});

const nameOf = (goal: Goal): string => `${goalKey(goal)} ${goal.state.revisionNumber}`;

/** A host that believes what it is told, and does no more than messages say. */
class Host {
  readonly vpcs = new Map<string, Map<string, Goal>>();

  take(message: GoalStateV2): void {
    for (const vpc of message.leftVpcs) this.vpcs.delete(vpc);
    for (const vpc of message.begunVpcs) this.vpcs.set(vpc, new Map());
    for (const { goal, removed } of goalsOf(message)) {
      const held = this.vpcs.get(goalVpc(goal));
      if (removed) held?.delete(goalKey(goal));
      else if (held !== undefined) held.set(goalKey(goal), goal);
      else throw new Error(`told of ${goalKey(goal)} in ${goalVpc(goal)}, which was not begun`);
    }
  }

  get known(): Map<string, string[]> {
    return new Map([...this.vpcs].sort().map(([vpc, held]) => [vpc, [...held.values()].map(nameOf).sort()] as const));
  }
}

function readerOf(region: Region): HostGoals {
  return new HostGoals({
    hostId: 'h',
    goals: region.goals,
    wake: () => undefined,
    onJoin: () => 'stream',
    onLeave: () => undefined,
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
  fc.record({ do: fc.constant('tell' as const) }),
  fc.record({ do: fc.constant('tell once' as const) }),
);

describe('what a host is told', () => {
  it('is of the VPCs of its ports and of those that routers lead to from there, after any history', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const region = new Region();
        const reader = readerOf(region);
        const told = new Host();
        for (const each of steps) {
          // A port is in one VPC for ever, and so is the neighbour that it is to others.
          if (each.do === 'port') region.port(each.n, each.n % 4);
          else if (each.do === 'unbind') region.unbind(each.n);
          else if (each.do === 'neighbor') region.neighbor(each.n, each.n % 4);
          else if (each.do === 'router') region.router(each.n, each.vpcs);
          else if (each.do === 'tell') tellAll(reader, told);
          else {
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
