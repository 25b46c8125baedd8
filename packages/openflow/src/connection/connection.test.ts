import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { FlowMod } from '../flow.ts';
import { decodeMessage } from '../messages/decode.ts';
import { encodeMessage } from '../messages/encode.ts';
import type { Message } from '../messages/types.ts';
import { connect } from './connect.ts';
import { Framer } from './framer.ts';
import type { ConnectOptions, OpenFlowConnection, Sleep } from './types.ts';

type Answer = (message: Message, xid: number) => readonly Message[] | undefined;

/** A switch in memory: a stream that answers each message as told. */
class FakeSwitch extends Duplex {
  readonly received: Message[] = [];
  readonly #framer = new Framer();
  readonly #answer: Answer;
  /** While set, what is written is not taken. */
  held: (() => void)[] | undefined;

  constructor(answer: Answer) {
    super({ writableHighWaterMark: 1024 });
    this.#answer = answer;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const frame of this.#framer.push(chunk)) {
      const { message, xid } = decodeMessage(frame);
      this.received.push(message);
      for (const reply of this.#answer(message, xid) ?? usual(message)) this.tell(reply, xid);
    }
    if (this.held === undefined) done();
    else this.held.push(done);
  }

  tell(message: Message, xid = 0): void {
    if (!this.destroyed) this.push(encodeMessage(message, xid));
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const done of held) done();
  }
}

/** What a switch says when nothing special is asked of it. */
const USUAL: Readonly<Partial<Record<Message['type'], Message>>> = {
  hello: { type: 'hello', versions: [6] },
  features_request: {
    type: 'features_reply',
    datapathId: 7n,
    buffers: 0,
    tables: 254,
    auxiliaryId: 0,
    capabilities: 0,
  },
  get_config_request: { type: 'get_config_reply', fragments: 'normal', missSendLen: 0 },
  barrier_request: { type: 'barrier_reply' },
};

function usual({ type }: Message): readonly Message[] {
  const reply = USUAL[type];
  return reply === undefined ? [] : [reply];
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Time that passes only when told; sleepers wake in order. */
function fakeTime(): { readonly sleep: Sleep; readonly advance: (ms: number) => Promise<void> } {
  let now = 0;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const giveUp = (): void => {
          sleepers.delete(sleeper);
          reject(new Error('woken'));
        };
        const wake = (): void => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        };
        const sleeper = { at: now + ms, wake };
        sleepers.add(sleeper);
        signal.addEventListener('abort', giveUp);
      }),
    advance: async (ms) => {
      now += ms;
      for (const sleeper of [...sleepers].filter(({ at }) => at <= now)) {
        sleepers.delete(sleeper);
        sleeper.wake();
      }
      await settle();
    },
  };
}

async function session(
  answer: Answer = () => undefined,
  options: Partial<ConnectOptions> = {},
): Promise<{ peer: FakeSwitch; connection: OpenFlowConnection; advance: (ms: number) => Promise<void> }> {
  const peer = new FakeSwitch(answer);
  const { sleep, advance } = fakeTime();
  const connection = await connect({ dial: () => Promise.resolve(peer), sleep, ...options });
  return { peer, connection, advance };
}

const silentOn =
  (type: Message['type']): Answer =>
  (message) =>
    message.type === type ? [] : undefined;

const never = (): Promise<Duplex> => new Promise(() => undefined);

describe('opening', () => {
  test('says hello, asks for features, asks for asynchronous messages', async () => {
    const { peer, connection } = await session();
    expect(connection.datapathId).toBe(7n);
    expect(connection.version).toBe(6);
    await connection.barrier();
    expect(peer.received.map(({ type }) => type)).toEqual([
      'hello',
      'features_request',
      'get_config_request',
      'set_config',
      'nxt_set_packet_in_format',
      'nxt_set_controller_id',
      'barrier_request',
    ]);
  });

  test('a switch of another version is refused', async () => {
    const older = session((message) => (message.type === 'hello' ? [{ type: 'hello', versions: [1, 4] }] : undefined));
    await expect(older).rejects.toMatchObject({ code: 'negotiation_failed' });
  });

  test('a silent switch is given up', async () => {
    const peer = new FakeSwitch(() => []);
    const { sleep, advance } = fakeTime();
    const connecting = connect({ dial: () => Promise.resolve(peer), sleep, connectTimeoutMs: 50 });
    const outcome = expect(connecting).rejects.toMatchObject({ code: 'timeout' });
    await advance(49);
    expect(peer.destroyed).toBe(false);
    await advance(1);
    await outcome;
    expect(peer.destroyed).toBe(true);
  });

  test('the caller may give up, before and during', async () => {
    const { sleep } = fakeTime();
    await expect(connect({ dial: never, sleep, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    const controller = new AbortController();
    const connecting = connect({ dial: never, sleep, signal: controller.signal });
    controller.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a dial that fails is the cause', async () => {
    const cause = new Error('no such socket');
    const { sleep } = fakeTime();
    await expect(connect({ dial: () => Promise.reject(cause), sleep })).rejects.toMatchObject({
      code: 'closed',
      cause,
    });
  });
});

describe('the end', () => {
  test('rejects all that is pending, and all that comes later', async () => {
    const { connection } = await session(silentOn('barrier_request'));
    const pending = [
      connection.barrier(),
      connection.applyFlowMods([{ type: 'flow_mod', command: 'delete', table: 1 }]),
    ];
    const outcomes = Promise.allSettled(pending);
    connection.close();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'closed' } });
    await expect(connection.barrier()).rejects.toMatchObject({ code: 'closed' });
    await expect(connection.send({ type: 'barrier_request' })).rejects.toMatchObject({ code: 'closed' });
    expect(await connection.closed).toMatchObject({ code: 'closed' });
  });

  test('comes with the stream', async () => {
    const { peer, connection } = await session(silentOn('multipart_request'));
    const dump = connection.dumpFlows()[Symbol.asyncIterator]().next();
    peer.destroy();
    await expect(dump).rejects.toMatchObject({ code: 'closed' });
  });

  test('comes with bytes that are no messages', async () => {
    const { peer, connection } = await session();
    peer.push(Buffer.from('0600000000000000', 'hex'));
    expect(await connection.closed).toMatchObject({ code: 'bad_length' });
  });

  test('comes with the caller’s signal', async () => {
    const controller = new AbortController();
    const { connection } = await session(undefined, { signal: controller.signal });
    controller.abort();
    expect(await connection.closed).toMatchObject({ code: 'aborted' });
  });

  test('comes after two silent intervals, and not before', async () => {
    const { peer, connection, advance } = await session(silentOn('echo_request'), { echoIntervalMs: 100 });
    await advance(100);
    expect(peer.received.at(-1)?.type).not.toBe('echo_request');
    await advance(100);
    expect(peer.received.at(-1)?.type).toBe('echo_request');
    expect(peer.destroyed).toBe(false);
    await advance(100);
    expect(await connection.closed).toMatchObject({ code: 'timeout' });
  });

  test('does not come while the switch answers', async () => {
    const { peer, advance } = await session(
      (message) => (message.type === 'echo_request' ? [{ type: 'echo_reply', data: message.data }] : undefined),
      { echoIntervalMs: 100 },
    );
    for (let i = 0; i < 20; i++) await advance(100);
    expect(peer.destroyed).toBe(false);
    expect(peer.received.filter(({ type }) => type === 'echo_request').length).toBeGreaterThan(5);
  });
});

describe('requests', () => {
  test('end with a timeout, and the connection goes on', async () => {
    const { connection, advance } = await session(silentOn('role_request'), {
      requestTimeoutMs: 40,
      echoIntervalMs: 1e9,
    });
    const asked = connection.request({ type: 'role_request', role: 'equal', generation: 0n });
    const outcome = expect(asked).rejects.toMatchObject({ code: 'timeout' });
    await advance(40);
    await outcome;
    await connection.barrier();
  });

  test('end with the caller’s signal', async () => {
    const { connection } = await session(silentOn('barrier_request'));
    const controller = new AbortController();
    const waiting = connection.barrier({ signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });

  test('are limited in number', async () => {
    const { connection } = await session(silentOn('barrier_request'), { maxPending: 3 });
    const waiting = [1, 2, 3].map(() => connection.barrier());
    await expect(connection.barrier()).rejects.toMatchObject({ code: 'overloaded' });
    connection.close();
    await Promise.allSettled(waiting);
  });

  test('of the switch are answered: echo with the same bytes', async () => {
    const { peer, connection } = await session();
    const data = new Uint8Array([9, 8, 7]);
    peer.tell({ type: 'echo_request', data }, 77);
    await connection.barrier();
    expect(peer.received).toContainEqual({ type: 'echo_reply', data });
  });

  test('with an answer of the wrong kind reject', async () => {
    const { connection } = await session((message) =>
      message.type === 'barrier_request' ? [{ type: 'echo_reply', data: new Uint8Array() }] : undefined,
    );
    await expect(connection.barrier()).rejects.toMatchObject({ code: 'unexpected_reply' });
  });

  test('an answer that cannot be read rejects its request only', async () => {
    const { peer, connection } = await session((message, xid) => {
      if (message.type !== 'multipart_request') return undefined;
      const bad = encodeMessage({ type: 'unknown', messageType: 19, body: new Uint8Array([0, 1, 0, 0]) }, xid);
      peer.push(bad);
      return [];
    });
    await expect(connection.dumpFlows()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'truncated' });
    await connection.barrier();
  });
});

describe('back-pressure', () => {
  const mods = Array.from({ length: 20_000 }, (_, i): FlowMod => {
    return { type: 'flow_mod', command: 'add', table: 1, priority: i & 0xffff };
  });

  test('a switch that takes nothing gets no more than it can hold', async () => {
    const { peer, connection } = await session();
    peer.held = [];
    const applied = connection.applyFlowMods(mods);
    await new Promise((resolve) => setImmediate(resolve));
    expect(peer.writableLength).toBeLessThan(200_000);
    peer.release();
    expect(await applied).toEqual({ failures: [] });
    expect(peer.received.filter(({ type }) => type === 'flow_mod')).toHaveLength(mods.length);
  });

  test('a reader that takes nothing stops the stream, and gets all in the end', async () => {
    const parts = 200;
    const { peer, connection } = await session((message) => {
      if (message.type !== 'multipart_request') return undefined;
      return Array.from({ length: parts }, (_, i) => {
        const tables = [{ table: i, active: 0, lookups: 0n, matches: 0n }];
        return { type: 'multipart_reply', more: i + 1 < parts, answer: { kind: 'tables', tables } } as const;
      });
    });
    const seen: number[] = [];
    for await (const part of connection.multipart({ kind: 'tables' })) {
      if (part.kind === 'tables') seen.push(...part.tables.map(({ table }) => table));
      if (seen.length === 1) {
        await new Promise((resolve) => setImmediate(resolve));
        expect(peer.isPaused()).toBe(true);
      }
    }
    expect(seen).toEqual(Array.from({ length: parts }, (_, i) => i));
    expect(peer.isPaused()).toBe(false);
  });

  test('a reader that stops early leaves the connection usable', async () => {
    const { connection } = await session((message) => {
      if (message.type !== 'multipart_request') return undefined;
      const answer = { kind: 'tables', tables: [] } as const;
      return Array.from({ length: 100 }, (_, i) => ({ type: 'multipart_reply', more: i < 99, answer }) as const);
    });
    for await (const part of connection.multipart({ kind: 'tables' })) {
      expect(part.kind).toBe('tables');
      break;
    }
    await connection.barrier();
  });
});

test('a listener that throws ends the connection with what it threw', async () => {
  const { peer, connection } = await session();
  const cause = new Error('a mistake');
  connection.onPortStatus(() => {
    throw cause;
  });
  const port = { port: 1, name: 'p', mac: 1, config: 0, state: 0, properties: new Uint8Array() };
  peer.tell({ type: 'port_status', reason: 'add', port });
  expect(await connection.closed).toMatchObject({ cause });
});

test('a listener that has stopped hears no more', async () => {
  const { peer, connection } = await session();
  const heard: string[] = [];
  const stop = connection.onPortStatus(({ port }) => heard.push(port.name));
  const port = { port: 1, name: 'first', mac: 1, config: 0, state: 0, properties: new Uint8Array() };
  peer.tell({ type: 'port_status', reason: 'add', port });
  await connection.barrier();
  stop();
  peer.tell({ type: 'port_status', reason: 'add', port: { ...port, name: 'second' } });
  await connection.barrier();
  expect(heard).toEqual(['first']);
});
