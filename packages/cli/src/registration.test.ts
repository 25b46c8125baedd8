import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSchedule } from '@alcor/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from './region/client.ts';
import { addressTowards, register } from './registration.ts';

const node = {
  id: 'compute-1',
  ip: '192.0.2.7',
  agentAddress: '192.0.2.7:50001',
  bridgeMappings: { physnet1: 'br-ex' },
};

const said = { ip: node.ip, agent_address: node.agentAddress, bridge_mappings: node.bridgeMappings };

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

describe('a host', () => {
  const schedule = createSchedule();
  let server: Server;
  let asked: Request[];
  let known:
    | { readonly ip: string; readonly agent_address: string; readonly bridge_mappings?: Record<string, string> }
    | undefined;
  /** Requests that are answered with an error first. */
  let outage: number;

  beforeEach(async () => {
    [asked, known, outage] = [[], undefined, 0];
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const method = request.method ?? '';
      asked.push({ method, path: request.url ?? '', body: await read(request) });
      if (outage > 0) response.statusCode = 503;
      else if (method === 'GET' && known === undefined) response.statusCode = 404;
      else if (method === 'POST') response.statusCode = 201;
      outage--;
      response.end(JSON.stringify({ node: known ?? {} }));
    };
    server = createServer((request, response) => void answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => {
    server.close();
  });

  const registered = async (): Promise<string[]> => {
    const lines: string[] = [];
    const stop = new AbortController();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connect = async () => createClient(url, stop.signal);
    const log = (line: string): void => void lines.push(line);
    const over = register(node, { connect, clock: schedule.clock, log }, stop.signal).then(() => 'over');
    // Answers come by real sockets, pauses by the virtual clock.
    const settled = { is: false };
    void over.then(() => (settled.is = true));
    while (!settled.is) {
      await new Promise((done) => setImmediate(done));
      await schedule.run(100);
    }
    return lines;
  };

  it('that nobody knows registers itself', async () => {
    await registered();
    expect(asked).toEqual([
      { method: 'GET', path: '/alcor/v1/nodes/compute-1', body: undefined },
      {
        method: 'POST',
        path: '/alcor/v1/nodes',
        body: { node: { id: 'compute-1', name: 'compute-1', ...said } },
      },
    ]);
  });

  it('that has another address than before says so, and nothing else of what an operator set', async () => {
    known = { ip: '192.0.2.6', agent_address: '192.0.2.6:50001' };
    await registered();
    expect(asked.slice(1)).toEqual([
      {
        method: 'PUT',
        path: '/alcor/v1/nodes/compute-1',
        body: { node: said },
      },
    ]);
  });

  it('that is known as it is changes nothing', async () => {
    known = said;
    expect(await registered()).toEqual([
      'the region knows node compute-1 at 192.0.2.7, with its agent at 192.0.2.7:50001',
    ]);
    expect(asked.map(({ method }) => method)).toEqual(['GET']);
  });

  it('that starts before its region tries again, ever more rarely', async () => {
    outage = 3;
    const lines = await registered();
    expect(lines.slice(0, 3)).toEqual(
      [1, 2, 4].map((seconds) => `cannot register as node compute-1; trying again in ${seconds} s`),
    );
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'GET', 'POST']);
  });
});

describe('the address of a host', () => {
  const schedule = createSchedule();
  const { clock } = schedule;
  const stop = new AbortController();

  it('is the one that it uses towards its region', async () => {
    const patience = { clock, log: () => {} };
    expect(await addressTowards(new URL('http://127.0.0.1:9696'), patience, stop.signal)).toBe('127.0.0.1');
  });

  it('is asked for again while there is no way to the region', async () => {
    const lines: string[] = [];
    const nowhere = new URL('http://no-such-host.invalid');
    const asked = addressTowards(nowhere, { clock, log: (line) => void lines.push(line) }, stop.signal);
    while (lines.length < 3) {
      await new Promise((done) => setImmediate(done));
      await schedule.run(1_000);
    }
    expect(lines[1]).toBe('there is no way to no-such-host.invalid yet; trying again in 2 s');
    stop.abort();
    expect(await asked).toBe(undefined);
  });
});

async function read(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : JSON.parse(text);
}
