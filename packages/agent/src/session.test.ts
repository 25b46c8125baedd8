import { addGoal, emptyGoalState, type Goal, type GoalStateOperationReply, type GoalStateV2 } from '@alcor/contract';
import { createSchedule, createWakeup } from '@alcor/runtime';
import { expect, test } from 'vitest';
import { Dataplane } from './dataplane/index.ts';
import { MemorySwitch } from './dataplane/drivers/memory.ts';
import { pipeline } from './dataplane/pipeline.ts';
import { never, settled } from './dataplane/testing/region.ts';
import { HeldState } from './held-state.ts';
import { Reports } from './reports.ts';
import { type GoalStream, Session } from './session.ts';
import { neighbor, port, says, vpc, vpcId } from './testing/small-vpc.ts';

/** One that makes flows. */
function reachable(n: number, revision = 1): Goal {
  const goal = neighbor(`n${n}`, revision) as Extract<Goal, { kind: 'neighbor' }>;
  return { kind: 'neighbor', state: { ...goal.state, macAddress: `02:00:00:00:00:0${n}` } };
}

function own(revision: number): Goal {
  const goal = port('here', revision) as Extract<Goal, { kind: 'port' }>;
  return { kind: 'port', state: { ...goal.state, macAddress: '02:00:00:00:01:00' } };
}

function message(goals: readonly Goal[]): GoalStateV2 {
  const state = emptyGoalState();
  for (const goal of goals) addGoal(state, says(goal));
  return state;
}

async function* ownThrice(): AsyncGenerator<GoalStateV2, void> {
  yield message([vpc(), own(1), reachable(1)]);
  yield message([own(2), reachable(2)]);
  yield message([own(3)]);
}

/** How many neighbours the switch knows the way to. */
async function writes(memory: MemorySwitch): Promise<number> {
  let count = 0;
  for await (const { table, priority } of memory.flows(never))
    if (table === pipeline.neighbour.id && priority > 0) count++;
  return count;
}

/** A host whose switch is at work until it is let go on. */
async function slowHost() {
  const waiting: (() => void)[] = [];
  let isSlow = false;
  const memory = new MemorySwitch({
    beforeApply: async () => {
      if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  });
  const { clock } = createSchedule();
  const dataplane = new Dataplane({ switch: memory, hostIp: '172.16.0.1', clock });
  await dataplane.start(never);
  await dataplane.flush(never);
  isSlow = true;
  const held = new HeldState({ sink: dataplane, clock });
  const replies: GoalStateOperationReply[] = [];
  const stream: Pick<GoalStream, 'send'> = { send: async (reply) => void replies.push(reply) };
  const reports: Reports = new Reports(held, (report) => session.tell(report));
  const session = new Session({
    stream: stream as GoalStream,
    held,
    dataplane,
    reports,
    clock,
    subscriptions: [],
  });
  return {
    memory,
    held,
    session,
    replies,
    applied: () => replies.at(-1)?.appliedSequence,
    /** Lets the switch go on, to the end of what it is at. */
    goOn: async (): Promise<void> => {
      waiting.shift()?.();
      await settled();
    },
  };
}

test('while the switch is at work the next messages are read, a few, and each is confirmed when it is in force', async () => {
  const { memory, held, session, applied, goOn } = await slowHost();
  let read = 0;
  async function* messages(): AsyncGenerator<GoalStateV2, void> {
    for (let n = 0; n < 10; n++) {
      read++;
      yield message(n === 0 ? [vpc(), port('here')] : [reachable(n)]);
    }
  }
  const over = session.run(messages(), never);
  await settled();
  // The first needed nothing of the switch, the second does.
  expect([read, applied(), held.goals(vpcId).size]).toEqual([5, 1, 6]);
  for (let turn = 0; turn < 10; turn++) {
    await goOn();
    const inForce = await writes(memory);
    expect(inForce).toBeGreaterThanOrEqual((applied() ?? 0) - 1);
    expect(read - (applied() ?? 0)).toBeLessThanOrEqual(4);
  }
  await over;
  expect([read, applied(), await writes(memory)]).toEqual([10, 10, 9]);
});

test('what nothing uses is told once all that had been told by then is confirmed, and not if it was told again', async () => {
  const { session, replies, goOn } = await slowHost();
  const told = (): string[] => replies.flatMap(({ forgotten }) => forgotten.map(({ id }) => id));
  const untilToldOn = createWakeup();
  async function* messages(): AsyncGenerator<GoalStateV2, void> {
    yield message([vpc(), port('here'), reachable(1), reachable(2)]);
    await untilToldOn.wait();
    yield message([reachable(2)]);
  }
  const over = session.run(messages(), never);
  await settled();
  session.tellIdle([
    { vpcId, id: 'n1', used: true },
    { vpcId, id: 'n2', used: true },
  ]);
  await settled();
  expect(told()).toEqual([]);
  untilToldOn.raise();
  await goOn();
  await over;
  await settled();
  expect(told()).toEqual(['n1']);
});

test('a port that a later message touches is answered for with that one, and never as not confirmed', async () => {
  const { memory, session, replies, goOn } = await slowHost();
  memory.plug('here');
  await goOn();
  const over = session.run(ownThrice(), never);
  await settled();
  for (let turn = 0; turn < 4; turn++) await goOn();
  await over;
  await settled();
  const reports = replies.flatMap(({ operationStatuses }) => operationStatuses);
  expect(reports.map((each) => [each.resourceId, each.revisionNumber, each.reason])).toEqual([['here', 3, '']]);
});
