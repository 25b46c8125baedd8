import type { Codec, Handler, Random, Runtime, Stream, StreamMethod, UnaryMethod } from '../runtime.ts';
import { createQueue, type Queue } from '../queue.ts';
import { between } from './random.ts';
import { type Schedule, scheduledClock } from './schedule.ts';

/** What may go wrong on the wires and in the processes; every number is a probability between 0 and 1 or a time in ms. */
export interface Faults {
  readonly lose: number;
  readonly repeat: number;
  /** Messages take between these two times; different times for two messages reorder them. */
  readonly latencyMs: readonly [number, number];
  /** That a process dies at one of its waits. */
  readonly crash: number;
  /** That the wall clock jumps at one of a process's waits, by up to an hour either way. */
  readonly clockJump: number;
  /** What may go wrong between a process and the message queue; nothing unless given. */
  readonly queue?: QueueFaults;
}

export interface QueueFaults {
  /** That a process loses its connection to the queue at one of its dealings with it. */
  readonly disconnect: number;
  /** How long it is without then, at most, in ms. */
  readonly awayMs: number;
  /** That a reader is given the same once more. */
  readonly repeat: number;
  /** That the queue's word of what it has taken in is lost. */
  readonly loseAcknowledgement: number;
}

export const noFaults: Faults = { lose: 0, repeat: 0, latencyMs: [1, 1], crash: 0, clockJump: 0 };

/** One simulated process: a runtime that stops for good when it is killed. */
export interface Process {
  readonly name: string;
  readonly runtime: Runtime;
  readonly alive: boolean;
  /** Nothing of this process happens any more: its timers, its waits and its wires are dead. */
  kill(): void;
  /** A place where the process waits for something outside; under faults it may die here. Resolves after `ms`. */
  wait(ms: number): Promise<void>;
}

export interface World {
  faults: Faults;
  readonly random: Random;
  readonly schedule: Schedule;
  /** Starts a process; `onExit` is called when it is killed, by whomever. */
  start(name: string, onExit?: () => void): Process;
  /** Breaks every stream that is open to `address`. */
  cut(address: string): void;
  /** From now on nobody reaches the process that serves `address`, nor does it reach anybody. */
  isolate(address: string): void;
  /** What is isolated is so no longer. */
  rejoin(address: string): void;
}

interface Server {
  readonly process: Process;
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly signal: AbortSignal;
}

const never = new Promise<never>(() => {});

/** Processes, wires and clocks under one seed. `log` gets a line for everything that happens between processes. */
export function createWorld(schedule: Schedule, random: Random, log: (line: string) => void): World {
  const servers = new Map<string, Server>();
  const wires = new Set<Wire>();
  const isolated = new Set<string>();
  let wallOffset = 1_700_000_000_000;

  const world: World = { faults: noFaults, random, schedule, start, cut, isolate, rejoin };
  return world;

  function cut(address: string): void {
    for (const wire of wires) if (wire.address === address) wire.cut('cut');
  }

  function isolate(address: string): void {
    isolated.add(address);
    const process = servers.get(address)?.process;
    for (const wire of wires) if (process !== undefined && wire.touches(process)) wire.cut('cut off');
  }

  function rejoin(address: string): void {
    isolated.delete(address);
  }

  function isIsolated(process: Process | undefined): boolean {
    return [...isolated].some((address) => servers.get(address)?.process === process);
  }

  function start(name: string, onExit?: () => void): Process {
    let alive = true;
    const whileAlive = (ms: number, run: () => void): (() => void) => schedule.after(ms, () => alive && run());
    const clock = scheduledClock(
      () => schedule.now(),
      whileAlive,
      () => wallOffset,
    );
    const process: Process = {
      name,
      get alive() {
        return alive;
      },
      runtime: {
        random,
        clock,
        transport: { open, call, serve },
      },
      kill,
      wait,
    };
    return process;

    function kill(): void {
      if (!alive) return;
      alive = false;
      log(`${name} dies`);
      for (const [address, server] of servers) if (server.process === process) servers.delete(address);
      for (const wire of wires) if (wire.touches(process)) wire.cut(`${name} died`);
      onExit?.();
    }

    async function wait(ms: number): Promise<void> {
      if (alive && random.next() < world.faults.crash) kill();
      if (random.next() < world.faults.clockJump) wallOffset += between(random, -3_600_000, 3_600_000);
      await clock.sleep(ms);
      if (!alive) await never;
    }

    function open<Request, Reply>(
      method: StreamMethod<Request, Reply>,
      address: string,
      signal: AbortSignal,
    ): Promise<Stream<Request, Reply>> {
      return dial('stream', method, address, signal);
    }

    async function dial<Request, Reply>(
      kind: WireKind,
      method: StreamMethod<Request, Reply>,
      address: string,
      signal: AbortSignal,
    ): Promise<Stream<Request, Reply>> {
      await wait(between(random, ...world.faults.latencyMs));
      signal.throwIfAborted();
      const server = servers.get(address);
      const accept = server?.handlers.get(method.path);
      const isApart = isolated.size > 0 && (isIsolated(process) || isIsolated(server?.process));
      if (server === undefined || accept === undefined || isApart || random.next() < world.faults.lose) {
        throw new Error(`cannot reach ${address}`);
      }
      const wire = new Wire(kind, world, address, process, server.process, log, wires);
      const near = wire.end<Request, Reply>('near', method.request, method.reply);
      const far = wire.end<Reply, Request>('far', method.reply, method.request);
      const close = (): void => near.close();
      signal.addEventListener('abort', close, { once: true });
      wire.onClosed = () => signal.removeEventListener('abort', close);
      log(`${name} opens ${address}`);
      accept.handle(far as Stream<unknown, unknown>, server.signal, {}).then(
        () => far.close(),
        (error: unknown) => wire.cut(String(error)),
      );
      return near;
    }

    async function call<Request, Reply>(
      method: UnaryMethod<Request, Reply>,
      address: string,
      request: Request,
      signal: AbortSignal,
    ): Promise<Reply> {
      const stream = await dial('call', method, address, signal);
      try {
        await stream.send(request);
        for await (const reply of stream.received) return reply;
      } finally {
        stream.close();
      }
      signal.throwIfAborted();
      throw new Error(`no reply from ${address}`);
    }

    async function serve(address: string, handlers: readonly Handler[], signal: AbortSignal): Promise<string> {
      await wait(0);
      servers.set(address, { process, handlers: new Map(handlers.map((h) => [h.method.path, h])), signal });
      return address;
    }
  }
}

type Side = 'near' | 'far';

/** A stream leaves it to its ends to notice what was lost; a call fails, as it does when its connection dies. */
type WireKind = 'stream' | 'call';

/** How long a connection that lost something stays up, in ms. */
const deadAfterMs = 5_000;

/** One stream between two processes. Messages cross as bytes, so neither side can reach into the other's objects. */
class Wire {
  readonly address: string;
  onClosed: () => void = () => {};
  readonly #kind: WireKind;
  readonly #world: World;
  readonly #ends: Readonly<Record<Side, Process>>;
  readonly #log: (line: string) => void;
  readonly #all: Set<Wire>;
  readonly #inbox: Record<Side, Queue<Uint8Array>> = { near: createQueue(), far: createQueue() };
  #open = true;

  constructor(
    kind: WireKind,
    world: World,
    address: string,
    near: Process,
    far: Process,
    log: (line: string) => void,
    all: Set<Wire>,
  ) {
    this.#kind = kind;
    this.address = address;
    this.#world = world;
    this.#ends = { near, far };
    this.#log = log;
    this.#all = all;
    all.add(this);
  }

  touches(process: Process): boolean {
    return this.#ends.near === process || this.#ends.far === process;
  }

  /** Both ends see the stream break, each after its own latency. */
  cut(why: string): void {
    this.#finish((queue) => queue.fail(new Error(`the stream broke: ${why}`)));
  }

  end<Out, In>(side: Side, outgoing: Codec<Out>, incoming: Codec<In>): Stream<Out, In> {
    const owner = this.#ends[side];
    const inbox = this.#inbox[side];
    async function* receive(): AsyncGenerator<In, void> {
      for await (const bytes of inbox) {
        if (!owner.alive) await never;
        yield incoming.decode(bytes);
      }
    }
    return {
      send: async (message) => {
        if (!this.#open) throw new Error('the stream is closed');
        this.#carry(side, outgoing.encode(message).finish());
        await owner.wait(0);
      },
      received: { [Symbol.asyncIterator]: receive },
      close: () => this.#finish((queue) => queue.end()),
    };
  }

  #carry(from: Side, bytes: Uint8Array): void {
    const to: Side = from === 'near' ? 'far' : 'near';
    const { faults, random, schedule } = this.#world;
    const copies = random.next() < faults.lose ? 0 : random.next() < faults.repeat ? 2 : 1;
    this.#log(`${this.#ends[from].name} -> ${this.#ends[to].name} ${bytes.length} bytes x${copies}`);
    if (copies === 0 && this.#kind === 'call') schedule.after(deadAfterMs, () => this.cut('nothing came'));
    for (let copy = 0; copy < copies; copy++) {
      schedule.after(between(random, ...faults.latencyMs), () => {
        if (this.#open) this.#inbox[to].push(bytes);
      });
    }
  }

  #finish(tell: (queue: Queue<Uint8Array>) => void): void {
    if (!this.#open) return;
    this.#open = false;
    this.#all.delete(this);
    this.onClosed();
    for (const queue of [this.#inbox.near, this.#inbox.far]) {
      this.#world.schedule.after(between(this.#world.random, ...this.#world.faults.latencyMs), () => tell(queue));
    }
  }
}
