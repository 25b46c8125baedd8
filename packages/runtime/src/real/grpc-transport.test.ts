import { getEventListeners, once } from 'node:events';
import { connect } from 'node:net';
import { Client, credentials, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { aborted, createWakeup } from '../signal.ts';
import { answering, CallRefused, handler, streaming, type StreamMethod, type UnaryMethod } from '../runtime.ts';
import { realClock } from './clock.ts';
import { grpcTransport } from './grpc-transport.ts';

const text = {
  encode: (message: string) => ({ finish: () => new TextEncoder().encode(message) }),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};
const method: StreamMethod<string, string> = { path: '/test.Echo/Talk', request: text, reply: text };

describe('messages over gRPC', () => {
  it('go both ways in order, and the stream ends when one side closes it', async () => {
    const stop = new AbortController();
    const echo = handler(method, async (stream) => {
      for await (const message of stream.received) await stream.send(`${message}!`);
    });
    const address = await grpcTransport.serve('127.0.0.1:0', [echo], stop.signal);
    const stream = await grpcTransport.open(method, address, stop.signal);
    const heard: string[] = [];
    for (let i = 0; i < 1000; i++) await stream.send(String(i));
    for await (const message of stream.received) {
      heard.push(message);
      if (heard.length === 1000) stream.close();
    }
    expect(heard).toEqual(Array.from({ length: 1000 }, (_, i) => `${i}!`));
    await expect(stream.send('late')).rejects.toThrow('closed');
    stop.abort();
  });

  it('break with an error when the server dies', async () => {
    const [server, client] = [new AbortController(), new AbortController()];
    const silent = handler(method, (_stream, signal) => aborted(signal));
    const address = await grpcTransport.serve('127.0.0.1:0', [silent], server.signal);
    const stream = await grpcTransport.open(method, address, client.signal);
    const reading = (async () => {
      for await (const message of stream.received) expect(message).toBe('nothing is ever said');
    })();
    server.abort();
    await expect(reading).rejects.toThrow();
    client.abort();
  });

  it('cost a server of many callers no more each than one of few: its signal has one listener for all of them', async () => {
    const [server, client] = [new AbortController(), new AbortController()];
    const talk = handler(method, async (stream, signal) => {
      await stream.send('hello');
      await aborted(signal);
    });
    const address = await grpcTransport.serve('127.0.0.1:0', [talk], server.signal);
    for (let n = 0; n < 3; n++) {
      const stream = await grpcTransport.open(method, address, client.signal);
      await stream.received[Symbol.asyncIterator]().next();
    }
    expect(getEventListeners(server.signal, 'abort')).toHaveLength(1);
    client.abort();
    server.abort();
  });

  it('come from a process that has many streams without a warning that it leaks', async () => {
    const [server, client] = [new AbortController(), new AbortController()];
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const talk = handler(method, async (_, signal) => aborted(signal));
    const address = await grpcTransport.serve('127.0.0.1:0', [talk], server.signal);
    for (let n = 0; n < 12; n++) await grpcTransport.open(method, address, client.signal);
    expect(getEventListeners(client.signal, 'abort').length).toBeGreaterThan(10);
    expect(warnings).toEqual([]);
    process.off('warning', note);
    client.abort();
    server.abort();
  });

  it('keep nobody who stops from ending, though a caller is cut off and never says goodbye', async () => {
    const stop = new AbortController();
    const address = await grpcTransport.serve('127.0.0.1:0', [], stop.signal);
    const [host = '', port] = address.split(':');
    const caller = connect({ host, port: Number(port), allowHalfOpen: true });
    // RFC 9113, section 3.4: HTTP/2 begins with these words and settings, here none.
    caller.write(Buffer.from([...Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 0, 0, 0, 4, 0, 0, 0, 0, 0]));
    await once(caller, 'readable');
    caller.on('error', () => {});
    const refused = new Promise((resolve) => caller.once('close', resolve));
    stop.abort();
    // Into a connection that still waits for its end one could go on writing.
    const again = setInterval(() => caller.write('more'), 20);
    await refused;
    clearInterval(again);
  });

  it('arrive whole and in order, however long they are', async () => {
    const stop = new AbortController();
    const echo = handler(method, async (stream) => {
      for await (const message of stream.received) await stream.send(message);
    });
    const address = await grpcTransport.serve('127.0.0.1:0', [echo], stop.signal);
    const stream = await grpcTransport.open(method, address, stop.signal);
    const lengths = [0, 1, 5_000_000, 16_384, 3, 300_000, 0];
    const sending = (async () => {
      for (const length of lengths) await stream.send('x'.repeat(length));
    })();
    const heard: number[] = [];
    for await (const message of stream.received) if (heard.push(message.length) === lengths.length) break;
    await sending;
    expect(heard).toEqual(lengths);
    stop.abort();
  });

  it('are no more than the reader takes', async () => {
    const stop = new AbortController();
    let made = 0;
    const flood = handler(method, async (stream, signal) => {
      for (; made < 10_000 && !signal.aborted; made++) await stream.send('x'.repeat(10_000));
    });
    const address = await grpcTransport.serve('127.0.0.1:0', [flood], stop.signal);
    const stream = await grpcTransport.open(method, address, stop.signal);
    for (let before = -1; before !== made;) {
      before = made;
      await realClock.sleep(200);
    }
    expect(made).toBeLessThan(5_000);
    let heard = 0;
    for await (const message of stream.received) heard += message.length / 10_000;
    expect(heard).toBe(10_000);
    stop.abort();
  });

  it('break with the status and the words of who refuses them', async () => {
    const stop = new AbortController();
    const guarded = handler(method, async (stream) => {
      await stream.send('halt');
      throw new CallRefused('PERMISSION_DENIED', 'ein Schlüssel fehlt');
    });
    const address = await grpcTransport.serve('127.0.0.1:0', [guarded], stop.signal);
    const stream = await grpcTransport.open(method, address, stop.signal);
    const heard: string[] = [];
    const reading = (async () => {
      for await (const message of stream.received) heard.push(message);
    })();
    await expect(reading).rejects.toThrow('7 PERMISSION_DENIED: ein Schlüssel fehlt');
    expect(heard).toEqual(['halt']);
    const unknown = await grpcTransport.open({ ...method, path: '/test.Echo/Nothing' }, address, stop.signal);
    const waiting = (async () => {
      for await (const message of unknown.received) heard.push(message);
    })();
    await expect(waiting).rejects.toThrow('12 UNIMPLEMENTED');
    stop.abort();
  });

  it('tell who answers that the caller is gone', async () => {
    const [stop, caller] = [new AbortController(), new AbortController()];
    const gone = createWakeup();
    const waits = handler(method, async (stream, signal) => {
      await stream.send('hello');
      await aborted(signal);
      gone.raise();
    });
    const address = await grpcTransport.serve('127.0.0.1:0', [waits], stop.signal);
    const stream = await grpcTransport.open(method, address, caller.signal);
    for await (const message of stream.received) {
      expect(message).toBe('hello');
      caller.abort();
    }
    await gone.wait();
    stop.abort();
  });

  it('cannot be sent to an address where nobody listens', async () => {
    const signal = AbortSignal.timeout(10_000);
    await expect(grpcTransport.open(method, 'unix:/nonexistent/agent.sock', signal)).rejects.toThrow('cannot reach');
  });
});

const greet: UnaryMethod<string, string> = { path: '/test.Greeter/Greet', request: text, reply: text };
const serialize = (message: string): Buffer => Buffer.from(message);
const deserialize = (bytes: Buffer): string => bytes.toString();

function greeter() {
  return answering(greet, async (name) => {
    if (name === '') throw new Error('who are you?');
    return `hello ${name}`;
  });
}

describe('a unary call over gRPC', () => {
  it('brings the reply, or the reason why there is none', async () => {
    const stop = new AbortController();
    const address = await grpcTransport.serve('127.0.0.1:0', [greeter()], stop.signal);
    expect(await grpcTransport.call(greet, address, 'Ann', stop.signal)).toBe('hello Ann');
    await expect(grpcTransport.call(greet, address, '', stop.signal)).rejects.toThrow('who are you?');
    stop.abort();
    await expect(grpcTransport.call(greet, address, 'Ann', AbortSignal.timeout(10_000))).rejects.toThrow();
  });

  it('ends when its caller has waited long enough', async () => {
    const [stop, caller] = [new AbortController(), new AbortController()];
    const silent = answering(greet, async (_name, signal) => {
      caller.abort(new Error('long enough'));
      await aborted(signal);
      return '';
    });
    const address = await grpcTransport.serve('127.0.0.1:0', [silent], stop.signal);
    await expect(grpcTransport.call(greet, address, 'Ann', caller.signal)).rejects.toThrow('long enough');
    stop.abort();
  });

  it('is answered when it comes from a client that knows the method as unary', async () => {
    const stop = new AbortController();
    const address = await grpcTransport.serve('127.0.0.1:0', [greeter()], stop.signal);
    const client = new Client(address, credentials.createInsecure());
    const ask = (name: string): Promise<{ reply?: string | undefined; code: status }> =>
      new Promise((resolve) => {
        let reply: string | undefined;
        const call = client.makeUnaryRequest(greet.path, serialize, deserialize, name, (_error, value) => {
          reply = value;
        });
        call.once('status', ({ code }) => setImmediate(() => resolve({ reply, code })));
      });
    expect(await ask('Ben')).toEqual({ reply: 'hello Ben', code: status.OK });
    expect(await ask('')).toEqual({ reply: undefined, code: status.INTERNAL });
    client.close();
    stop.abort();
  });

  it('is understood by a server that knows the method as unary', async () => {
    const server = new Server();
    const definition = {
      path: greet.path,
      requestStream: false,
      responseStream: false,
      requestSerialize: serialize,
      requestDeserialize: deserialize,
      responseSerialize: serialize,
      responseDeserialize: deserialize,
    };
    server.addService(
      { greet: definition },
      {
        greet: (call: { request: string }, answer: (error: null, reply: string) => void) =>
          answer(null, `good day ${call.request}`),
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    const signal = AbortSignal.timeout(10_000);
    expect(await grpcTransport.call(greet, `127.0.0.1:${port}`, 'Cleo', signal)).toBe('good day Cleo');
    server.forceShutdown();
  });
});

describe('a call of one request and many replies', () => {
  const count: UnaryMethod<string, string> = { path: '/test.Counter/Count', request: text, reply: text };
  it('goes on until the caller has had enough, and makes no more than it takes', async () => {
    const stop = new AbortController();
    let made = 0;
    const ended = createWakeup();
    async function* numbers(request: string, signal: AbortSignal): AsyncGenerator<string> {
      try {
        while (!signal.aborted) yield `${request}${made++}${'.'.repeat(10_000)}`;
      } finally {
        ended.raise();
      }
    }
    const address = await grpcTransport.serve('127.0.0.1:0', [streaming(count, numbers)], stop.signal);
    const client = new Client(address, credentials.createInsecure());
    const call = client.makeServerStreamRequest(count.path, serialize, deserialize, 'n');
    call.on('error', () => {});
    const first = await new Promise<string>((resolve) => call.once('data', resolve));
    expect(first).toMatch(/^n0/);
    call.pause();
    // A reader that stops reading stops the writer.
    for (let before = -1; before !== made;) {
      before = made;
      await realClock.sleep(200);
    }
    expect(made).toBeLessThan(1_000);
    call.cancel();
    await ended.wait(stop.signal);
    client.close();
    stop.abort();
  });

  it('is refused with the status and the words that the handler gives, by what the caller says of itself', async () => {
    const stop = new AbortController();
    const guarded = answering(greet, async (name, _signal, headers) => {
      if (headers['x-auth-token'] !== 'open sesame') throw new CallRefused('UNAUTHENTICATED', 'who are you?');
      return `welcome, ${name}`;
    });
    const address = await grpcTransport.serve('127.0.0.1:0', [guarded], stop.signal);
    const client = new Client(address, credentials.createInsecure());
    const ask = (token: string): Promise<unknown> =>
      new Promise((resolve) => {
        const headers = new Metadata();
        headers.set('x-auth-token', token);
        client.makeUnaryRequest(greet.path, serialize, deserialize, 'Ali', headers, (error, reply) =>
          resolve(error === null ? reply : { code: error.code, details: error.details }),
        );
      });
    expect(await ask('open sesame')).toBe('welcome, Ali');
    expect(await ask('open barley')).toEqual({ code: status.UNAUTHENTICATED, details: 'who are you?' });
    client.close();
    stop.abort();
  });
});
