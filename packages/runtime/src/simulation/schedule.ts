import type { Clock } from '../runtime.ts';

/** The virtual clock: events in order of time, and of their making where times are equal. */
export interface Schedule {
  /** The schedule as a clock; its wall time starts at the Unix epoch. */
  readonly clock: Clock;
  /** Virtual milliseconds since the start. */
  now(): number;
  /** Runs `run` once `ms` from now; the result cancels it. */
  after(ms: number, run: () => void): () => void;
  /**
   * Runs events until `done` answers true, nothing is left, or the time `limitMs` from now has passed.
   * After every event all promises that can settle do, before the next one runs.
   */
  run(limitMs: number, done?: () => boolean): Promise<'done' | 'idle' | 'limit'>;
}

interface Event {
  readonly time: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export function createSchedule(): Schedule {
  const heap: Event[] = [];
  let time = 0;
  let order = 0;

  const after = (ms: number, run: () => void): (() => void) => {
    const event: Event = { time: time + Math.max(0, ms), order: order++, run };
    push(heap, event);
    return () => (event.run = undefined);
  };

  return {
    clock: scheduledClock(() => time, after),
    now: () => time,
    after,
    async run(limitMs, done = () => false) {
      const limit = time + limitMs;
      await settled();
      for (;;) {
        if (done()) return 'done';
        const event = heap[0];
        if (event === undefined) return 'idle';
        if (event.time > limit) {
          time = limit;
          return 'limit';
        }
        pop(heap);
        if (event.run === undefined) continue;
        time = event.time;
        event.run();
        await settled();
      }
    },
  };
}

/** A clock over `after`; `wall` is `now` plus what `wallOffset` answers. */
export function scheduledClock(now: () => number, after: Schedule['after'], wallOffset = (): number => 0): Clock {
  return {
    now,
    wall: () => wallOffset() + now(),
    timer: (ms, run) => ({ cancel: after(ms, run) }),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason as Error);
        const abort = (): void => {
          cancel();
          reject(signal?.reason as Error);
        };
        const cancel = after(ms, () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        });
        return signal?.addEventListener('abort', abort, { once: true });
      }),
  };
}

/** Promise jobs run to exhaustion before the next macrotask, so one macrotask later nothing is left to settle. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function earlier(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!earlier(event, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && earlier(heap[child + 1]!, heap[child]!)) child++;
    if (!earlier(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
