import {
  emptyGoalState,
  encodeGoal,
  encodeWhole,
  type Goal,
  GoalState,
  GoalStateOperationReply,
  GoalStateV2,
  hostKey,
  multicastSubject,
  NeighborConfiguration,
  NodeSubscribeInfo,
  OperationStatus,
  OperationType,
  PortConfiguration,
  pushGoalStatesStream,
  pushNetworkResourceStates,
  pushNodeSubscribeInfo,
  ResourceType,
  SubscribeOperation,
  type SubscribeOperationReply,
  SubscriptionState,
  topicOf,
  unicastSubject,
  VpcConfiguration,
  wholeSubject,
} from '@alcor/contract';
import {
  createMemoryQueue,
  createSchedule,
  createWorld,
  type MessageQueue,
  type OutgoingMessage,
  type Process,
  reliable,
  type Schedule,
  seededRandom,
  type Stream,
  type TopicWriter,
} from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { Agent } from './agent.ts';
import { MemorySwitch } from './dataplane/index.ts';

const forever = new AbortController().signal;
const hostId = 'host.1';
const vpcId = 'vpc';
const address = 'agent:50001';

const vpcGoal: Goal = {
  kind: 'vpc',
  state: VpcConfiguration.fromPartial({ id: vpcId, revisionNumber: 1, tunnelId: 7 }),
};
const portGoal = (id = 'port'): Goal & { kind: 'port' } => ({
  kind: 'port',
  state: PortConfiguration.fromPartial({
    id,
    revisionNumber: 1,
    vpcId,
    macAddress: 'fa:16:3e:00:00:01',
    adminStateUp: true,
  }),
});
const neighborGoal = (id: string): Goal => ({
  kind: 'neighbor',
  state: NeighborConfiguration.fromPartial({
    id,
    revisionNumber: 1,
    vpcId,
    macAddress: 'fa:16:3e:00:00:02',
    hostIpAddress: '172.16.0.2',
  }),
});

/** What a topic says of itself. */
const whole = (isWhole: boolean): OutgoingMessage => ({
  subject: wholeSubject,
  payload: encodeWhole(vpcId, isWhole),
});

/** A config manager's side of a stream. */
class Manager {
  readonly replies: GoalStateOperationReply[] = [];
  broke: unknown;
  readonly #stream: Stream<GoalStateV2, GoalStateOperationReply>;

  constructor(stream: Stream<GoalStateV2, GoalStateOperationReply>) {
    this.#stream = stream;
    void this.#receive().catch((error: unknown) => (this.broke = error));
  }

  send(message: Partial<GoalStateV2>): Promise<void> {
    return this.#stream.send(GoalStateV2.fromPartial({ formatVersion: 2, ...message }));
  }

  async #receive(): Promise<void> {
    for await (const reply of this.#stream.received) this.replies.push(reply);
  }
}

describe('the agent', () => {
  let schedule: Schedule;
  let manager: Process;
  let queue: MessageQueue;
  let agent: Agent;
  let memory: MemorySwitch;
  let request = 0;
  /** Connections to the message queue. */
  let [opened, closed] = [0, 0];

  beforeEach(async () => {
    schedule = createSchedule();
    const world = createWorld(schedule, seededRandom(1), () => {});
    manager = world.start('manager');
    queue = createMemoryQueue();
    memory = new MemorySwitch({ name: hostId });
    agent = new Agent({
      runtime: world.start('agent').runtime,
      switch: memory,
      hostIp: '172.16.0.1',
      log: () => {},
      openQueue: () => {
        opened++;
        return { ...queue, read: queue.read.bind(queue), close: async () => void closed++ };
      },
    });
    request = opened = closed = 0;
    await during(agent.start(address, AbortSignal.any([forever])));
  });

  /** Lets time go by until the promise settles. */
  async function during<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    await schedule.run(60_000, () => settled);
    return promise;
  }

  async function connect(fence = 0): Promise<Manager> {
    const { clock, transport } = manager.runtime;
    const wire = await during(transport.open(pushGoalStatesStream, address, forever));
    const each = new Manager(reliable(wire, { clock, empty: emptyGoalState }));
    await during(each.send({ fence }));
    await schedule.run(200);
    return each;
  }

  function ask(info: Partial<NodeSubscribeInfo> = {}): Promise<SubscribeOperationReply> {
    const full = { topic: topicOf(vpcId), key: hostKey(hostId), queueUrl: 'queue', request: ++request, ...info };
    const { transport } = manager.runtime;
    return transport.call(pushNodeSubscribeInfo, address, NodeSubscribeInfo.fromPartial(full), forever);
  }

  const subscribe = (info?: Partial<NodeSubscribeInfo>): Promise<SubscribeOperationReply> => during(ask(info));

  async function publish(...goals: readonly Goal[]): Promise<TopicWriter> {
    const writer = await queue.openWriter(topicOf(vpcId), 1, forever);
    const messages = goals.map((goal) => ({
      subject: goal.kind === 'port' ? unicastSubject(hostId, goal) : multicastSubject(goal),
      payload: encodeGoal({ goal, removed: false }),
    }));
    await writer.publish([...messages, whole(true)], forever);
    return writer;
  }

  it('reads a topic from its beginning when it is told to, and says when it has everything', async () => {
    const { broke, replies } = await connect();
    await publish(vpcGoal, neighborGoal('other'), portGoal());
    const reply = await subscribe();
    expect([reply.operationStatus, reply.reason, reply.position]).toEqual([OperationStatus.SUCCESS, '', 4]);
    expect(agent.held.describe()).toEqual({ vpcs: 1, ports: 1, neighbors: 1 });
    await schedule.run(1_000);
    const reports = replies.flatMap(({ subscriptions }) => subscriptions);
    expect(reports.map(({ state }) => state)).toContain(SubscriptionState.READING);
    expect(reports.at(-1)).toEqual({
      topic: 'vpc-vpc',
      key: 'host%2E1',
      state: SubscriptionState.CAUGHT_UP,
      position: 4,
      multicastPosition: 4,
      request: 1,
      reason: '',
    });
    expect(broke).toBeUndefined();
  });

  it('goes on reading without a manager, and tells the next one what it reads and how its ports stand', async () => {
    await publish(vpcGoal, neighborGoal('other'), portGoal());
    await subscribe();
    const second = { ...portGoal('second') };
    await publish(second);
    await schedule.run(1_000);
    expect(agent.held.describe().ports).toBe(2);
    const { replies } = await connect();
    const [first] = replies;
    expect(first?.allSubscriptions).toBe(true);
    expect(first?.subscriptions.map(({ topic, position }) => [topic, position])).toEqual([['vpc-vpc', 6]]);
    const ports = first?.operationStatuses.map(({ resourceId, operationStatus }) => [resourceId, operationStatus]);
    expect(ports).toEqual([
      ['port', OperationStatus.PENDING],
      ['second', OperationStatus.PENDING],
    ]);
  });

  it('answers for a port that waited for its VPC, also where the VPC comes together with the neighbour of its id', async () => {
    memory.plug('port');
    const { replies } = await connect();
    const writer = await publish(portGoal());
    await subscribe();
    await schedule.run(1_000);
    const statuses = (): unknown[] =>
      replies.flatMap(({ operationStatuses }) => operationStatuses.map((each) => [each.resourceType, each.reason]));
    expect(statuses()).toEqual([[ResourceType.PORT, 'the state of its VPC has not arrived']]);
    const goals = [vpcGoal, neighborGoal('port')];
    const messages = goals.map((goal) => ({
      subject: multicastSubject(goal),
      payload: encodeGoal({ goal, removed: false }),
    }));
    await writer.publish(messages, forever);
    await schedule.run(1_000);
    expect(statuses().at(-1)).toEqual([ResourceType.PORT, '']);
  });

  it('acts on nothing of a topic that is not whole, and on all of it once it is', async () => {
    const { replies } = await connect();
    const writer = await publish(vpcGoal, neighborGoal('other'), portGoal());
    await writer.publish([whole(false)], forever);
    const answered = ask();
    await schedule.run(10_000);
    expect(agent.held.describe()).toEqual({ vpcs: 0, ports: 0, neighbors: 0 });
    const reports = replies.flatMap(({ subscriptions }) => subscriptions);
    expect(reports.map(({ state, position }) => [state, position])).toEqual([[SubscriptionState.READING, 0]]);
    const last = neighborGoal('last');
    const payload = encodeGoal({ goal: last, removed: false });
    await writer.publish([{ subject: multicastSubject(last), payload }, whole(true)], forever);
    expect((await during(answered)).operationStatus).toBe(OperationStatus.SUCCESS);
    expect(agent.held.describe()).toEqual({ vpcs: 1, ports: 1, neighbors: 2 });
    await writer.publish([whole(false)], forever);
    await schedule.run(1_000);
    expect(replies.flatMap(({ subscriptions }) => subscriptions).at(-1)?.state).toBe(SubscriptionState.CAUGHT_UP);
  });

  it('reads a topic again from its beginning when it is told to, and keeps its connection to the queue', async () => {
    await publish(vpcGoal, neighborGoal('other'), portGoal());
    await subscribe();
    await publish(neighborGoal('second'));
    expect((await subscribe({ again: true })).operationStatus).toBe(OperationStatus.SUCCESS);
    expect(agent.held.describe()).toEqual({ vpcs: 1, ports: 1, neighbors: 2 });
    expect([opened, closed]).toEqual([1, 0]);
    await subscribe({ subscribeOperation: SubscribeOperation.Unsubscribe });
    expect([opened, closed]).toEqual([1, 1]);
  });

  it('keeps what a topic told when it is lost, and says that it is', async () => {
    const { replies } = await connect();
    await publish(vpcGoal, neighborGoal('other'), portGoal());
    await subscribe();
    await queue.drop(topicOf(vpcId), forever);
    await schedule.run(1_000);
    const last = replies.flatMap(({ subscriptions }) => subscriptions).at(-1);
    expect([last?.state, last?.reason]).toEqual([SubscriptionState.LOST, 'vpc-vpc has been dropped']);
    expect(agent.held.describe()).toEqual({ vpcs: 1, ports: 1, neighbors: 1 });
  });

  it('reads no longer when it is told so, and takes no request that is older than the last', async () => {
    await publish(vpcGoal, portGoal());
    await subscribe({ request: 7 });
    const Unsubscribe = { subscribeOperation: SubscribeOperation.Unsubscribe };
    const late = await subscribe({ ...Unsubscribe, request: 6 });
    expect([late.operationStatus, late.reason]).toEqual([OperationStatus.OUT_OF_ORDER, 'request 7 has been taken']);
    const reply = await subscribe({ ...Unsubscribe, request: 8 });
    expect(reply.operationStatus).toBe(OperationStatus.SUCCESS);
    await publish(portGoal('second'));
    await schedule.run(1_000);
    expect(agent.held.describe().ports).toBe(1);
    expect((await subscribe({ ...Unsubscribe, request: 9 })).operationStatus).toBe(OperationStatus.SUCCESS);
  });

  it('leaves out of a topic what is no goal of the VPC', async () => {
    const writer = await publish(vpcGoal, portGoal());
    const stranger: Goal = { kind: 'vpc', state: VpcConfiguration.fromPartial({ id: 'stranger', tunnelId: 8 }) };
    const payloads = [Uint8Array.of(255, 255, 255), encodeGoal({ goal: stranger, removed: false })];
    await writer.publish(
      payloads.map((payload, n) => ({ subject: `multicast.vpc.${n}`, payload })),
      forever,
    );
    expect((await subscribe()).operationStatus).toBe(OperationStatus.SUCCESS);
    expect([...agent.held.vpcs]).toEqual([vpcId]);
  });

  it.each([
    [{ topic: 'port-1' }, "topic: 'port-1' is no VPC's"],
    [{ key: '' }, 'key: must not be empty'],
    [{ queueUrl: '' }, 'queue_url: must not be empty, because the agent knows of no message queue'],
    [{ subscribeOperation: 7 as never }, 'subscribe_operation: 7 is unknown'],
  ])('refuses %j', async (info, reason) => {
    const reply = await subscribe(info);
    expect([reply.operationStatus, reply.reason]).toEqual([OperationStatus.INVALID_ARG, reason]);
  });

  it('says that a topic is not there', async () => {
    const reply = await subscribe();
    expect([reply.operationStatus, reply.reason]).toEqual([OperationStatus.FAILURE, 'there is no vpc-vpc']);
  });

  it('listens to whoever has the highest fence, and to nobody below', async () => {
    const first = await connect(5);
    const late = await connect(4);
    expect(String(late.broke)).toContain('fence 4 is past: 5 speaks for this host');
    expect(first.broke).toBeUndefined();
    const refused = await subscribe({ fence: 4 });
    expect([refused.operationStatus, refused.reason]).toEqual([
      OperationStatus.FAILURE,
      'fence 4 is past: 5 speaks for this host',
    ]);
    const next = await connect(6);
    expect(next.replies.length).toBeGreaterThan(0);
    await during(
      next.send({ portStates: { port: { operationType: OperationType.CREATE, configuration: portGoal().state } } }),
    );
    await schedule.run(1_000);
    expect(agent.held.describe().ports).toBe(1);
  });

  it('takes goal states of version 1 in one call, and answers for each', async () => {
    memory.plug('port');
    const state = GoalState.fromPartial({
      formatVersion: 1,
      vpcStates: [{ operationType: OperationType.CREATE, configuration: vpcGoal.state }],
      portStates: [{ operationType: OperationType.CREATE, configuration: portGoal().state }],
      neighborStates: [
        {
          operationType: OperationType.CREATE,
          configuration: { id: 'bad', vpcId, macAddress: 'no MAC', hostIpAddress: '172.16.0.2' },
        },
      ],
    });
    const reply = await during(manager.runtime.transport.call(pushNetworkResourceStates, address, state, forever));
    const statuses = new Map(
      reply.operationStatuses.map(({ resourceId, operationStatus }) => [resourceId, operationStatus]),
    );
    expect(Object.fromEntries(statuses)).toEqual({
      vpc: OperationStatus.SUCCESS,
      port: OperationStatus.SUCCESS,
      bad: OperationStatus.FAILURE,
    });
    expect(reply.formatVersion).toBe(1);
  });
});
