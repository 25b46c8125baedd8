import {
  HostRequest,
  HostRequest_ResourceStateRequest as Question,
  type HostRequestReply,
  OperationStatus,
  requestGoalStates,
} from '@alcor/contract';
import { createSchedule, createWorld, type Schedule, seededRandom, type Stream } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { answersRequests, questionTurns } from './requests.ts';

const [quiet, flooding] = [1, 2];
const forever = new AbortController().signal;

describe('questions of a host', () => {
  let schedule: Schedule;
  let stream: Stream<HostRequest, HostRequestReply>;
  let answered: HostRequestReply[];
  let end: Promise<unknown>;

  beforeEach(async () => {
    schedule = createSchedule();
    answered = [];
    const world = createWorld(schedule, seededRandom(1), () => {});
    const [manager, agent] = [world.start('manager').runtime, world.start('agent').runtime];
    const answering = {
      ask: () => ({ status: 'routable' as const, neighborId: 'n', lifetimeMs: 1_000 }),
      introduced: () => undefined,
      tenantOf: (vni: number) => `tenant-${vni}`,
    };
    const answers = answersRequests(answering, questionTurns(manager.clock), manager);
    void manager.transport.serve('manager:1', [answers], forever);
    const opening = agent.transport.open(requestGoalStates, 'manager:1', forever);
    await schedule.run(100);
    stream = await opening;
    const hear = async (): Promise<void> => {
      for await (const reply of stream.received) answered.push(reply);
    };
    end = hear().catch((error: unknown) => error);
  });

  function ask(name: string, tunnelId: number, count: number): void {
    const stateRequests = Array.from({ length: count }, (_, n) =>
      Question.fromPartial({ requestId: `${name}-${n}`, tunnelId, destinationIp: '10.0.0.1' }),
    );
    void stream.send(HostRequest.fromPartial({ hostId: 'host', stateRequests })).catch(() => undefined);
  }

  const names = (): (string | undefined)[] => answered.map(({ operationStatuses: [first] }) => first?.requestId);

  it('are answered whatever came before them on the stream', async () => {
    ask('long', flooding, 1_000);
    ask('short', quiet, 1);
    await schedule.run(1_000);
    expect(names()).toEqual(['short-0', 'long-0']);
    expect(answered[1]?.operationStatuses).toHaveLength(1_000);
  });

  it('are all answered, however many messages come at once', async () => {
    for (let n = 0; n < 100; n++) ask(`m${n}`, n % 2 === 0 ? quiet : flooding, 3);
    await schedule.run(1_000);
    expect(new Set(names()).size).toBe(100);
  });

  it('are put off at different times where their tenant has had its share, beside another one', async () => {
    ask('quiet', quiet, 1);
    for (let n = 0; n < 20; n++) ask(`m${n}`, flooding, 50);
    await schedule.run(1_000);
    const putOff = answered.flatMap(({ operationStatuses }) =>
      operationStatuses.filter(({ operationStatus }) => operationStatus === OperationStatus.PENDING),
    );
    expect(putOff.length).toBeGreaterThan(400);
    const waits = putOff.map(({ lifetimeMs }) => lifetimeMs);
    expect([Math.min(...waits) >= 250, Math.max(...waits) <= 750]).toEqual([true, true]);
    expect(new Set(waits).size).toBeGreaterThan(3);
  });

  it('are refused where a message has too many', async () => {
    ask('good', quiet, 1);
    ask('bad', quiet, 1_001);
    await schedule.run(1_000);
    expect(String(await end)).toContain('state_requests: 1001, more than 1000');
  });
});
