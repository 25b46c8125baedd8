import { Agent, MemorySwitch } from '@alcor/agent';
import {
  encodeGoal,
  encodeWhole,
  type Goal,
  goalKey,
  type GoalStateOperationReply_GoalStateOperationStatus as OperationReport,
  HostRequest,
  HostRequest_ResourceStateRequest,
  multicastSubject,
  NeighborConfiguration,
  OperationStatus,
  PortConfiguration,
  requestGoalStates,
  type StatedGoal,
  topicOf,
  unicastSubject,
  VpcConfiguration,
  wholeSubject,
} from '@alcor/contract';
import {
  Bus,
  createMemoryQueue,
  createSchedule,
  createWorld,
  type MessageQueue,
  type Process,
  type Schedule,
  seededRandom,
  Topic,
  type World,
} from '@alcor/runtime';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigManager, type ManagedHost } from './config-manager.ts';

const forever = new AbortController().signal;
const vpcId = 'vpc';
const host: ManagedHost = { id: 'host', agentAddress: 'agent:50001', fence: 1 };

const vpc: Goal = { kind: 'vpc', state: VpcConfiguration.fromPartial({ id: vpcId, revisionNumber: 1, tunnelId: 7 }) };
const port: Goal = { kind: 'port', state: PortConfiguration.fromPartial({ id: 'port', revisionNumber: 1, vpcId }) };
const revised = (revisionNumber: number): Goal =>
  ({ ...port, state: { ...port.state, revisionNumber, macAddress: `fa:16:3e:00:00:0${revisionNumber}` } }) as Goal;
const neighbor = (id: string, ipAddress = ''): Goal => ({
  kind: 'neighbor',
  state: NeighborConfiguration.fromPartial({
    id,
    revisionNumber: 1,
    vpcId,
    hostIpAddress: '172.16.0.2',
    macAddress: 'fa:16:3e:00:00:02',
    fixedIps: ipAddress === '' ? [] : [{ ipAddress }],
  }),
});

/** A manager, one host with a real agent, and a message queue between them. */
describe('the config manager', () => {
  let schedule: Schedule;
  let world: World;
  let queue: MessageQueue;
  let goals: Bus<Goal>;
  let channels: Topic<{ readonly channel: 'grpc' | 'mq' | 'on-demand' }>;
  let agentProcess: Process;
  let agent: Agent;
  /** What the agent was told, as it takes it in. */
  let heard: (stated: StatedGoal) => void;
  let managerProcess: Process;
  let manager: ConfigManager;
  /** Calls and streams to the agent, and what it said about its readings. */
  let log: string[];
  let stop: AbortController;
  /** What the host said became of goals. */
  let reported: OperationReport[];

  beforeEach(async () => {
    schedule = createSchedule();
    log = [];
    reported = [];
    world = createWorld(schedule, seededRandom(1), (line) => log.push(line));
    queue = createMemoryQueue();
    goals = new Bus();
    channels = new Topic();
    heard = () => undefined;
    startAgent();
    for (const goal of [vpc, neighbor('a')]) goals.topic('vpc/vpc').put(goalKey(goal), goal);
    goals.topic('host/host').put(goalKey(port), port);
    await schedule.run(100);
    startManager();
  });

  function startAgent(): void {
    agentProcess = world.start('agent');
    agent = new Agent({
      runtime: agentProcess.runtime,
      switch: new MemorySwitch({ name: 'host' }),
      hostIp: '172.16.0.1',
      log: () => {},
      openQueue: () => ({ ...queue, read: queue.read.bind(queue), close: async () => {} }),
      observe: (stated) => heard(stated),
    });
    void agent.start(host.agentAddress, AbortSignal.any([forever]));
  }

  function startManager(): void {
    stop = new AbortController();
    const hosts = new Topic<ManagedHost>();
    hosts.put(host.id, host);
    managerProcess = world.start('manager');
    manager = new ConfigManager({
      runtime: managerProcess.runtime,
      goals,
      hosts,
      channels,
      queueUrl: 'queue',
      onReport: (_, report) => reported.push(report),
      log: (message) => log.push(message),
    });
    void manager.run(stop.signal);
  }

  async function publish(...all: readonly Goal[]): Promise<void> {
    const writer = await queue.openWriter(topicOf(vpcId), 1, forever);
    const messages = all.map((goal) => ({
      subject: goal.kind === 'port' ? unicastSubject(host.id, goal) : multicastSubject(goal),
      payload: encodeGoal({ goal, removed: false }),
    }));
    const whole = { subject: wholeSubject, payload: encodeWhole(vpcId, true) };
    await writer.publish([...messages, whole], forever);
  }

  const held = (): string[] => [...agent.held.goals(vpcId).keys()].toSorted();
  const channelOf = (): unknown => manager.goalStates('host')?.vpcs.map(({ channel, reason }) => [channel, reason]);
  const opened = (): number => log.filter((line) => line === 'manager opens agent:50001').length;

  it('is refused with what is older than the host holds, and tells the newest as soon as it knows it', async () => {
    await schedule.run(5_000);
    const say = async (revision: number): Promise<unknown[]> => {
      reported.length = 0;
      goals.topic('host/host').put(goalKey(port), revised(revision));
      await schedule.run(1_000);
      const verdicts = reported.map((each) => [each.revisionNumber, each.operationStatus, each.reason]);
      return [verdicts.at(0), agent.held.find('port')?.state.revisionNumber];
    };
    // Another process, that knew more, has spoken to the host.
    agent.held.apply(agent.held.openStream(), [{ goal: revised(5), removed: false }]);
    await agent.dataplane.flush(forever);
    expect(await say(3)).toEqual([[3, OperationStatus.OUT_OF_ORDER, 'revision 5 is held'], 5]);
    expect(await say(6)).toMatchObject([[6, OperationStatus.PENDING, expect.any(String)], 6]);
  });

  it('tells by the stream, and says how far', async () => {
    await schedule.run(5_000);
    expect(held()).toEqual(['neighbor/a', 'port/port', 'vpc/vpc']);
    expect(manager.host('host')?.state).toBe('synchronised');
    expect(manager.goalStates('host')).toMatchObject({
      own: { wanted: 1, sent: 1, applied: 1 },
      vpcs: [{ vpcId, channel: 'grpc', wanted: 2, sent: 2, applied: 2 }],
    });
    expect(manager.hostsIn(vpcId)).toEqual(['host']);
  });

  it('tells on demand what the host asks for, and all that it has of a VPC that comes to be told so', async () => {
    const [kept, asked] = [neighbor('a', '10.0.0.1'), neighbor('b', '10.0.0.2')];
    goals.topic('vpc/vpc/common').put(goalKey(vpc), vpc);
    goals.topic('vpc/vpc').put(goalKey(kept), kept);
    const address = 'manager:9016';
    void manager.answer(address, forever);
    await schedule.run(100);
    world.cut(host.agentAddress);
    await schedule.run(5_000);
    expect(held()).toEqual(['neighbor/a', 'port/port', 'vpc/vpc']);
    channels.put(vpcId, { channel: 'on-demand' });
    await schedule.run(5_000);
    expect(channelOf()).toEqual([['on-demand', '']]);
    goals.topic('vpc/vpc').put(goalKey(asked), asked);
    await schedule.run(5_000);
    expect(held()).toEqual(['neighbor/a', 'port/port', 'vpc/vpc']);

    const stateRequests = ['10.0.0.2', '10.0.0.3'].map((destinationIp) =>
      HostRequest_ResourceStateRequest.fromPartial({ requestId: destinationIp, tunnelId: 7, destinationIp }),
    );
    const request = HostRequest.fromPartial({ hostId: 'host', stateRequests });
    const asking = agentProcess.runtime.transport.call(requestGoalStates, address, request, forever);
    await schedule.run(5_000);
    expect((await asking).operationStatuses).toMatchObject([
      { requestId: '10.0.0.2', operationStatus: OperationStatus.SUCCESS, resourceId: 'b', reason: '' },
      { requestId: '10.0.0.3', operationStatus: OperationStatus.FAILURE, reason: 'nothing has the address' },
    ]);
    expect(held()).toEqual(['neighbor/a', 'neighbor/b', 'port/port', 'vpc/vpc']);
    manager.repush('host');
    await schedule.run(5_000);
    expect(held()).toEqual(['neighbor/a', 'neighbor/b', 'port/port', 'vpc/vpc']);
    channels.remove(vpcId, { channel: 'grpc' });
    goals.topic('vpc/vpc').put('neighbor/c', neighbor('c'));
    await schedule.run(5_000);
    expect(held()).toEqual(['neighbor/a', 'neighbor/b', 'neighbor/c', 'port/port', 'vpc/vpc']);
    expect(manager.onDemand).toMatchObject({ learnt: 0, answers: { routable: 1, 'not-routable': 1 } });
  });

  it('lets the host read the topic, and no longer tells it of the VPC', async () => {
    await publish(vpc, neighbor('a'), port);
    await schedule.run(5_000);
    channels.put(vpcId, { channel: 'mq' });
    await schedule.run(5_000);
    expect(channelOf()).toEqual([['mq', '']]);
    expect(manager.topics()).toEqual([
      {
        topic: 'vpc-vpc',
        hosts: [{ hostId: 'host', key: 'host', state: 'caught-up', position: 4, multicastPosition: 4 }],
      },
    ]);
    goals.topic('vpc/vpc').put('neighbor/b', neighbor('b'));
    await schedule.run(5_000);
    expect(held()).not.toContain('neighbor/b');
    await publish(neighbor('c'));
    await schedule.run(5_000);
    expect(held()).toContain('neighbor/c');
    expect(manager.goalStates('host')?.vpcs).toMatchObject([{ channel: 'mq', wanted: 6, applied: 6 }]);
  });

  it('tells by the stream again, from nothing, when the channel is gRPC again', async () => {
    await publish(vpc, neighbor('a'), port);
    channels.put(vpcId, { channel: 'mq' });
    await schedule.run(5_000);
    goals.topic('vpc/vpc').put('neighbor/b', neighbor('b'));
    channels.remove(vpcId, { channel: 'grpc' });
    await schedule.run(5_000);
    expect(held()).toEqual(['neighbor/a', 'neighbor/b', 'port/port', 'vpc/vpc']);
    expect([channelOf(), manager.topics()]).toEqual([[['grpc', '']], []]);
  });

  it('tells once more on demand when the host had still read the topic at the first time', async () => {
    goals.topic('vpc/vpc/common').put(goalKey(vpc), vpc);
    await publish(vpc, neighbor('a'), port);
    void manager.answer('manager:9016', forever);
    await schedule.run(100);
    world.cut(host.agentAddress);
    channels.put(vpcId, { channel: 'mq' });
    await schedule.run(5_000);
    // The stream goes on; the call that has the host read no longer does not get through.
    vi.spyOn(managerProcess.runtime.transport, 'call').mockRejectedValueOnce(new Error('cannot be reached'));
    channels.put(vpcId, { channel: 'on-demand' });
    await schedule.run(200);
    expect(manager.topics()).toHaveLength(1);
    expect(manager.goalStates('host')?.vpcs).toMatchObject([{ channel: 'on-demand', wanted: 1, applied: 1 }]);
    await schedule.run(5_000);
    expect(manager.topics()).toEqual([]);
    expect(agent.onDemand.describe().networks).toBe(1);
  });

  it('serves a host whose subscription fails by the stream until it succeeds, and tries ever more rarely', async () => {
    channels.put(vpcId, { channel: 'mq' });
    await schedule.run(10_000);
    expect(held()).toEqual(['neighbor/a', 'port/port', 'vpc/vpc']);
    expect(channelOf()).toEqual([['subscribing', 'there is no vpc-vpc']]);
    const early = opened();
    await schedule.run(600_000);
    expect(opened() - early).toBeLessThan(25);
    await publish(vpc, neighbor('a'), port);
    await schedule.run(120_000);
    expect(channelOf()).toEqual([['mq', '']]);
  });

  it('serves by the stream what the queue has lost', async () => {
    await publish(vpc, neighbor('a'), port);
    channels.put(vpcId, { channel: 'mq' });
    await schedule.run(5_000);
    goals.topic('vpc/vpc').put('neighbor/b', neighbor('b'));
    await queue.drop(topicOf(vpcId), forever);
    await schedule.run(5_000);
    expect(held()).toContain('neighbor/b');
  });

  it('takes subscriptions over after a restart, without a call to the host', async () => {
    await publish(vpc, neighbor('a'), port);
    channels.put(vpcId, { channel: 'mq' });
    await schedule.run(5_000);
    stop.abort();
    await schedule.run(1_000);
    const before = opened();
    startManager();
    await schedule.run(5_000);
    expect([opened() - before, channelOf()]).toEqual([1, [['mq', '']]]);
    expect(manager.topics().map(({ hosts }) => hosts.map(({ position }) => position))).toEqual([[4]]);
    expect(manager.host('host')?.state).toBe('synchronised');
  });

  it('has a host that leaves the VPC read no longer and forget it', async () => {
    await publish(vpc, neighbor('a'), port);
    channels.put(vpcId, { channel: 'mq' });
    await schedule.run(5_000);
    goals.topic('host/host').remove(goalKey(port), port);
    await schedule.run(5_000);
    expect([[...agent.held.vpcs], manager.topics(), manager.hostsIn(vpcId)]).toEqual([[], [], []]);
  });

  describe('after a restart', () => {
    /** Goals that the agent was told of, by revision. */
    let told: string[];

    async function restart(change: () => void = () => undefined): Promise<void> {
      await schedule.run(5_000);
      stop.abort();
      await schedule.run(1_000);
      change();
      told.length = 0;
      startManager();
      await schedule.run(5_000);
      expect(manager.host('host')?.state).toBe('synchronised');
    }

    beforeEach(() => {
      told = [];
      heard = ({ goal, removed }) => told.push(`${removed ? 'not ' : ''}${goalKey(goal)}`);
      for (let n = 0; n < 200; n++) goals.topic('vpc/vpc').put(`neighbor/n${n}`, neighbor(`n${n}`));
    });

    it('tells nothing to a host that holds what is meant', async () => {
      await restart();
      expect([told, held().length]).toEqual([[], 203]);
      goals.topic('vpc/vpc').put('neighbor/b', neighbor('b'));
      await schedule.run(1_000);
      expect(told).toEqual(['neighbor/b']);
      expect(manager.goalStates('host')).toMatchObject({
        own: { wanted: 1, sent: 1, applied: 1 },
        vpcs: [{ vpcId, wanted: 203, sent: 203, applied: 203 }],
      });
    });

    it('tells what has changed meanwhile and what is near it, and has the host forget what is gone', async () => {
      await restart(() => {
        goals.topic('vpc/vpc').put('neighbor/b', neighbor('b'));
        goals.topic('vpc/vpc').remove('neighbor/n7', neighbor('n7'));
      });
      expect(told).toContain('neighbor/b');
      expect(told.length).toBeLessThan(100);
      expect(held().length).toBe(203);
      expect(held()).not.toContain('neighbor/n7');
    });

    it('tells a VPC from nothing of which something else is held than was offered', async () => {
      const offer = agent.held.offer.bind(agent.held);
      await restart(() => {
        // Between the offer and the word on it somebody else speaks to the host.
        agent.held.offer = (source) => {
          const offers = offer(source);
          agent.held.apply(agent.held.openStream(), [{ goal: neighbor('stray'), removed: false }]);
          return offers;
        };
      });
      expect(held().length).toBe(203);
      expect(held()).not.toContain('neighbor/stray');
      expect(told.length).toBeGreaterThan(203);
    });

    it('tells everything to an agent that has started anew', async () => {
      await schedule.run(5_000);
      stop.abort();
      agentProcess.kill();
      await schedule.run(1_000);
      startAgent();
      await schedule.run(100);
      told.length = 0;
      startManager();
      await schedule.run(5_000);
      expect([told.length, held().length]).toEqual([203, 203]);
    });
  });
});
