import {
  EtherType,
  RouterConfiguration,
  SecurityGroupConfiguration_Direction as Direction,
  SecurityGroupConfiguration_SecurityGroupRule as Rule,
  SubnetConfiguration,
} from '@alcor/contract';
import { beforeEach, describe, expect, it } from 'vitest';
import { FairTurns } from './fair-turns.ts';
import { OnDemandRegion, RecordingHost, vpcId } from './testing/on-demand-region.ts';

const rule = (direction: Direction): Rule => Rule.fromPartial({ id: 'r', direction, ethertype: EtherType.IPV4 });

/** Services are ports 101, 102, … on host 100; clients 1, 2, … on hosts 1, 2, …. */
describe('neighbours that are told before they are asked for', () => {
  let region: OnDemandRegion;
  let questions: FairTurns;
  let hosts: RecordingHost[];

  beforeEach(async () => {
    region = new OnDemandRegion(undefined, { predictedPerPort: 3 });
    questions = region.questions;
    region.group('web', [rule(Direction.EGRESS), rule(Direction.INGRESS)]);
    for (let n = 101; n <= 106; n++) region.port(n, 100, ['service']);
    for (let n = 1; n <= 4; n++) region.port(n, n, ['web']);
    hosts = await region.hosts([1, 2, 3, 4, 5, 100]);
  });

  const host = (n: number): RecordingHost => hosts.find(({ hostId }) => hostId === `host${n}`)!;
  const counters = () => region.onDemand.counters.prediction;
  /** The first of the clients ask for these services. */
  const asked = (clients: number, ...services: readonly number[]): void => {
    for (let n = 1; n <= clients; n++)
      for (const service of services) expect(region.ask(host(n), n, service).status).toBe('routable');
  };

  it('are those that hosts with ports like it have asked for, and its host asks nothing', async () => {
    asked(3, 101);
    asked(2, 102);
    asked(1, 103);
    const before = region.onDemand.counters.answers;
    region.port(5, 5, ['web']);
    await region.pass();
    expect(host(5).names).toEqual(['p101', 'p102']);
    // And the other end knows it, for the way back.
    expect(host(100).names).toContain('p5');
    expect(region.onDemand.counters.answers).toEqual(before);
    expect(counters()).toMatchObject({ predicted: 2, open: 2, used: 0, wasted: 0 });
  });

  it('are told to none but the host of the port, and of other kinds of ports nobody', async () => {
    asked(4, 101);
    const told = hosts.map((each) => each.told);
    region.port(5, 5, ['other']);
    region.port(6, 5);
    await region.pass();
    expect(hosts.map((each) => each.told)).toEqual(told);
    region.port(7, 5, ['web']);
    await region.pass();
    expect(hosts.map((each, n) => each.told - told[n]!)).toEqual([0, 0, 0, 0, 1, 1]);
  });

  it('are so many and no more, the likeliest of them', async () => {
    asked(4, 104, 102);
    asked(3, 106);
    asked(2, 101, 103);
    region.port(5, 5, ['web']);
    await region.pass();
    expect(host(5).names).toEqual(['p102', 'p104', 'p106']);
  });

  it('are none where it is switched off', async () => {
    const off = new OnDemandRegion(undefined, { predictedPerPort: 0 });
    for (const n of [1, 2, 3]) off.port(n, n, ['web']);
    const [a, b, c] = (await off.hosts([1, 2, 4])) as [RecordingHost, RecordingHost, RecordingHost];
    off.ask(a, 1, 3);
    off.ask(b, 2, 3);
    off.port(4, 4, ['web']);
    await off.pass();
    expect(c.names).toEqual([]);
    expect(off.onDemand.counters.prediction).toMatchObject({ predicted: 0, remembered: 0 });
  });

  it('are not who is gone, who is on the same host, whom the host knows, or whom no rule lets it speak with', async () => {
    asked(2, 101, 102, 103, 104);
    region.unbind(101);
    region.port(102, 5, ['service']);
    region.group('service', [rule(Direction.INGRESS)]);
    region.group('web', [rule(Direction.INGRESS)]);
    region.port(103, 100);
    region.port(5, 5, ['web']);
    await region.pass();
    expect(host(5).names).toEqual(['p103']);
    const { told } = host(5);
    region.port(6, 5, ['web']);
    await region.pass();
    expect(host(5).told).toBe(told);
  });

  it('are none that the host has asked for itself', async () => {
    asked(2, 101);
    const { told } = host(1);
    region.port(5, 1, ['web']);
    await region.pass();
    expect(host(1).told).toBe(told);
    expect(counters().predicted).toBe(0);
  });

  it('are told when the host comes to be told of the VPC, if the port has come by then', async () => {
    asked(2, 101);
    region.port(6, 6, ['web']);
    await region.pass();
    const late = new RecordingHost(6);
    await region.join(late);
    await region.pass();
    expect(late.names).toEqual(['p101']);
    // The next stream to the host is told nothing of the kind.
    region.onDemand.leave(vpcId, late);
    const again = new RecordingHost(6);
    await region.join(again);
    await region.pass();
    expect(again.names).toEqual([]);
  });

  it('are told where a port moves to, and not when it changes', async () => {
    asked(2, 101);
    region.port(4, 4, ['web']);
    await region.pass();
    expect(host(4).names).toEqual([]);
    region.port(4, 5, ['web']);
    await region.pass();
    expect([host(4).names, host(5).names]).toEqual([[], ['p101']]);
  });

  it('are as what was asked for: told of changes, and taken back when nothing uses them', async () => {
    asked(2, 101, 102);
    region.port(5, 5, ['web']);
    await region.pass();
    region.port(101, 4, ['service']);
    await region.pass();
    expect(host(5).held.get('vpc/p101')).toBe('172.16.0.4');
    region.unbind(102);
    await region.pass();
    expect(host(5).names).toEqual(['p101']);
    region.idle(host(5), ['p101']);
    expect(host(5).names).toEqual([]);
  });

  it('are known to have been used or wasted, late or too late, and what is wasted is not told again for long', async () => {
    asked(2, 101, 102, 103);
    region.port(5, 5, ['web']);
    await region.pass();
    region.ask(host(5), 5, 103);
    expect(counters()).toMatchObject({ predicted: 3, late: 1, open: 2 });
    region.idle(host(5), ['p101']);
    region.idle(host(5), ['p102'], 'used');
    expect(counters()).toMatchObject({ predicted: 3, used: 1, wasted: 1, late: 1, open: 0 });
    // Hosts that need it not are no longer few.
    for (let n = 6; n <= 16; n++) {
      region.port(n, n, ['web']);
      const each = new RecordingHost(n);
      await region.join(each);
      await region.pass();
      if (each.names.includes('p101')) region.idle(each, ['p101']);
      expect(each.names).toEqual(expect.arrayContaining(['p102', 'p103']));
    }
    region.port(17, 17, ['web']);
    const last = new RecordingHost(17);
    await region.join(last);
    await region.pass();
    expect(last.names).toEqual(['p102', 'p103']);
  });

  it('count as used when the host has not said otherwise in time, and as nothing when they are gone by then', async () => {
    asked(2, 101, 102);
    region.port(5, 5, ['web']);
    await region.pass();
    region.unbind(102);
    await region.pass(361_000);
    expect(counters()).toMatchObject({ predicted: 2, used: 1, wasted: 0, open: 0 });
  });

  it('wait until no question waits', async () => {
    asked(2, 101);
    const order: string[] = [];
    for (let n = 0; n < 50; n++) void questions.run('tenant', 1, () => order.push(host(5).names.join(' ')));
    region.port(5, 5, ['web']);
    await region.pass();
    expect(order).toHaveLength(50);
    expect(new Set(order)).toEqual(new Set(['']));
    expect(host(5).names).toEqual(['p101']);
  });

  it('are found behind routers, too', async () => {
    const subnet = (id: string, of: string, cidr: string): void =>
      region.put(of, { kind: 'subnet', state: SubnetConfiguration.fromPartial({ id, vpcId: of, cidr }) });
    region.vpc('far', 8);
    subnet('near-subnet', vpcId, '10.0.0.0/25');
    subnet('far-subnet', 'far', '10.0.0.128/25');
    const interfaces = [
      { vpcId, fixedIps: [{ subnetId: 'near-subnet' }] },
      { vpcId: 'far', fixedIps: [{ subnetId: 'far-subnet' }] },
    ];
    for (const of of [vpcId, 'far']) {
      const state = RouterConfiguration.fromPartial({ id: 'router', vpcId: of, interfaces });
      region.put(of, { kind: 'router', state });
    }
    region.port(200, 100, [], 'far');
    for (const n of [1, 2, 5, 100]) await region.join(host(n), [], 'far');
    for (const n of [1, 2]) expect(region.ask(host(n), n, 200, 8).status).toBe('routable');
    region.port(5, 5, ['web']);
    await region.pass();
    expect([...host(5).held.keys()]).toEqual(['far/p200']);
  });
});
