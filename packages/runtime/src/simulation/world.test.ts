import { describe, expect, it } from 'vitest';
import { answering, type UnaryMethod } from '../runtime.ts';
import { seededRandom } from './random.ts';
import { createSchedule } from './schedule.ts';
import { createWorld, noFaults } from './world.ts';

const number = {
  encode: (message: number) => ({ finish: () => Uint8Array.of(message) }),
  decode: (bytes: Uint8Array) => bytes[0]!,
};
const double: UnaryMethod<number, number> = { path: '/test.Math/Double', request: number, reply: number };

describe('a unary call in the simulation', () => {
  it('brings the reply or fails, whatever the wire loses and repeats', async () => {
    const schedule = createSchedule();
    const world = createWorld(schedule, seededRandom(3), () => {});
    const signal = new AbortController().signal;
    const server = world.start('server').runtime.transport;
    const caller = world.start('caller').runtime.transport;
    void server.serve('there', [answering(double, async (n) => 2 * n)], signal);
    await schedule.run(10);
    world.faults = { ...noFaults, lose: 0.2, repeat: 0.3, latencyMs: [1, 50] };
    const outcomes: Promise<number | Error>[] = [];
    for (let n = 0; n < 100; n++) {
      const { signal: each } = new AbortController();
      outcomes.push(caller.call(double, 'there', n, each).catch((error: Error) => error));
    }
    expect(await schedule.run(60_000)).toBe('idle');
    const settled = await Promise.all(outcomes);
    const replies = settled.flatMap((outcome, n) => (outcome instanceof Error ? [] : [[n, outcome]]));
    expect(replies.length).toBeGreaterThan(30);
    expect(replies.length).toBeLessThan(80);
    for (const [n, reply] of replies) expect(reply).toBe(2 * n!);
  });
});
