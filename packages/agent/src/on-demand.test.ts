import { setMaxListeners } from 'node:events';
import {
  addGoal,
  emptyGoalState,
  GatewayConfiguration,
  type Goal,
  NeighborConfiguration,
  OperationStatus,
  PortConfiguration,
  RouterConfiguration,
  SubnetConfiguration,
  VpcConfiguration,
} from '@alcor/contract';
import { ipv4, mac } from '@alcor/openflow';
import { createSchedule, createWorld, type Process, type Schedule, seededRandom } from '@alcor/runtime';
import { beforeEach, describe, expect, test } from 'vitest';
import { Agent } from './agent.ts';
import { onDemandInWords } from './on-demand-counters.ts';
import { Fabric, icmpEcho, MemorySwitch, type Packet, type Vm, type VmSpec } from './dataplane/index.ts';
import { Manager } from './testing/on-demand-manager.ts';

const forever = new AbortController().signal;
setMaxListeners(0, forever);
const vpcId = 'vpc';
const A = '192.0.2.1';
const B = '192.0.2.2';
const ipOf = (n: number): string => `10.0.${n >> 8}.${n & 0xff}`;
const macOf = (n: number): string =>
  `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 0xff).toString(16).padStart(2, '0')}`;

function neighbor(n: number, hostIpAddress: string, of = vpcId, ipAddress = ipOf(n)): Goal {
  const fixedIps = [{ subnetId: 'subnet', ipAddress }];
  const state = { id: `n${n}`, vpcId: of, revisionNumber: 1, macAddress: macOf(n), hostIpAddress, fixedIps };
  return { kind: 'neighbor', state: NeighborConfiguration.fromPartial(state) };
}

function port(n: number, of = vpcId, ipAddress = ipOf(n)): Goal {
  const fixedIps = [{ subnetId: 'subnet', ipAddress }];
  const switched = { adminStateUp: true, portSecurityDisabled: true };
  const state = { id: `n${n}`, vpcId: of, revisionNumber: 1, macAddress: macOf(n), fixedIps, ...switched };
  return { kind: 'port', state: PortConfiguration.fromPartial(state) };
}

const vpc: Goal = { kind: 'vpc', state: VpcConfiguration.fromPartial({ id: vpcId, revisionNumber: 1, tunnelId: 7 }) };
const farVpc: Goal = {
  kind: 'vpc',
  state: VpcConfiguration.fromPartial({ id: 'far', revisionNumber: 1, tunnelId: 8 }),
};

function subnet(of: string, cidr: string): Goal {
  return { kind: 'subnet', state: SubnetConfiguration.fromPartial({ id: of, vpcId: of, revisionNumber: 1, cidr }) };
}

function on(network: string, n: number, ipAddress: string) {
  return { vpcId: network, macAddress: macOf(n), fixedIps: [{ subnetId: network, ipAddress }] };
}

function gatewayAt(ipAddress: string): Goal {
  const state = { id: 'gateway', vpcId, revisionNumber: 1, destinations: [{ ipAddress }] };
  return { kind: 'gateway', state: GatewayConfiguration.fromPartial(state) };
}

/** The copy for one VPC of a router between the two. */
function router(of: string): Goal {
  const interfaces = [on(vpcId, 254, '10.0.255.254'), on('far', 255, '10.1.255.254')];
  return {
    kind: 'router',
    state: RouterConfiguration.fromPartial({ id: 'r', vpcId: of, revisionNumber: 1, interfaces }),
  };
}

function guest(n: number, ip: string): VmSpec {
  return { id: `n${n}`, mac: macOf(n), ips: [ip] };
}

const whole = { begunVpcs: [vpcId], completedVpcs: [vpcId], onDemandVpcs: [vpcId], complete: true };

describe('neighbours on demand', () => {
  let schedule: Schedule;
  let agents: Map<string, Agent>;
  let managers: Map<string, Manager>;
  let fabric: Fabric;
  let switches: Map<string, MemorySwitch>;
  /** A host with an agent, which its manager has told nothing yet. */
  let join: (host: string) => Promise<Manager>;
  /** A process that no manager runs in yet. */
  let another: Process;
  let one: Vm;
  let two: Vm;

  beforeEach(async () => {
    schedule = createSchedule();
    const world = createWorld(schedule, seededRandom(1), () => {});
    const process = world.start('manager');
    another = world.start('another manager');
    fabric = new Fabric();
    agents = new Map();
    managers = new Map();
    switches = new Map();
    join = async (host) => {
      const memory = new MemorySwitch({ name: host });
      const { runtime } = world.start(host);
      const onDemandLimits = { unheardMs: 60_000 };
      const agent = new Agent({ runtime, switch: memory, hostIp: host, log: () => {}, onDemandLimits });
      fabric.addHost(host, memory);
      const started = agent.start(`agent:${host}`, forever);
      await schedule.run(100);
      await started;
      const manager = new Manager();
      const connected = manager.connect(process, schedule, host);
      await schedule.run(100);
      await connected;
      agents.set(host, agent);
      managers.set(host, manager);
      switches.set(host, memory);
      return manager;
    };
    for (const [host, n] of [
      [A, 1],
      [B, 2],
    ] as const)
      (await join(host)).send(whole, vpc, port(n));
    one = fabric.addVm(A, guest(1, ipOf(1)));
    two = fabric.addVm(B, guest(2, ipOf(2)));
    await schedule.run(100);
  });

  const manager = (): Manager => managers.get(A)!;
  const agent = (): Agent => agents.get(A)!;
  /** The one guest sends to the other all the time. */
  async function useFor(seconds: number): Promise<void> {
    for (let s = 0; s < seconds; s += 10) {
      fabric.send(one, echo(one, 2));
      await schedule.run(10_000);
    }
  }
  const counters = () => agent().onDemand.describe().counters;

  /** As a manager does: the asker is told of the destination, and its host of the asker. */
  function learning(lifetimeMs = 60_000): void {
    manager().answer = ({ destinationIp }) => {
      const n = Number(destinationIp.split('.').at(-1));
      const tell = (): void => {
        managers.get(B)!.send({}, neighbor(1, A));
        manager().send({}, neighbor(n, B));
      };
      return { operationStatus: OperationStatus.SUCCESS, lifetimeMs, resourceId: `n${n}`, tell };
    };
  }

  test('where a gateway has the VPC a first ping goes by it, once, while the direct path is asked for', async () => {
    learning();
    const G = '192.0.2.3';
    const told = { begunVpcs: [vpcId], completedVpcs: [vpcId], complete: true };
    (await join(G)).send(told, vpc, gatewayAt(G), neighbor(1, A), neighbor(2, B));
    for (const host of [A, B]) managers.get(host)!.send({}, gatewayAt(G));
    await schedule.run(100);
    const first = fabric.ping(one, ipOf(2));
    expect(first).toMatchObject({ ok: true });
    expect(first.path).toContain(`${G}:1`);
    expect(counters()).toMatchObject({ forwarded: 1, questions: 1 });
    await schedule.run(100);
    expect(two.received.filter(({ icmpv4_type }) => icmpv4_type === 8)).toHaveLength(1);
    const next = fabric.ping(one, ipOf(2));
    expect(next).toMatchObject({ ok: true, path: [`${A}:2`, `${A}:1`, `${B}:1`, `${B}:2`] });
    expect(agents.get(G)!.onDemand.describe()).toMatchObject({ networks: 0, counters: { packets: 0 } });
    expect(agent().onDemand.describe()).toMatchObject({ held: 0 });

    // It is no gateway any more: who is not known is waited for.
    for (const host of [A, B, G]) {
      const removed = emptyGoalState();
      addGoal(removed, { goal: gatewayAt(G), removed: true });
      managers.get(host)!.send(removed);
    }
    await schedule.run(100);
    expect(
      switches
        .get(G)!
        .entries()
        .filter(({ flow }) => flow.table === 40),
    ).toEqual([]);
    one.neighbours.set(ipOf(9), 0x020000000009);
    fabric.ping(one, ipOf(9));
    expect(counters()).toMatchObject({ forwarded: 1 });
    expect(agent().onDemand.describe()).toMatchObject({ held: 1 });
  });

  test('a first ping waits for its question to be answered and is not lost', async () => {
    learning();
    expect(fabric.ping(one, ipOf(2))).toMatchObject({ ok: false });
    expect(agent().onDemand.describe()).toMatchObject({ networks: 1, held: 1, learnt: 0 });
    await schedule.run(100);
    // The VM's own question for the MAC was answered: it can send now.
    expect(one.neighbours.get(ipOf(2))).toBe(two.macNumber);
    expect(fabric.ping(one, ipOf(2))).toMatchObject({ ok: true });
    expect(manager().asked).toMatchObject([{ tunnelId: 7, sourceIp: ipOf(1), destinationIp: ipOf(2) }]);
    expect(counters()).toMatchObject({ packets: 1, questions: 1, routable: 1, released: 1 });
    const { counters: counted, ...sizes } = agent().onDemand.describe();
    expect(onDemandInWords(sizes, counted)).toBe(
      'on demand: networks 1, learnt 1, packets held 0, refusals 0; since the start: packets 1, released 1, questions 1, routable 1',
    );
  });

  test('what is sent to a MAC that is not known here any more goes on when it is', async () => {
    learning();
    one.neighbours.set(ipOf(2), two.macNumber);
    fabric.ping(one, ipOf(2));
    await schedule.run(100);
    expect(two.received.filter(({ icmpv4_type }) => icmpv4_type === 8)).toHaveLength(1);
    expect(one.received.filter(({ icmpv4_type }) => icmpv4_type === 0)).toHaveLength(1);
  });

  test('packets for one destination ask once, and a few of them wait', async () => {
    learning();
    for (let n = 0; n < 40; n++) fabric.send(one, echo(one, 2));
    await schedule.run(100);
    expect(manager().asked).toHaveLength(1);
    expect(counters()).toMatchObject({ packets: 40, questions: 1, released: 32, crowded: 8 });
    expect(two.received.filter(({ icmpv4_type }) => icmpv4_type === 8)).toHaveLength(32);
  });

  test('questions of one moment go in one message', async () => {
    let messages = 0;
    const { answer } = manager();
    manager().answer = (question) => {
      if (manager().asked.at(-1) === question) messages++;
      return answer(question);
    };
    for (let n = 3; n < 203; n++) fabric.send(one, echo(one, n));
    await schedule.run(100);
    expect(manager().asked).toHaveLength(200);
    expect(messages).toBe(1);
  });

  test('questions go by one stream, and by another when that breaks', async () => {
    for (let n = 3; n < 13; n++) {
      fabric.send(one, echo(one, n));
      await schedule.run(10);
    }
    expect(manager()).toMatchObject({ streams: 1, asked: { length: 10 } });
    const { answer } = manager();
    manager().answer = () => {
      manager().answer = answer;
      throw new Error('a manager that stumbles');
    };
    fabric.send(one, echo(one, 13));
    await schedule.run(1_000);
    expect(manager()).toMatchObject({ streams: 2, asked: { length: 12 } });
    expect(counters()).toMatchObject({ questions: 12, unanswered: 1, notRoutable: 11 });
  });

  test('who cannot be reached is not asked for again for a while', async () => {
    fabric.ping(one, ipOf(9));
    await schedule.run(100);
    fabric.ping(one, ipOf(9));
    await schedule.run(100);
    expect(manager().asked).toHaveLength(1);
    expect(counters()).toMatchObject({ packets: 2, questions: 1, notRoutable: 1, refused: 2 });
    await schedule.run(1_000);
    fabric.ping(one, ipOf(9));
    await schedule.run(100);
    expect(manager().asked).toHaveLength(2);
  });

  test('what one may not reach another may', async () => {
    const other = { ...one, macNumber: 0x020000000005, ips: [ipOf(5)] };
    const refusing = manager().answer;
    learning();
    const answer = manager().answer;
    manager().answer = (question) => (question.sourceIp === ipOf(1) ? refusing(question) : answer(question));
    fabric.send(one, echo(one, 2));
    fabric.send(one, echo(other, 2));
    await schedule.run(100);
    expect(manager().asked.map(({ sourceIp }) => sourceIp)).toEqual([ipOf(1), ipOf(5)]);
    expect(two.received.filter(({ icmpv4_type }) => icmpv4_type === 8)).toMatchObject([{ eth_src: other.macNumber }]);
  });

  test('who is put off asks again, and so does who gets no answer', async () => {
    let times = 0;
    learning();
    const { answer } = manager();
    manager().answer = (question) => {
      times++;
      if (times === 1) return { operationStatus: OperationStatus.PENDING, lifetimeMs: 50 };
      if (times === 2) throw new Error('a manager that stumbles');
      return answer(question);
    };
    fabric.send(one, echo(one, 2));
    await schedule.run(1_000);
    expect(times).toBe(3);
    expect(counters()).toMatchObject({ questions: 3, putOff: 1, unanswered: 1, routable: 1, released: 1, expired: 0 });
  });

  test('a packet that nobody answers for is let go of, and the next one asks again', async () => {
    manager().answer = () => ({ operationStatus: OperationStatus.SUCCESS, lifetimeMs: 60_000, resourceId: 'n2' });
    fabric.send(one, echo(one, 2));
    await schedule.run(4_000);
    expect(agent().onDemand.describe()).toMatchObject({ held: 0, counters: { expired: 1, released: 0 } });
    learning();
    fabric.send(one, echo(one, 2));
    await schedule.run(100);
    expect(counters()).toMatchObject({ released: 1 });
  });

  test('a network asks no more than its share, and what waits is bounded', async () => {
    manager().answer = () => ({ operationStatus: OperationStatus.PENDING, lifetimeMs: 10_000 });
    for (let n = 3; n < 3_003; n++) fabric.send(one, echo(one, n));
    await schedule.run(100);
    const { held, counters: counted } = agent().onDemand.describe();
    expect(held).toBe(1_000);
    expect(counted.questions).toBe(1_000);
    expect(counted.limited + counted.crowded).toBe(2_000);
    await schedule.run(20_000);
    expect(agent().onDemand.describe().held).toBe(0);
  });

  test('a neighbour that nothing uses is held, and named as long as that is so, until the manager takes it back; one in use stays', async () => {
    learning(60_000);
    fabric.send(one, echo(one, 2));
    fabric.send(one, echo(one, 3));
    await schedule.run(100);
    expect(agent().onDemand.describe().learnt).toBe(2);
    await useFor(120);
    const idle = manager().replies.flatMap(({ forgotten }) => forgotten);
    expect(idle.length).toBeGreaterThan(1);
    for (const each of idle) expect(each).toEqual({ vpcId, id: 'n3', used: true });
    expect(agent().held.goals(vpcId).has('neighbor/n3')).toBe(true);
    manager().takeBack(neighbor(3, B));
    await schedule.run(100);
    expect(agent().held.goals(vpcId).has('neighbor/n3')).toBe(false);
    expect(agent().held.goals(vpcId).has('neighbor/n2')).toBe(true);
    // And it is learnt again when it is wanted again.
    fabric.send(one, echo(one, 3));
    await schedule.run(100);
    expect(agent().held.goals(vpcId).has('neighbor/n3')).toBe(true);
  });

  test('a neighbour that was told unasked is named as one that nothing has ever used, if that is so', async () => {
    learning();
    manager().send({}, neighbor(2, B), neighbor(3, B));
    await schedule.run(100);
    await useFor(400);
    const idle = manager().replies.flatMap(({ forgotten }) => forgotten);
    expect(idle.length).toBeGreaterThan(0);
    for (const each of idle) expect(each).toEqual({ vpcId, id: 'n3', used: false });
    expect(manager().asked).toEqual([]);
  });

  test('once nobody speaks to the host, what it has learnt is used for a while and no longer', async () => {
    learning(60_000);
    fabric.send(one, echo(one, 2));
    await useFor(200);
    expect(agent().held.goals(vpcId).has('neighbor/n2')).toBe(true);
    manager().leave();
    await useFor(50);
    expect(agent().held.goals(vpcId).has('neighbor/n2')).toBe(true);
    await useFor(30);
    expect(agent().held.goals(vpcId).has('neighbor/n2')).toBe(false);
    expect(agent().held.goals(vpcId).has('port/n1')).toBe(true);
    expect(counters()).toMatchObject({ outlived: 1 });
  });

  test('who speaks to the host again and has said everything vouches for what it has learnt', async () => {
    learning(60_000);
    fabric.send(one, echo(one, 2));
    await useFor(10);
    manager().leave();
    await useFor(50);
    const connected = manager().connect(another, schedule, A);
    await schedule.run(100);
    await connected;
    manager().send({ onDemandVpcs: [vpcId], verifiedVpcs: [vpcId], complete: true });
    await useFor(200);
    expect(agent().held.goals(vpcId).has('neighbor/n2')).toBe(true);
    expect(counters()).toMatchObject({ outlived: 0 });
  });

  test('broadcasts, groups and strangers are not asked for', async () => {
    fabric.send(one, { ...echo(one, 2), eth_dst: 0xffffffffffff });
    fabric.send(one, { ...echo(one, 2), eth_dst: 0x333300000001 });
    await schedule.run(100);
    expect(counters()).toMatchObject({ packets: 0 });
    learning();
    fabric.send(one, echo(one, 2));
    await schedule.run(2_000);
    // Its address is known by now, with another MAC: that nobody has.
    fabric.send(one, { ...echo(one, 2), eth_dst: 0x02ff00000000 });
    await schedule.run(100);
    expect(counters()).toMatchObject({ packets: 2, questions: 1, strays: 1 });
  });

  test('a router asks for the destination in its own network, on the way there and back', async () => {
    const shared = [router(vpcId), subnet(vpcId, '10.0.0.0/16'), farVpc, router('far'), subnet('far', '10.1.0.0/16')];
    const far = { begunVpcs: ['far'], completedVpcs: ['far'], onDemandVpcs: ['far'] };
    manager().send(far, ...shared);
    managers.get(B)!.send(far, ...shared, port(3, 'far', '10.1.0.3'));
    const near = fabric.addVm(A, { ...guest(1, ipOf(1)), subnets: [{ cidr: '10.0.0.0/16', gateway: '10.0.255.254' }] });
    const there = fabric.addVm(B, {
      ...guest(3, '10.1.0.3'),
      subnets: [{ cidr: '10.1.0.0/16', gateway: '10.1.255.254' }],
    });
    const told = { operationStatus: OperationStatus.SUCCESS, lifetimeMs: 60_000 };
    manager().answer = () => ({ ...told, tell: () => manager().send({}, neighbor(3, B, 'far', '10.1.0.3')) });
    managers.get(B)!.answer = () => ({ ...told, tell: () => managers.get(B)!.send({}, neighbor(1, A)) });
    await schedule.run(100);
    fabric.ping(near, '10.1.0.3');
    await schedule.run(100);
    expect(manager().asked).toMatchObject([{ tunnelId: 8, sourceIp: ipOf(1), destinationIp: '10.1.0.3' }]);
    expect(managers.get(B)!.asked).toMatchObject([{ tunnelId: 7, sourceIp: '10.1.0.3', destinationIp: ipOf(1) }]);
    expect(there.received.filter(({ icmpv4_type }) => icmpv4_type === 8)).toHaveLength(1);
    expect(near.received.filter(({ icmpv4_type }) => icmpv4_type === 0)).toHaveLength(1);
  });

  test('a VPC that is told in full again asks nothing once it is told', async () => {
    manager().send({ begunVpcs: [vpcId] }, vpc, port(1), neighbor(2, B));
    await schedule.run(100);
    fabric.send(one, echo(one, 3));
    await schedule.run(100);
    expect(manager().asked).toHaveLength(1);
    manager().send({ completedVpcs: [vpcId] });
    await schedule.run(100);
    fabric.send(one, echo(one, 4));
    await schedule.run(100);
    expect(manager().asked).toHaveLength(1);
    expect(agent().onDemand.describe()).toMatchObject({ networks: 0, learnt: 0 });
  });
});

function echo(from: Pick<Vm, 'macNumber' | 'ips'>, n: number): Packet {
  const to = { mac: mac(macOf(n)), ip: ipv4(ipOf(n)) };
  return icmpEcho('request', { mac: from.macNumber, ip: ipv4(from.ips[0]!) }, to);
}
