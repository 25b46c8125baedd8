import { Agent, MemorySwitch } from '@alcor/agent';
import {
  encodeGoal,
  encodeWhole,
  type Goal,
  goalKey,
  HostRequest,
  HostRequest_ResourceStateRequest,
  multicastSubject,
  NeighborConfiguration,
  OperationStatus,
  PortConfiguration,
  requestGoalStates,
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
  type Runtime,
  type Schedule,
  seededRandom,
  Topic,
  type World,
} from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConfigManager, type ManagedHost } from './config-manager.ts';

const forever = new AbortController().signal;
const vpcId = 'vpc';
const host: ManagedHost = { id: 'host', agentAddress: 'agent:50001', fence: 1 };

const vpc: Goal = { kind: 'vpc', state: VpcConfiguration.fromPartial({ id: vpcId, revisionNumber: 1, tunnelId: 7 }) };
const port: Goal = { kind: 'port', state: PortConfiguration.fromPartial({ id: 'port', revisionNumber: 1, vpcId }) };
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
  let agent: Agent;
  let agentRuntime: Runtime;
  let manager: ConfigManager;
  /** Calls and streams to the agent, and what it said about its readings. */
  let log: string[];
  let stop: AbortController;

  beforeEach(async () => {
    schedule = createSchedule();
    log = [];
    world = createWorld(schedule, seededRandom(1), (line) => log.push(line));
    queue = createMemoryQueue();
    goals = new Bus();
    channels = new Topic();
    agentRuntime = world.start('agent').runtime;
    agent = new Agent({
      runtime: agentRuntime,
      switch: new MemorySwitch({ name: 'host' }),
      hostIp: '172.16.0.1',
      log: () => {},
      openQueue: () => ({ ...queue, read: queue.read.bind(queue), close: async () => {} }),
    });
    void agent.start(host.agentAddress, forever);
    for (const goal of [vpc, neighbor('a')]) goals.topic('vpc/vpc').put(goalKey(goal), goal);
    goals.topic('host/host').put(goalKey(port), port);
    await schedule.run(100);
    startManager();
  });

  function startManager(): void {
    stop = new AbortController();
    const hosts = new Topic<ManagedHost>();
    hosts.put(host.id, host);
    manager = new ConfigManager({
      runtime: world.start('manager').runtime,
      goals,
      hosts,
      channels,
      queueUrl: 'queue',
      onReport: () => {},
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
    const asking = agentRuntime.transport.call(requestGoalStates, address, request, forever);
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
});
