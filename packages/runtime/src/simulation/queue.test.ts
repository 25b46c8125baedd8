import { describe, expect, it } from 'vitest';
import { Fenced, QueueUnreachable } from '../message-queue.ts';
import { message } from '../testing/message-queue.contract.ts';
import { createSimulatedQueue, type SimulatedQueue } from './queue.ts';
import { between, seededRandom } from './random.ts';
import { createSchedule } from './schedule.ts';
import { createWorld, type Faults, noFaults, type World } from './world.ts';

const never = new AbortController().signal;
const words = 200;
const faults: Faults = {
  ...noFaults,
  latencyMs: [1, 50],
  crash: 0.01,
  queue: { disconnect: 0.05, awayMs: 12_000, repeat: 0.2, loseAcknowledgement: 0.2 },
};

/** A writer and a reader that die and come back; the writer until it has said everything. */
async function conversation(seed: number) {
  const log: string[] = [];
  const world = createWorld(createSchedule(), seededRandom(seed), (line) => log.push(line));
  const queue = createSimulatedQueue(world);
  world.faults = faults;
  const reader: Reader = { heard: new Map(), gaveUp: 0 };
  startWriter(world, queue, 1);
  world.schedule.after(1_000, () => startReader(world, queue, reader));
  for (let at = 10_000; at < 100_000; at += 30_000)
    world.schedule.after(at, () => queue.restart(between(world.random, 1, 11_000)));
  const done = (): boolean => reader.heard.has('a.last') && reader.heard.has('b.last');
  const outcome = await world.schedule.run(3_600_000, done);
  return { outcome, log, reader };
}

interface Reader {
  heard: Map<string, string>;
  gaveUp: number;
}

/** Begins anew when its process dies and reads on when the queue was away. */
function startReader(world: World, queue: SimulatedQueue, reader: Reader): void {
  const process = world.start('reader', () => world.schedule.after(500, () => startReader(world, queue, reader)));
  const seen = queue.seenBy(process);
  const heard = new Map<string, string>();
  reader.heard = heard;
  let position = 0;
  const read = async (): Promise<void> => {
    for await (const batch of seen.read('t', ['a.>', 'b.>'], position, never)) {
      for (const { subject, payload } of batch.messages) heard.set(subject, new TextDecoder().decode(payload));
      position = batch.position;
    }
  };
  const readOn = (): void =>
    void read().catch((error: unknown) => {
      if (error instanceof QueueUnreachable) reader.gaveUp++;
      world.schedule.after(1_000, readOn);
    });
  readOn();
}

/** Says everything again when its process dies or the queue was away for too long. */
function startWriter(world: World, queue: SimulatedQueue, fence: number): void {
  const restart = (): void => startWriter(world, queue, fence + 1);
  const process = world.start(`writer ${fence}`, () => world.schedule.after(500, restart));
  const write = async (): Promise<void> => {
    const writer = await queue.seenBy(process).openWriter('t', fence, never);
    const batch = Array.from({ length: words }, (_, i) => message(`${i % 2 ? 'a' : 'b'}.${i}`, i));
    for (let i = 0; i < words; i += 20) await writer.publish(batch.slice(i, i + 20), never);
    await writer.publish([message('a.last', 'x'), message('b.last', 'x')], never);
  };
  const again = (): void =>
    void write().catch((error: unknown) => {
      if (!(error instanceof Fenced)) world.schedule.after(1_000, again);
    });
  again();
}

describe('a message queue as simulated processes see it', () => {
  it('loses nothing for any seed, though processes die, connections break and the queue restarts', async () => {
    let gaveUp = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const { outcome, reader } = await conversation(seed);
      expect({ seed, outcome }).toEqual({ seed, outcome: 'done' });
      for (let i = 0; i < words; i++) expect(reader.heard.get(`${i % 2 ? 'a' : 'b'}.${i}`)).toBe(String(i));
      gaveUp += reader.gaveUp;
    }
    expect(gaveUp).toBeGreaterThan(0);
  });

  it('runs the same for the same seed', async () => {
    const [first, second] = [await conversation(5), await conversation(5)];
    expect(first.log).toEqual(second.log);
    expect([...first.reader.heard]).toEqual([...second.reader.heard]);
  });

  it('takes what is published by a process that was overtaken for nothing', async () => {
    const world = createWorld(createSchedule(), seededRandom(1), () => {});
    const queue = createSimulatedQueue(world);
    const [old, next] = [queue.seenBy(world.start('old')), queue.seenBy(world.start('next'))];
    const outcomes: unknown[] = [];
    void (async () => {
      const writer = await old.openWriter('t', 1, never);
      await next.openWriter('t', 2, never);
      await writer.publish([message('a.1', 1)], never).catch((error: unknown) => outcomes.push(error));
    })();
    await world.schedule.run(10_000);
    expect(outcomes).toMatchObject([{ name: 'Fenced' }]);
    expect(await queue.content.topics(never)).toMatchObject([{ topic: 't', messages: 0 }]);
  });
});
