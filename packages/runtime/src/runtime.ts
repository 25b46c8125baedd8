import type { BinaryWriter } from '@bufbuild/protobuf/wire';

/**
 * Everything that makes a program's run depend on more than its inputs: time, chance and wires.
 * Rooms below `cli` use only these; so a simulation can run them under a seed and a virtual clock.
 */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
}

export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. For people and records only. */
  wall(): number;
  /** Milliseconds since some start; never goes back. For durations. */
  now(): number;
  /** Resolves after `ms`, with 0 when all else that is ready has had its turn; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms` unless cancelled. */
  timer(ms: number, run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

export interface Random {
  /** In [0, 1). */
  next(): number;
  bytes(length: number): Uint8Array;
}

/** A message type's wire form, as ts-proto generates it. */
export interface Codec<T> {
  /** `writer`: one to use, which holds nothing. */
  encode(message: T, writer?: BinaryWriter): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** A bidirectional streaming method of the contract. */
export interface StreamMethod<Request, Reply> {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly request: Codec<Request>;
  readonly reply: Codec<Reply>;
}

/** A method of one request and one reply. On the wire it is a stream of one message each way, so either end may take it for one. */
export interface UnaryMethod<Request, Reply> {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly request: Codec<Request>;
  readonly reply: Codec<Reply>;
}

/** One open conversation. A real wire delivers once and in order while it lasts; a simulated one promises neither. */
export interface Stream<Out, In> {
  /** Resolves when more may be sent; rejects when the stream is closed. */
  send(message: Out): Promise<void>;
  /** Ends when either side closes; throws when the stream breaks. Iterate once. */
  readonly received: AsyncIterable<In>;
  close(): void;
}

/** What a caller says besides its messages, by names in lower case: gRPC's metadata, as far as it is text. */
export type CallHeaders = Readonly<Record<string, string>>;

/** What a server does with streams of one method; made by `handler`, `answering` or `streaming`. */
export interface Handler {
  readonly method: StreamMethod<unknown, unknown>;
  readonly handle: (stream: Stream<unknown, unknown>, signal: AbortSignal, headers: CallHeaders) => Promise<void>;
}

/** Why a call is refused, by gRPC's names of status codes. */
export type CallStatus =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'OUT_OF_RANGE'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** Thrown by what handles a call: the caller is told the status and the message. Anything else is INTERNAL. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly status: CallStatus;

  constructor(status: CallStatus, message: string) {
    super(message);
    this.status = status;
  }
}

/** Serves `method` with `handle`, which owns the stream until it returns; `signal` aborts when the server stops or the caller is gone. */
export function handler<Request, Reply>(
  method: StreamMethod<Request, Reply>,
  handle: (stream: Stream<Reply, Request>, signal: AbortSignal, headers: CallHeaders) => Promise<void>,
): Handler {
  return { method, handle } as unknown as Handler;
}

/**
 * Serves unary calls of `method`: what `handle` returns is the reply, what it throws the caller's error.
 * `signal` aborts when the server stops or the caller is gone. A call that is repeated by the wire is handled again.
 */
export function answering<Request, Reply>(
  method: UnaryMethod<Request, Reply>,
  handle: (request: Request, signal: AbortSignal, headers: CallHeaders) => Promise<Reply>,
): Handler {
  return handler(method, async (stream, signal, headers) => {
    for await (const request of stream.received) await stream.send(await handle(request, signal, headers));
  });
}

/** Serves calls of one request and any number of replies; the next one is asked for when the caller has taken the one before. */
export function streaming<Request, Reply>(
  method: UnaryMethod<Request, Reply>,
  handle: (request: Request, signal: AbortSignal, headers: CallHeaders) => AsyncIterable<Reply>,
): Handler {
  return handler(method, async (stream, signal, headers) => {
    for await (const request of stream.received) {
      for await (const reply of handle(request, signal, headers)) await stream.send(reply);
      return;
    }
  });
}

/** How soon a stream notices that its peer has vanished without a word: the sum of the two. */
export interface Keepalive {
  /** How often the peer is asked for a sign of life, in ms. */
  readonly everyMs: number;
  /** How long it may take to give one. */
  readonly answerMs: number;
}

/** Moves messages between processes. Addresses are `host:port` or `unix:/path`. */
export interface Transport {
  /** Opens a stream; rejects when the peer cannot be reached. Closed when `signal` aborts. */
  open<Request, Reply>(
    method: StreamMethod<Request, Reply>,
    address: string,
    signal: AbortSignal,
    keepalive?: Keepalive,
  ): Promise<Stream<Request, Reply>>;
  /** One request, one reply; rejects when the peer cannot be reached or refuses, the wire breaks or `signal` aborts. Sets no deadline. */
  call<Request, Reply>(
    method: UnaryMethod<Request, Reply>,
    address: string,
    request: Request,
    signal: AbortSignal,
  ): Promise<Reply>;
  /** Serves until `signal` aborts; resolves with the address once it accepts streams. */
  serve(address: string, handlers: readonly Handler[], signal: AbortSignal): Promise<string>;
}
