import { type Goal, NeighborConfiguration, type StatedGoal } from '@alcor/contract';
import { Bus, createSchedule, createWorld, type Schedule, seededRandom } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { HostLearner } from './host-learner.ts';
import { OnDemand } from './on-demand.ts';
import { Pace } from './pace.ts';

function neighbor(n: number, removed = false): StatedGoal {
  return { goal: { kind: 'neighbor', state: NeighborConfiguration.fromPartial({ id: `p${n}` }) }, removed };
}

describe('what a host learns', () => {
  let schedule: Schedule;
  let pace: Pace;
  let learner: HostLearner;
  let told: string[];

  beforeEach(() => {
    schedule = createSchedule();
    told = [];
    pace = new Pace();
    const { clock } = createWorld(schedule, seededRandom(1), () => {}).start('manager').runtime;
    learner = new HostLearner({
      host: { id: 'host', ip: '172.16.0.1' },
      onDemand: new OnDemand({ goals: new Bus<Goal>(), clock }),
      goals: {
        tell: () => {},
        telling: () => 'on-demand',
        learn: (_vpcId, { goal, removed }) =>
          void told.push(`${schedule.now()} ${removed ? '-' : '+'}${goal.state.id}`),
        owesLearnt: false,
      },
      clock,
      pace,
      heard: AbortSignal.abort(),
    });
  });

  it('is told at once, and what nobody waits for then with others', async () => {
    for (const n of [1, 2, 3]) learner.learn('vpc', neighbor(n), 'soon');
    expect(told).toEqual(['0 +p1']);
    await schedule.run(100);
    expect(told).toEqual(['0 +p1', '20 +p2', '20 +p3']);
    learner.learn('vpc', neighbor(4), 'soon');
    expect(told).toHaveLength(4);
  });

  it('is gathered for longer where many hosts are to be told, and never for long', async () => {
    const others = Array.from({ length: 31 }, () => pace.enter());
    for (const n of [1, 2]) learner.learn('vpc', neighbor(n), 'soon');
    for (let n = 0; n < 1_000; n++) others.push(pace.enter());
    for (const _ of others) pace.leave();
    await schedule.run(100);
    expect(told).toEqual(['0 +p1', '40 +p2']);
    expect([others[0], others.at(-1)]).toEqual([20, 100]);
    // Nobody is counted who has nothing any more.
    await schedule.run(100);
    expect(pace.enter()).toBe(20);
  });

  it('is never told out of order', async () => {
    for (const n of [1, 2]) learner.learn('vpc', neighbor(n), 'soon');
    learner.learn('vpc', neighbor(2, true), 'now');
    await schedule.run(100);
    expect(told).toEqual(['0 +p1', '0 +p2', '0 -p2']);
  });

  it('is told all of it before somebody waits for it to be applied', () => {
    for (const n of [1, 2]) learner.learn('vpc', neighbor(n), 'soon');
    learner.afterApplied(() => told.push('applied'));
    expect(told).toEqual(['0 +p1', '0 +p2', 'applied']);
  });

  it('is told no more when the stream is over', async () => {
    for (const n of [1, 2]) learner.learn('vpc', neighbor(n), 'soon');
    learner.close();
    await schedule.run(100);
    expect(told).toEqual(['0 +p1']);
  });
});
