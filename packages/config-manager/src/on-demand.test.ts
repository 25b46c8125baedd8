import {
  EtherType,
  RouterConfiguration,
  SecurityGroupConfiguration_Direction as Direction,
  SecurityGroupConfiguration_SecurityGroupRule as Rule,
  SubnetConfiguration,
} from '@alcor/contract';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { OnDemandRegion, question, RecordingHost, vpcId } from './testing/on-demand-region.ts';

const rule = (direction: Direction, remote: Partial<Rule> = {}): Rule =>
  Rule.fromPartial({ id: 'r', direction, ethertype: EtherType.IPV4, ...remote });
const egress = rule(Direction.EGRESS);
/** As Neutron's default group: all may leave, members may enter. */
const ownOnly = (id: string): Rule[] => [egress, rule(Direction.INGRESS, { remoteGroupId: id })];

describe('learning on demand', () => {
  let region: OnDemandRegion;
  beforeEach(() => {
    region = new OnDemandRegion();
  });

  it('tells the asker the destination and its host the source, and nobody else anything', async () => {
    for (const n of [1, 2, 3]) region.port(n, n);
    const [a, b, c] = (await region.hosts([1, 2, 3])) as [RecordingHost, RecordingHost, RecordingHost];
    expect(region.ask(a, 1, 2)).toMatchObject({ status: 'routable', neighborId: 'p2' });
    expect([a.names, b.names, c.names]).toEqual([['p2'], ['p1'], []]);
  });

  it('hurries the source to the host of the destination only where a rule asks for it', async () => {
    region.group('g', ownOnly('g'));
    region.group('open', [egress, rule(Direction.INGRESS)]);
    for (const n of [1, 2]) region.port(n, n, ['open']);
    for (const n of [3, 4]) region.port(n, n, ['g']);
    const [a, b, c, d] = (await region.hosts([1, 2, 3, 4])) as [
      RecordingHost,
      RecordingHost,
      RecordingHost,
      RecordingHost,
    ];
    region.ask(a, 1, 2);
    region.ask(c, 3, 4);
    expect([a, b, c, d].map(({ soon }) => soon)).toEqual([0, 1, 0, 0]);
  });

  it('waits for no host that has nothing to learn before others', async () => {
    for (const n of [1, 2]) region.port(n, n);
    const [a, b] = (await region.hosts([1, 2])) as [RecordingHost, RecordingHost];
    b.slow = true;
    region.ask(a, 1, 2);
    expect([a.names, b.waiting]).toEqual([['p2'], []]);
  });

  it('tells a change to those who hold the neighbour, at the cost of those', async () => {
    const all = await region.hosts(Array.from({ length: 50 }, (_, n) => n + 1));
    for (let n = 1; n <= 50; n++) region.port(n, n);
    const [a, b] = all as [RecordingHost, RecordingHost];
    await region.pass();
    region.ask(a, 1, 2);
    const before = all.map(({ told }) => told);
    region.port(2, 3);
    await region.pass();
    expect(a.held.get('vpc/p2')).toBe('172.16.0.3');
    expect(all.map(({ told }, n) => told - before[n]!)).toEqual([1, ...Array.from({ length: 49 }, () => 0)]);
    region.unbind(2);
    await region.pass();
    expect([a.names, b.names]).toEqual([[], ['p1']]);
    region.port(2, 3);
    await region.pass();
    expect(a.names).toEqual([]);
  });

  it('says what nobody has, and says it otherwise once somebody has it', async () => {
    region.port(1, 1);
    const [a] = (await region.hosts([1])) as [RecordingHost];
    expect(region.ask(a, 1, 9)).toMatchObject({ status: 'not-routable', reason: 'nothing has the address' });
    region.port(9, 2);
    expect(region.ask(a, 1, 9)).toMatchObject({ status: 'routable' });
  });

  it('refuses what makes no sense and puts off what is not known yet', async () => {
    region.port(1, 1);
    const [a] = (await region.hosts([1])) as [RecordingHost];
    expect(region.onDemand.ask('host1', question('10.0.0.1', 'nowhere'))).toMatchObject({ status: 'invalid' });
    expect(region.ask(a, 1, 1, 99)).toMatchObject({ status: 'later' });
    expect(region.ask(new RecordingHost(5), 1, 1)).toMatchObject({ status: 'later' });
    region.onDemand.leave(vpcId, a);
    expect(region.ask(a, 1, 1)).toMatchObject({ status: 'later' });
  });

  it('finds an IPv6 address however it is written', async () => {
    const [a] = (await region.hosts([1])) as [RecordingHost];
    region.port(1, 2);
    const goal = region.goals.topic('vpc/vpc').get('neighbor/p1')!;
    region.put(vpcId, { ...goal, state: { ...goal.state, fixedIps: [{ ipAddress: 'fd00::a' }] } } as never);
    expect(region.onDemand.ask('host1', question('', 'FD00:0:0::000a'))).toMatchObject({ status: 'routable' });
    expect(a.names).toEqual(['p1']);
  });

  it('does not let a host learn of a network that it is not in', async () => {
    region.vpc('other', 8);
    region.port(1, 1);
    region.port(2, 2, [], 'other');
    const [a] = (await region.hosts([1])) as [RecordingHost];
    await region.hosts([2], 'other');
    expect(region.ask(a, 1, 2, 8).status).toBe('later');
    expect(a.names).toEqual([]);
  });

  describe('with groups', () => {
    it('refuses whom no rule lets speak, and lets those who might', async () => {
      region.group('out', [egress]);
      region.group('web', [egress, rule(Direction.INGRESS, { remoteIpPrefix: '10.0.0.3/32', portRangeMin: 443 })]);
      region.port(1, 1, ['out']);
      region.port(2, 2, ['web']);
      region.port(3, 3, ['out']);
      region.port(4, 4);
      region.port(5, 5, ['unheard-of']);
      const [a] = (await region.hosts([1, 2, 3, 4, 5])) as [RecordingHost];
      expect(region.ask(a, 1, 2)).toMatchObject({
        status: 'not-routable',
        reason: 'no rule of the security groups and network ACLs lets the two speak',
      });
      expect(region.ask(a, 3, 2).status).toBe('routable');
      // Answers pass whoever has asked: it is not known who began.
      expect(region.ask(a, 2, 3).status).toBe('routable');
      expect(region.ask(a, 1, 4).status).toBe('routable');
      expect(region.ask(a, 1, 5).status).toBe('routable');
    });

    it('acquaints two hosts: each knows all members of remote groups on the other, from then on', async () => {
      region.group('g', ownOnly('g'));
      for (const n of [1, 2, 3]) region.port(n, 1, ['g']);
      for (const n of [11, 12]) region.port(n, 2, ['g']);
      region.port(13, 2);
      const [a, b, c] = (await region.hosts([1, 2, 3])) as [RecordingHost, RecordingHost, RecordingHost];
      region.ask(a, 1, 11);
      expect([a.names, b.names, c.names]).toEqual([['p11', 'p12'], ['p1', 'p2', 'p3'], []]);
      region.port(4, 1, ['g']);
      await region.pass();
      expect(b.names).toEqual(['p1', 'p2', 'p3', 'p4']);
      // Who holds a port that moves is acquainted with its new host.
      region.port(11, 3, ['g']);
      await region.pass();
      expect([a.held.get('vpc/p11'), c.names]).toEqual(['172.16.0.3', ['p1', 'p2', 'p3', 'p4']]);
    });

    it('has every host know the members on a gateway host, which sends without a question', async () => {
      region.group('g', ownOnly('g'));
      region.port(1, 1, ['g']);
      region.port(9, 9, ['g']);
      const [a] = (await region.hosts([1])) as [RecordingHost];
      region.gateway(9);
      await region.pass();
      expect(a.names).toEqual(['p9']);
      const [b] = (await region.hosts([2])) as [RecordingHost];
      expect(b.names).toEqual(['p9']);
      region.idle(a, ['p9']);
      region.unbind(9);
      await region.pass();
      region.port(8, 9, ['g']);
      await region.pass();
      expect([a.names, b.names]).toEqual([['p8'], ['p8']]);
    });

    it('acquaints those who know each other once a rule names a group', async () => {
      region.group('g', [egress, rule(Direction.INGRESS)]);
      for (const n of [1, 2]) region.port(n, 1, ['g']);
      region.port(11, 2, ['g']);
      const [a, b] = (await region.hosts([1, 2])) as [RecordingHost, RecordingHost];
      region.ask(a, 1, 11);
      expect(b.names).toEqual(['p1']);
      region.group('g', ownOnly('g'));
      await region.pass();
      expect(b.names).toEqual(['p1', 'p2']);
    });

    it('has the far host know the source before the asker may send', async () => {
      region.group('g', ownOnly('g'));
      region.port(1, 1, ['g']);
      region.port(2, 2, ['g']);
      const [a, b] = (await region.hosts([1, 2])) as [RecordingHost, RecordingHost];
      b.slow = true;
      region.ask(a, 1, 2);
      expect([a.names, b.names]).toEqual([[], ['p1']]);
      b.waiting.splice(0).forEach((run) => run());
      expect(a.names).toEqual(['p2']);
    });

    it('lets a host have its acquaintances again after its stream has ended', async () => {
      region.group('g', ownOnly('g'));
      for (const n of [1, 2]) region.port(n, 1, ['g']);
      region.port(11, 2, ['g']);
      const [a, b] = (await region.hosts([1, 2])) as [RecordingHost, RecordingHost];
      region.ask(a, 1, 11);
      region.onDemand.leave(vpcId, b);
      region.port(2, 1, ['g', 'h']);
      const again = new RecordingHost(2);
      await region.join(again);
      expect(again.names).toEqual(['p1', 'p2']);
    });

    it('has the far host told by the process that speaks for it, before the asker may send', async () => {
      const far = new OnDemandRegion(region);
      const near = new OnDemandRegion(region, {
        introduce: (hostIp, asked, done) => far.onDemand.introduced(`host${hostIp.split('.')[3]}`, asked, () => done()),
      });
      region.group('g', ownOnly('g'));
      for (const n of [1, 2]) region.port(n, 1, ['g']);
      region.port(11, 2, ['g']);
      const [a] = (await near.hosts([1])) as [RecordingHost];
      const [b] = (await far.hosts([2])) as [RecordingHost];
      b.slow = true;
      expect(near.ask(a, 1, 11).status).toBe('routable');
      expect([a.names, b.names]).toEqual([[], ['p1', 'p2']]);
      b.waiting.splice(0).forEach((run) => run());
      expect(a.names).toEqual(['p11']);
      region.port(3, 1, ['g']);
      await region.pass();
      expect(b.names).toEqual(['p1', 'p2', 'p3']);
      expect(far.onDemand.counters.answers.routable).toBe(0);
    });

    it('has both forget when neither uses the other, and not before', async () => {
      region.group('g', ownOnly('g'));
      for (const n of [1, 2]) region.port(n, 1, ['g']);
      for (const n of [11, 12]) region.port(n, 2, ['g']);
      const [a, b] = (await region.hosts([1, 2])) as [RecordingHost, RecordingHost];
      region.ask(a, 1, 11);
      region.idle(a, ['p11', 'p12']);
      region.idle(b, ['p1']);
      expect([a.names, b.names]).toEqual([
        ['p11', 'p12'],
        ['p1', 'p2'],
      ]);
      await region.pass(60_000);
      region.idle(b, ['p1', 'p2']);
      expect(b.names).toEqual(['p1', 'p2']);
      region.idle(a, ['p11', 'p12']);
      expect([a.names, b.names]).toEqual([[], []]);
      expect(region.onDemand.counters.learnt).toBe(0);
      region.ask(b, 11, 1);
      expect([a.names, b.names]).toEqual([
        ['p11', 'p12'],
        ['p1', 'p2'],
      ]);
    });

    it('takes back what nobody uses at once where no rule asks for it', async () => {
      for (const n of [1, 2, 3]) region.port(n, n);
      const [a, b] = (await region.hosts([1, 2])) as [RecordingHost, RecordingHost];
      region.ask(a, 1, 2);
      region.ask(a, 1, 3);
      region.idle(a, ['p2']);
      expect([a.names, b.names]).toEqual([['p3'], ['p1']]);
      region.port(2, 3);
      await region.pass();
      expect(a.names).toEqual(['p3']);
    });
  });

  it('follows what a host held when its stream began, or everything where it was told everything before', async () => {
    for (let n = 1; n <= 4; n++) region.port(n, n);
    const [some, all] = [new RecordingHost(5), new RecordingHost(6)];
    await region.join(some, ['p1', 'gone']);
    await region.join(all, 'everything');
    expect([some.names, all.names]).toEqual([['p1'], ['p1', 'p2', 'p3', 'p4']]);
    region.port(1, 9);
    await region.pass();
    expect([some.held.get('vpc/p1'), all.held.get('vpc/p1')]).toEqual(['172.16.0.9', '172.16.0.9']);
  });

  it('forgets a network that nobody is in any more, after a while', async () => {
    region.port(1, 1);
    const [a] = (await region.hosts([1])) as [RecordingHost];
    region.onDemand.leave(vpcId, a);
    await region.pass(30_000);
    await region.join(a);
    expect(region.onDemand.counters).toMatchObject({ vpcs: 1, neighbors: 1 });
    region.onDemand.leave(vpcId, a);
    await region.pass(61_000);
    expect(region.onDemand.counters).toMatchObject({ vpcs: 0, neighbors: 0, learnt: 0 });
  });

  it('finds the way by routers: connected subnets, routes by a next hop, the longest prefix', async () => {
    const subnet = (id: string, vpc: string, cidr: string): void =>
      region.put(vpc, { kind: 'subnet', state: SubnetConfiguration.fromPartial({ id, vpcId: vpc, cidr }) });
    region.vpc('far', 8);
    subnet('near-subnet', vpcId, '10.0.0.0/25');
    subnet('far-subnet', 'far', '10.0.0.128/25');
    region.port(1, 1);
    region.port(200, 2, [], 'far');
    region.port(201, 3, [], 'far');
    const state = RouterConfiguration.fromPartial({
      id: 'router',
      vpcId,
      interfaces: [
        { vpcId, fixedIps: [{ subnetId: 'near-subnet' }] },
        { vpcId: 'far', fixedIps: [{ subnetId: 'far-subnet' }] },
      ],
      subnetRoutingTables: [{ routingRules: [{ destination: '192.0.2.0/24', nextHopIp: '10.0.0.201' }] }],
    });
    region.put(vpcId, { kind: 'router', state });
    const [a, b] = (await region.hosts([1, 2])) as [RecordingHost, RecordingHost];
    await region.join(a, [], 'far');
    await region.join(b, [], 'far');
    expect(region.ask(a, 1, 200)).toMatchObject({ status: 'routable', neighborId: 'p200' });
    expect([[...a.held.keys()], [...b.held.keys()]]).toEqual([['far/p200'], ['vpc/p1']]);
    expect(region.onDemand.ask('host1', question('10.0.0.1', '192.0.2.5'))).toMatchObject({ neighborId: 'p201' });
    expect(region.onDemand.ask('host1', question('10.0.0.1', '198.51.100.1')).status).toBe('not-routable');
    region.put(vpcId, { kind: 'router', state: { ...state, adminStateDown: true } });
    expect(region.ask(a, 1, 200).status).toBe('not-routable');
  });
});

describe('what hosts hold, after any history', () => {
  const port = fc.integer({ min: 1, max: 8 });
  const host = fc.integer({ min: 1, max: 4 });
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('port' as const), port, host, inGroup: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('unbind' as const), port }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), from: port, to: port }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('idle' as const), host, of: host }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), host }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('rules' as const), named: fc.boolean() }) },
  );

  it('is as it is meant, and whoever may send to a host is known there if a rule asks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const region = new OnDemandRegion(undefined, { predictedPerPort: 4 });
        const hosts = await region.hosts([1, 2, 3, 4]);
        const hostOf = new Map<number, number>();
        const members = new Set<string>();
        let named = false;
        for (const each of steps) {
          if (each.do === 'port') {
            region.port(each.port, each.host, each.inGroup ? ['g'] : []);
            hostOf.set(each.port, each.host);
            if (each.inGroup) members.add(`p${each.port}`);
            else members.delete(`p${each.port}`);
          } else if (each.do === 'unbind') {
            region.unbind(each.port);
            hostOf.delete(each.port);
            members.delete(`p${each.port}`);
          } else if (each.do === 'ask') {
            const asker = hosts[(hostOf.get(each.from) ?? 1) - 1]!;
            const { status } = region.ask(asker, each.from, each.to);
            expect(status === 'routable').toBe(hostOf.has(each.to));
            if (status === 'routable') expect(asker.names).toContain(`p${each.to}`);
          } else if (each.do === 'idle') {
            await region.pass();
            const all = hosts[each.host - 1]!;
            const ids = all.names.filter((id) => all.held.get(`${vpcId}/${id}`) === `172.16.0.${each.of}`);
            region.idle(all, ids);
          } else if (each.do === 'reconnect') {
            const before = hosts[each.host - 1]!;
            region.onDemand.leave(vpcId, before);
            const again = (hosts[each.host - 1] = new RecordingHost(each.host));
            await region.join(again, before.names);
          } else {
            region.group('g', each.named ? ownOnly('g') : [egress, rule(Direction.INGRESS)]);
            named = each.named;
          }
        }
        await region.pass();
        for (const one of hosts) {
          for (const [place, at] of one.held) {
            const n = Number(place.slice(`${vpcId}/p`.length));
            expect(at).toBe(`172.16.0.${hostOf.get(n)}`);
          }
          if (!named) continue;
          for (const other of hosts) {
            if (other === one) continue;
            const maySend = [...one.held.values()].includes(other.hostIp);
            const mine = [...members].filter((id) => `172.16.0.${hostOf.get(Number(id.slice(1)))}` === one.hostIp);
            if (maySend) expect(other.names).toEqual(expect.arrayContaining(mine));
          }
        }
        expect(region.onDemand.counters.learnt).toBe(hosts.reduce((sum, { held }) => sum + held.size, 0));
      }),
      { numRuns: 300 },
    );
  });
});
