import { expect, test } from 'vitest';
import { comment, connect, type Change, type ConnectOptions, type OvsdbClient } from './index.ts';
import { isArray } from './json.ts';
import { FakeServer, type Answer } from './testing/fake-server.ts';
import { sleep } from './testing/streams.ts';

const SCHEMA = {
  name: 'db',
  version: '1.0.0',
  tables: { T: { columns: { n: { type: 'integer' }, tags: { type: { key: 'string', min: 0, max: 'unlimited' } } } } },
};
const ID = '00000000-0000-0000-0000-00000000000';

/** Answers as a server that knows the given requests only. */
function knowing(answers: Readonly<Record<string, unknown>>): Answer {
  return (method) => {
    if (method === 'get_schema') return SCHEMA;
    if (method === 'echo') return [];
    if (!Object.hasOwn(answers, method)) throw 'unknown method';
    return answers[method];
  };
}

const QUICK = { silenceMs: 1000, minBackoffMs: 1, maxBackoffMs: 4 };

async function open(server: FakeServer, options: Partial<ConnectOptions> = {}): Promise<OvsdbClient> {
  return connect({ dial: server.dial, sleep, ...options, limits: { ...QUICK, ...options.limits } });
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(5000);
  while (!holds()) await sleep(1, deadline);
}

test.each([
  ['monitor_cond_since', [false, `${ID}0`, { T: { [`${ID}1`]: { initial: { n: 5 } } } }]],
  ['monitor_cond', { T: { [`${ID}1`]: { initial: { n: 5 } } } }],
  ['monitor', { T: { [`${ID}1`]: { new: { n: 5, tags: ['set', []] } } } }],
])('a server that knows %s at best is monitored by it', async (method, result) => {
  const server = new FakeServer(knowing({ [method]: result }));
  const client = await open(server);
  const monitor = await client.monitor('db', { T: {} });
  expect(monitor.method).toBe(method);
  expect(monitor.rows('T').get(`${ID}1`)).toEqual({ n: 5, tags: [] });
  client.close();
});

test('conditions are refused where the server knows none, instead of being ignored', async () => {
  const server = new FakeServer(knowing({ monitor: {} }));
  const client = await open(server);
  await expect(client.monitor('db', { T: { anyOf: [['n', '==', 1]] } })).rejects.toMatchObject({ code: 'unsupported' });
  client.close();
});

test('updates of the first protocol carry whole rows', async () => {
  const server = new FakeServer(knowing({ monitor: {} }));
  const client = await open(server);
  const monitor = await client.monitor('db', { T: {} });
  const id = monitorId(server);
  server.notify('update', id, { T: { [`${ID}1`]: { new: { n: 1, tags: 'a' } } } });
  server.notify('update', id, { T: { [`${ID}1`]: { old: { n: 1 }, new: { n: 2, tags: 'a' } } } });
  await until(() => monitor.rows('T').get(`${ID}1`)?.['n'] === 2);
  server.notify('update', id, { T: { [`${ID}1`]: { old: { n: 2, tags: 'a' } } } });
  await until(() => monitor.rows('T').size === 0);
  client.close();
});

test('an update right behind the first answer is not lost', async () => {
  const server = new FakeServer((method) => {
    if (method === 'get_schema') return SCHEMA;
    const { id, params } = server.received.at(-1) ?? {};
    const result = JSON.stringify({ id, error: null, result: [false, `${ID}0`, {}] });
    const name = (params as unknown[])[1];
    const more = JSON.stringify({
      id: null,
      method: 'update3',
      params: [name, `${ID}0`, { T: { [`${ID}2`]: { insert: { n: 3 } } } }],
    });
    server.send(result + more);
    return undefined;
  });
  const client = await open(server);
  const monitor = await client.monitor('db', { T: {} });
  await until(() => monitor.rows('T').size === 1);
  client.close();
});

test("the server's echo is answered", async () => {
  const server = new FakeServer(knowing({}));
  const client = await open(server);
  server.send('{"method":"echo","params":["ping"],"id":"echo"}');
  await until(() => server.received.some(({ id, result }) => id === 'echo' && String(result) === 'ping'));
  client.close();
});

test('a silent server is asked for an echo, and left for a new connection where none comes', async () => {
  const server = new FakeServer(() => undefined);
  const client = await open(server, { limits: { silenceMs: 5 } });
  const pending = expect(client.listDbs()).rejects.toMatchObject({ code: 'disconnected' });
  await pending;
  await until(() => server.dials >= 2);
  expect(server.received.map(({ method }) => method)).toContain('echo');
  client.close();
});

test('a server that answers its echoes is kept, however quiet', async () => {
  const server = new FakeServer(knowing({}));
  const client = await open(server, { limits: { silenceMs: 15 } });
  await until(() => server.received.filter(({ method }) => method === 'echo').length >= 4);
  expect(server.dials).toBe(1);
  client.close();
});

test.each([
  ['garbage', 'garbage', 'framing'],
  ['a message that is no message', '{"id":"what"}', 'protocol'],
  ['an update of an unknown table', '{"method":"update3","id":null,"params":["@","",{"X":{}}]}', 'protocol'],
  [
    'a change to an unknown row',
    `{"method":"update3","id":null,"params":["@","",{"T":{"x":{"modify":{"n":1}}}}]}`,
    'protocol',
  ],
])('%s ends the connection; the next one brings the monitor back in step from everything', async (_, text, code) => {
  let since: unknown;
  const server = new FakeServer((method, params) => {
    if (method === 'get_schema') return SCHEMA;
    since = params[3];
    return [false, `${ID}7`, { T: { [`${ID}1`]: { initial: { n: server.dials } } } }];
  });
  const causes: unknown[] = [];
  const client = await open(server, { onState: (_state, cause) => causes.push(cause?.code) });
  const monitor = await client.monitor('db', { T: {} });
  const changed: (readonly Change[])[] = [];
  monitor.onChange((changes) => changed.push(changes));
  server.send(text.replace('@', monitorId(server)));
  await until(() => server.dials === 2 && changed.length === 1);
  expect(causes).toContain(code);
  // Where the copy itself may be wrong, nothing is a safe point to go on from.
  expect(since).toBe(code === 'protocol' && text.includes('update3') ? `${ID}0` : `${ID}7`);
  expect(changed).toMatchObject([[{ old: { n: 1 }, new: { n: 2 } }]]);
  client.close();
});

test('a slow consumer gets one merged change per row, and none for a row that came and went', async () => {
  const server = new FakeServer(knowing({ monitor_cond: { T: { [`${ID}1`]: { initial: { n: 0 } } } } }));
  const client = await open(server);
  const monitor = await client.monitor('db', { T: {} });
  const batches = monitor.changes()[Symbol.asyncIterator]();
  const id = monitorId(server);
  for (let n = 1; n <= 1000; n += 1) server.notify('update2', id, { T: { [`${ID}1`]: { modify: { n } } } });
  server.notify('update2', id, { T: { [`${ID}2`]: { insert: {} } } });
  server.notify('update2', id, { T: { [`${ID}2`]: { delete: null }, [`${ID}3`]: { insert: {} } } });
  await until(() => monitor.rows('T').has(`${ID}3`));
  const { value } = await batches.next();
  expect(value).toEqual([
    { table: 'T', uuid: `${ID}1`, old: { n: 0, tags: [] }, new: { n: 1000, tags: [] } },
    { table: 'T', uuid: `${ID}3`, old: undefined, new: { n: 0, tags: [] } },
  ]);
  client.close();
  expect(await batches.next()).toMatchObject({ done: true });
});

test('calls beyond the limit are refused, those before it are not', async () => {
  const server = new FakeServer((method) => (method === 'list_dbs' ? undefined : []));
  const client = await open(server, { limits: { pendingCalls: 2 } });
  const settled = Promise.allSettled([client.listDbs(), client.listDbs()]);
  await expect(client.listDbs()).rejects.toMatchObject({ code: 'overloaded' });
  client.close();
  expect((await settled).map((call) => call.status)).toEqual(['rejected', 'rejected']);
});

test('an aborted call rejects with its reason, and its late answer harms nobody', async () => {
  const server = new FakeServer((method) => (method === 'list_dbs' ? ['db'] : undefined));
  const client = await open(server);
  const abort = new AbortController();
  const call = client.transact('db', [comment('x')], abort.signal);
  abort.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');
  await until(() => server.received.some(({ method }) => method === 'cancel'));
  const asked = server.received.find(({ method }) => method === 'transact');
  server.send(JSON.stringify({ id: asked?.id, result: [{}], error: null }));
  expect(await client.listDbs()).toEqual(['db']);
  client.close();
});

test('the owner’s signal closes everything, also while the first connection is awaited', async () => {
  const abort = new AbortController();
  const never = connect({ dial: () => Promise.reject(new Error('nobody there')), sleep, signal: abort.signal });
  abort.abort(new Error('going home'));
  await expect(never).rejects.toThrow('going home');

  const server = new FakeServer(() => undefined);
  const again = new AbortController();
  const client = await open(server, { signal: again.signal });
  const pending = expect(client.listDbs()).rejects.toMatchObject({ code: 'closed' });
  again.abort(new Error('going home'));
  await pending;
  expect(client.state).toBe('closed');
});

test('a malformed answer rejects its own call and no other', async () => {
  const server = new FakeServer((method) => (method === 'list_dbs' ? [1] : ['fine']));
  const client = await open(server);
  await expect(client.listDbs()).rejects.toMatchObject({ code: 'protocol' });
  await client.echo();
  expect(server.dials).toBe(1);
  client.close();
});

function monitorId(server: FakeServer): string {
  const asked = server.received.findLast(({ method }) => String(method).startsWith('monitor'));
  return String(isArray(asked?.params) ? asked.params[1] : undefined);
}
