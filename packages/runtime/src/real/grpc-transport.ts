import { setMaxListeners } from 'node:events';
import { type AddressInfo, createServer, type Server as ListeningServer, type Socket } from 'node:net';
import {
  type ChannelOptions,
  Client,
  credentials,
  type Metadata,
  type MethodDefinition,
  Server,
  type ServerDuplexStream,
  ServerCredentials,
  status,
} from '@grpc/grpc-js';
import { target } from './dial.ts';
import { bytesOf, messageBytesAtMost } from './grpc-frames.ts';
import { openStream } from './grpc-stream.ts';
import { CallRefused, type CallHeaders, type Codec, type Handler, type Stream, type Transport } from '../runtime.ts';

const connectTimeoutMs = 5_000;

const options: ChannelOptions = {
  'grpc.max_receive_message_length': messageBytesAtMost,
  'grpc.max_send_message_length': messageBytesAtMost,
  // A peer that vanished without a word is noticed within 15 s.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  // Nobody reads it, and each call would be counted at each of its steps.
  'grpc.enable_channelz': 0,
};

/** gRPC without TLS: for loopback and Unix sockets. */
export const grpcTransport: Transport = {
  open: openStream,

  async call(method, address, request, signal) {
    const client = await connected(address, signal);
    return new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        method.path,
        serializer(method.request),
        deserializer(method.reply),
        request,
        (error, reply) => {
          signal.removeEventListener('abort', cancel);
          client.close();
          if (signal.aborted) reject(signal.reason as Error);
          else if (error !== null) reject(error);
          else resolve(reply!);
        },
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
    });
  },

  async serve(address, handlers, signal) {
    signal.throwIfAborted();
    // Whatever runs in a process that serves listens to what ends it: that many are no leak.
    setMaxListeners(0, signal);
    // A caller that holds a large region may stop for many seconds, to collect its garbage: that must not cost it all its hosts at once.
    const server = new Server({ ...options, 'grpc.keepalive_timeout_ms': 30_000 });
    const calls: OpenCalls = new Set();
    for (const each of handlers) serveMethod(server, each, calls);
    const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
    // Else an answer may wait for the caller to acknowledge the one before, which it puts off by 40 ms.
    const sockets = new Set<Socket>();
    const listener = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      connections.injectConnection(socket);
    });
    await listening(listener, address);
    signal.addEventListener(
      'abort',
      () => {
        listener.close();
        server.forceShutdown();
        // It says goodbye and waits for the peer to do the same, which one that is cut off never does.
        for (const socket of sockets) socket.destroy();
        for (const stop of calls) stop(signal.reason);
      },
      { once: true },
    );
    const { port = 0 } = (listener.address() as AddressInfo | null) ?? {};
    return address.startsWith('unix:') ? address : address.replace(/:\d+$/, `:${port}`);
  },
};

/** A client with a connection of its own; rejects when nobody answers at `address`. */
async function connected(address: string, signal: AbortSignal): Promise<Client> {
  signal.throwIfAborted();
  const client = new Client(address, credentials.createInsecure(), { ...options, 'grpc.use_local_subchannel_pool': 1 });
  const close = (): void => client.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    await ready(client);
    signal.throwIfAborted();
    return client;
  } catch (cause) {
    client.close();
    throw new Error(`cannot reach ${address}`, { cause });
  } finally {
    signal.removeEventListener('abort', close);
  }
}

function ready(client: Client): Promise<void> {
  return new Promise((resolve, reject) =>
    client.waitForReady(Date.now() + connectTimeoutMs, (error) => (error === undefined ? resolve() : reject(error))),
  );
}

function listening(listener: ListeningServer, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(target(address), () => {
      listener.off('error', reject);
      resolve();
    });
  });
}

/**
 * What stops each call that is open. If calls listened to the server's signal themselves, thousands at once would cost the square of their
 * number: a signal looks through all its listeners for each one that comes or goes.
 */
type OpenCalls = Set<(reason: unknown) => void>;

function serveMethod(server: Server, { method, handle }: Handler, calls: OpenCalls): void {
  const definition: MethodDefinition<unknown, unknown> = {
    path: method.path,
    requestStream: true,
    responseStream: true,
    requestSerialize: serializer(method.request),
    requestDeserialize: deserializer(method.request),
    responseSerialize: serializer(method.reply),
    responseDeserialize: deserializer(method.reply),
  };
  const run = (call: ServerDuplexStream<unknown, unknown>): void => {
    const stream = duplexStream<unknown, unknown>(call, () => call.end());
    const gone = new AbortController();
    const stop = (reason: unknown): void => {
      stream.close();
      gone.abort(reason);
    };
    calls.add(stop);
    call.once('close', () => calls.delete(stop));
    call.once('cancelled', () => gone.abort(new Error('the caller is gone')));
    handle(stream, gone.signal, headersOf(call.metadata)).then(
      () => call.end(),
      (error: unknown) => call.emit('error', refusalOf(error)),
    );
  };
  server.addService({ [method.path]: definition }, { [method.path]: run });
}

function headersOf(metadata: Metadata): CallHeaders {
  return Object.fromEntries(
    Object.entries(metadata.getMap()).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}

function refusalOf(error: unknown): { readonly code: status; readonly details: string } {
  if (error instanceof CallRefused) return { code: status[error.status], details: error.message };
  return { code: status.INTERNAL, details: String(error) };
}

function serializer<T>(codec: Codec<T>): (message: T) => Buffer {
  return (message) => {
    const bytes = bytesOf(codec, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function deserializer<T>(codec: Codec<T>): (bytes: Buffer) => T {
  return (bytes) => codec.decode(bytes);
}

/** Either end of a streaming call, as far as both are alike. */
interface Call {
  readonly destroyed: boolean;
  write(message: unknown): boolean;
  iterator(options: { destroyOnReturn: boolean }): AsyncIterable<unknown>;
  on(event: string, listener: () => void): unknown;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

function duplexStream<Out, In>(call: Call, end: () => void): Stream<Out, In> {
  let closed = false;
  /** All who wait until more can be sent wait together. */
  let draining: Promise<void> | undefined;
  const close = (): void => {
    if (closed) return;
    closed = true;
    end();
  };
  call.on('error', () => {}); // the iteration or the next send reports it; without a listener it would end the process

  async function* receive(): AsyncGenerator<In, void> {
    try {
      // A reader that stops early may still have something to say.
      for await (const message of call.iterator({ destroyOnReturn: false })) yield message as In;
    } catch (error) {
      if (!closed) throw error;
    }
  }

  return {
    send(message) {
      if (closed || call.destroyed) return Promise.reject(new Error('the stream is closed'));
      if (call.write(message)) return Promise.resolve();
      return (draining ??= drained(call).finally(() => (draining = undefined)));
    },
    received: { [Symbol.asyncIterator]: receive },
    close,
  };
}

function drained(call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (run: () => void) => (): void => {
      call.off('drain', onDrain);
      call.off('close', onClose);
      run();
    };
    const onDrain = settle(resolve);
    const onClose = settle(() => reject(new Error('the stream is closed')));
    call.once('drain', onDrain);
    call.once('close', onClose);
  });
}
