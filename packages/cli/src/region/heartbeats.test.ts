import type { Clock } from '@alcor/runtime';
import { expect, it } from 'vitest';
import { noteHeartbeats } from './heartbeats.ts';

/** A clock that does something at each sleep, and passes at once. */
function steppingClock(steps: readonly (() => void)[], stop: AbortController): Clock {
  let now = 0;
  let step = 0;
  return {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      const next = steps[step++];
      if (next === undefined) stop.abort();
      else next();
    },
  } as Clock;
}

it('notes a host as soon as it is there, then every half minute, and again after a failure', async () => {
  let connected: readonly string[] = ['a'];
  let failing = false;
  const notes: string[] = [];
  const stop = new AbortController();
  const idle = Array.from({ length: 14 }, () => () => {});
  const steps = [
    () => (connected = ['a', 'b']),
    () => {
      connected = ['a', 'b', 'c'];
      failing = true;
    },
    () => (failing = false),
    ...idle,
  ];
  const clock = steppingClock(steps, stop);
  await noteHeartbeats(
    {
      connected: () => connected,
      heard: async (ids) => {
        if (failing) throw new Error('no database');
        notes.push(`${clock.now() / 1_000} ${ids.join()}`);
      },
      clock,
      log: () => {},
    },
    stop.signal,
  );
  expect(notes).toEqual(['0 a', '2 b', '6 c', '30 a', '32 b']);
});
