import { describe, expect, it } from 'vitest';
import { type Numbered, type Numbering, reliable } from './reliable.ts';
import { createQueue } from './queue.ts';
import { handler, type StreamMethod } from './runtime.ts';
import { createWakeup } from './signal.ts';
import { seededRandom } from './simulation/random.ts';
import { createSchedule } from './simulation/schedule.ts';
import { createWorld } from './simulation/world.ts';

interface Note extends Numbered {
  text: string;
  transmission: Numbering | undefined;
}

const json = {
  encode: (note: Note) => ({ finish: () => new TextEncoder().encode(JSON.stringify(note)) }),
  decode: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as Note,
};
const method: StreamMethod<Note, Note> = { path: '/test/Notes', request: json, reply: json };
const note = (text: string): Note => ({ text, transmission: undefined });

/** Sends `count` notes both ways over a bad wire and returns what arrived on either side. */
async function talk(seed: number, count: number): Promise<{ near: string[]; far: string[]; log: string[] }> {
  const log: string[] = [];
  const schedule = createSchedule();
  const world = createWorld(schedule, seededRandom(seed), (line) => log.push(`${schedule.now()} ${line}`));
  const [client, server] = [world.start('client'), world.start('server')];
  const heard = { near: [] as string[], far: [] as string[] };
  const stop = new AbortController();
  const numbers = Array.from({ length: count }, (_, i) => String(i));

  const converse = async (stream: ReturnType<typeof reliable<Note, Note>>, side: 'near' | 'far'): Promise<void> => {
    const send = async (): Promise<void> => {
      for (const text of numbers) await stream.send(note(text));
    };
    const listen = async (): Promise<void> => {
      for await (const { text } of stream.received) heard[side].push(text);
    };
    await Promise.all([send(), listen()]);
  };
  const options = (clock: typeof client.runtime.clock): Parameters<typeof reliable<Note, Note>>[1] => ({
    clock,
    empty: () => note(''),
  });

  const begun = createWakeup();
  const answer = handler(method, async (s) => {
    await begun.wait();
    await converse(reliable(s, options(server.runtime.clock)), 'far');
  });
  await Promise.all([server.runtime.transport.serve('s', [answer], stop.signal), schedule.run(10)]);
  const opened = client.runtime.transport.open(method, 's', stop.signal);
  await schedule.run(10);
  const near = reliable(await opened, options(client.runtime.clock));
  // Only the wire to the peer is bad, not the way there.
  begun.raise();
  void converse(near, 'near');
  world.faults = { lose: 0.2, repeat: 0.2, latencyMs: [1, 200], crash: 0, clockJump: 0 };
  await schedule.run(10_000_000, () => heard.near.length >= count && heard.far.length >= count);
  return { ...heard, log };
}

describe('a reliable stream over a wire that loses, repeats and reorders', () => {
  it('delivers everything once and in order, both ways, for many seeds', async () => {
    const wanted = Array.from({ length: 50 }, (_, i) => String(i));
    for (let seed = 1; seed <= 20; seed++) {
      const { near, far } = await talk(seed, 50);
      expect({ seed, near, far }).toEqual({ seed, near: wanted, far: wanted });
    }
  });

  it('runs the same for the same seed, to the byte of its log', async () => {
    const [first, second, other] = [await talk(7, 30), await talk(7, 30), await talk(8, 30)];
    expect(first.log.join('\n')).toBe(second.log.join('\n'));
    expect(first.log.join('\n')).not.toBe(other.log.join('\n'));
  });
});

describe('what has been taken', () => {
  it('is acknowledged with what is sent, or by itself 200 ms after it came', async () => {
    const schedule = createSchedule();
    const { clock } = createWorld(schedule, seededRandom(1), () => {}).start('reader').runtime;
    const wire = createQueue<Note>();
    const sent: string[] = [];
    const send = async ({ transmission: { sequence, acknowledged } = { sequence: 0, acknowledged: 0 } }: Note) =>
      void sent.push(`${schedule.now()} ms: ${sequence} acknowledges ${acknowledged}`);
    const stream = reliable<Note, Note>(
      { send, received: wire, close: () => wire.end() },
      { clock, empty: () => note('') },
    );
    const come = (sequence: number) => wire.push({ text: '', transmission: { sequence, acknowledged: 0 } });
    const reading = (async () => {
      for await (const _ of stream.received);
    })();

    come(1);
    await schedule.run(100);
    await stream.send(note('rides'));
    await schedule.run(50);
    come(2);
    await schedule.run(2_000);
    expect(sent).toEqual(['100 ms: 1 acknowledges 1', '350 ms: 0 acknowledges 2']);
    stream.close();
    await reading;
  });
});
