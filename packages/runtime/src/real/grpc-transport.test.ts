import { describe, expect, it } from 'vitest';
import { aborted } from '../signal.ts';
import { handler, type StreamMethod } from '../runtime.ts';
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

  it('cannot be sent to an address where nobody listens', async () => {
    const signal = AbortSignal.timeout(10_000);
    await expect(grpcTransport.open(method, 'unix:/nonexistent/agent.sock', signal)).rejects.toThrow('cannot reach');
  });
});
