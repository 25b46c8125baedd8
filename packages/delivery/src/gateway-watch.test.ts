import { type Lease, LeaseLost, type Node, type NodeId } from '@alcor/network';
import { createSchedule, createWorld, seededRandom, Topic } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { GatewayWatch } from './gateway-watch.ts';

const id = 'gw' as NodeId;
const lease: Lease = { shard: 'host/1', fence: 3 };

describe('watching gateways', () => {
  let nodes: Topic<Node>;
  let held: Lease | undefined;
  let answers: boolean | undefined;
  let said: (readonly [NodeId, boolean])[];
  let pass: (ms: number) => Promise<unknown>;

  const node = (changes: Partial<Node>): void =>
    nodes.put(id, {
      id,
      name: '',
      ip: '172.16.0.1',
      agentAddress: '',
      revision: 1,
      createdAt: new Date(0),
      updatedAt: new Date(0),
      ...changes,
    });

  beforeEach(() => {
    const schedule = createSchedule();
    const { clock } = createWorld(schedule, seededRandom(1), () => {}).start('controller').runtime;
    nodes = new Topic();
    held = lease;
    answers = true;
    said = [];
    pass = (ms) => schedule.run(ms);
    const watch = new GatewayWatch({
      nodes,
      leaseOf: () => held,
      answers: () => answers,
      store: {
        async setGatewayLost(nodeId, lost, { fence }) {
          if (fence !== 3) throw new LeaseLost('it is in other hands');
          said.push([nodeId, lost]);
          node({ gateway: true, lost });
        },
      },
      clock,
      log: () => {},
    });
    void watch.run(new AbortController().signal);
  });

  it('says that one is lost when it has been silent for long enough, and that it is back, once each', async () => {
    node({ gateway: true });
    await pass(20_000);
    answers = false;
    await pass(4_000);
    expect(said).toEqual([]);
    await pass(10_000);
    expect(said).toEqual([[id, true]]);
    answers = undefined;
    await pass(10_000);
    expect(said).toEqual([[id, true]]);
    answers = true;
    await pass(20_000);
    expect(said).toEqual([
      [id, true],
      [id, false],
    ]);
  });

  it('says that one is back when it has answered for long enough without a break', async () => {
    node({ gateway: true, lost: true });
    for (let n = 0; n < 5; n++) {
      answers = true;
      await pass(8_000);
      answers = false;
      await pass(1_000);
    }
    expect(said).toEqual([]);
    answers = true;
    await pass(9_000);
    expect(said).toEqual([]);
    await pass(3_000);
    expect(said).toEqual([[id, false]]);
  });

  it('lets an agent be started anew, and says nothing of hosts that are no gateways or another process speaks to', async () => {
    node({ gateway: true });
    answers = false;
    await pass(4_000);
    answers = true;
    await pass(1_000);
    answers = false;
    await pass(4_000);
    held = undefined;
    await pass(10_000);
    held = lease;
    node({});
    await pass(10_000);
    expect(said).toEqual([]);
  });

  it('says it later where it could not be said', async () => {
    node({ gateway: true });
    answers = false;
    held = { ...lease, fence: 2 };
    await pass(10_000);
    held = lease;
    await pass(1_000);
    expect(said).toEqual([[id, true]]);
  });
});
