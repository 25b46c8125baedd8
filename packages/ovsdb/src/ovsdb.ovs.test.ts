import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  connect,
  insert,
  map,
  mapOf,
  mutate,
  named,
  numberOf,
  optionalNumberOf,
  OvsdbError,
  refsOf,
  remove,
  select,
  textOf,
  textsOf,
  TransactionError,
  update,
  uuid,
  wait,
  type Change,
  type ConnectOptions,
  type Monitor,
  type OvsdbClient,
} from './index.ts';
import { missing, OvsdbServer } from './testing/ovsdb-server.ts';
import { dialTo, sleep } from './testing/streams.ts';

const DB = 'Open_vSwitch';
const reason = missing();
if (reason !== undefined) console.warn(`skipped: tests against the real ovsdb-server (${reason})`);

describe.skipIf(reason !== undefined)('against the real ovsdb-server', () => {
  let server: OvsdbServer;
  let clients: OvsdbClient[];

  beforeEach(async () => {
    server = await OvsdbServer.create('standalone');
    clients = [];
  });
  afterEach(async () => {
    for (const client of clients) client.close();
    await server.destroy();
  });

  async function open(options: Partial<ConnectOptions> = {}): Promise<OvsdbClient> {
    const client = await connect({ dial: dialTo(server.socket), sleep, ...options });
    clients.push(client);
    return client;
  }

  /** A switch with one bridge; the ids of both. */
  async function withBridge(client: OvsdbClient, name: string): Promise<{ root: string; bridge: string }> {
    const [bridge, root] = await client.transact(DB, [
      insert('Bridge', { name, datapath_type: 'netdev' }, 'bridge'),
      insert('Open_vSwitch', { bridges: [named('bridge')], external_ids: map({ owner: 'me' }) }),
    ]);
    return { bridge: bridge.uuid, root: root.uuid };
  }

  test.each(['unix', 'tcp'] as const)('names its databases and their schema over %s', async (kind) => {
    const port = 20_000 + (process.pid % 20_000);
    await server.start(`ptcp:${port}:127.0.0.1`);
    const client = await open({ dial: dialTo(kind === 'tcp' ? port : server.socket) });
    expect(await client.listDbs()).toContain(DB);
    const schema = await client.getSchema(DB);
    expect(schema.tables.get('Interface')?.columns.get('ofport')).toEqual({ key: 'integer', min: 0, max: 1 });
    expect(schema.tables.get('Bridge')?.columns.get('ports')).toMatchObject({ key: 'uuid', refTable: 'Port' });
    await client.echo(['hello']);
  });

  test('what is written is read back, typed', async () => {
    await server.start();
    const client = await open();
    const { root } = await withBridge(client, 'br-a');
    const where = [['_uuid', '==', uuid(root)] as const];
    const [counted, read] = await client.transact(DB, [
      mutate('Open_vSwitch', where, [
        ['next_cfg', '+=', 5],
        ['external_ids', 'insert', map({ more: 'ü{"' })],
      ]),
      select('Open_vSwitch', where, ['_uuid', 'next_cfg', 'external_ids', 'bridges', 'ovs_version']),
    ]);
    expect(counted.count).toBe(1);
    const [row] = read.rows;
    if (row === undefined) throw new Error('no row');
    expect(refsOf(row, '_uuid')).toEqual([root]);
    expect(numberOf(row, 'next_cfg')).toBe(5);
    expect([...mapOf(row, 'external_ids')]).toEqual([
      ['more', 'ü{"'],
      ['owner', 'me'],
    ]);
    expect(textsOf(row, 'ovs_version')).toEqual([]);
  });

  test('a failed transaction names the operation and changes nothing', async () => {
    await server.start();
    const client = await open();
    await withBridge(client, 'br-a');
    const failed = client.transact(DB, [
      update('Open_vSwitch', [], { next_cfg: 9 }),
      insert('Bridge', { name: 'br-b', fail_mode: 'nonsense' }),
    ]);
    await expect(failed).rejects.toBeInstanceOf(TransactionError);
    await expect(failed).rejects.toMatchObject({
      code: 'transaction',
      failure: { index: 1, operation: 'insert into Bridge', error: 'constraint violation' },
    });
    const [{ rows }] = await client.transact(DB, [select('Open_vSwitch', [], ['next_cfg'])]);
    expect(rows).toEqual([{ next_cfg: 0 }]);
  });

  test('a transaction that fails only when it commits says so', async () => {
    await server.start();
    const client = await open();
    await withBridge(client, 'br-a');
    const dangling = uuid('00000000-0000-0000-0000-000000000001');
    await expect(client.transact(DB, [update('Open_vSwitch', [], { bridges: [dangling] })])).rejects.toMatchObject({
      failure: { index: undefined, operation: 'commit', error: 'referential integrity violation' },
    });
  });

  test('an unknown database is refused by name', async () => {
    await server.start();
    const client = await open();
    await expect(client.getSchema('Nowhere')).rejects.toMatchObject({ code: 'refused' });
    await expect(client.monitor('Nowhere', {})).rejects.toThrow('Nowhere');
    expect(client.state).toBe('connected');
  });

  test('a waiting transaction is withdrawn by its signal', async () => {
    await server.start();
    const client = await open();
    await withBridge(client, 'br-a');
    const abort = new AbortController();
    const columns = ['next_cfg'];
    const waiting = client.transact(
      DB,
      [
        wait({ table: 'Open_vSwitch', where: [], columns, until: '==', rows: [{ next_cfg: 7 }] }),
        update('Open_vSwitch', [], { external_ids: map({ late: 'yes' }) }),
      ],
      abort.signal,
    );
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await client.transact(DB, [update('Open_vSwitch', [], { next_cfg: 7 })]);
    const [{ rows }] = await client.transact(DB, [select('Open_vSwitch', [], ['external_ids'])]);
    expect(rows).toEqual([{ external_ids: map({ owner: 'me' }) }]);
  });

  test('a monitor already shows what a transaction did when the transaction resolves', async () => {
    await server.start();
    const client = await open();
    const monitor = await client.monitor(DB, { Open_vSwitch: { columns: ['next_cfg', 'bridges'] }, Bridge: {} });
    expect(monitor.method).toBe('monitor_cond_since');
    const seen: Change[] = [];
    monitor.onChange((changes) => seen.push(...changes));
    const { bridge, root } = await withBridge(client, 'br-a');
    expect(monitor.rows('Open_vSwitch').get(root)).toEqual({ next_cfg: 0, bridges: [uuid(bridge)] });
    expect(textOf(monitor.rows('Bridge').get(bridge) ?? {}, 'name')).toBe('br-a');
    expect(monitor.rows('Bridge').get(bridge)).not.toHaveProperty('_version');
    await client.transact(DB, [update('Open_vSwitch', [], { next_cfg: 3 })]);
    await client.transact(DB, [remove('Open_vSwitch', [])]);
    expect(monitor.rows('Bridge').size).toBe(0);
    expect(seen.map(({ table, old, new: now }) => [table, old !== undefined, now !== undefined])).toEqual([
      ['Bridge', false, true],
      ['Open_vSwitch', false, true],
      ['Open_vSwitch', true, true],
      ['Bridge', true, false],
      ['Open_vSwitch', true, false],
    ]);
  });

  test('a monitor with conditions holds the rows that meet one of them', async () => {
    await server.start();
    const client = await open();
    const monitor = await client.monitor(DB, {
      Bridge: {
        columns: ['name'],
        anyOf: [
          ['name', '==', 'br-a'],
          ['name', '==', 'br-c'],
        ],
      },
    });
    for (const name of ['br-a', 'br-b', 'br-c']) await withBridge(client, name);
    expect([...monitor.rows('Bridge').values()].map((row) => row['name'])).toEqual(['br-a', 'br-c']);
  });

  test('a closed monitor is forgotten by the server too', async () => {
    await server.start();
    const client = await open();
    const monitor = await client.monitor(DB, { Bridge: {} });
    monitor.close();
    await withBridge(client, 'br-a');
    expect(monitor.rows('Bridge').size).toBe(0);
  });

  test.each(['standalone', 'clustered'] as const)(
    'a monitor comes back in step after kill -9 of a %s server, and reports only the difference',
    async (kind) => {
      await server.destroy();
      server = await OvsdbServer.create(kind);
      await server.start();
      const client = await open();
      const { bridge } = await withBridge(client, 'br-a');
      const monitor = await client.monitor(DB, { Bridge: { columns: ['name', 'fail_mode', 'external_ids'] } });
      const batches: (readonly Change[])[] = [];
      monitor.onChange((changes) => batches.push(changes));
      const interrupted = client.transact(DB, [
        wait({ table: 'Open_vSwitch', where: [], columns: ['next_cfg'], until: '==', rows: [{ next_cfg: 7 }] }),
      ]);
      await server.killHard();
      await expect(interrupted).rejects.toMatchObject({ code: 'disconnected' });
      await expect(client.listDbs()).rejects.toBeInstanceOf(OvsdbError);
      expect(monitor.rows('Bridge').size).toBe(1);
      await changeBehindItsBack(bridge);
      await untilReady(client, monitor, 'br-new');
      expect(batches).toHaveLength(1);
      const changes = [...(batches[0] ?? [])].sort((a, b) => Number(a.old === undefined) - Number(b.old === undefined));
      expect(changes).toMatchObject([
        { uuid: bridge, old: { fail_mode: [], name: 'br-a' }, new: { fail_mode: ['secure'], name: 'br-a' } },
        { old: undefined, new: { name: 'br-new' } },
      ]);
      await client.transact(DB, [update('Bridge', [['name', '==', 'br-a']], { external_ids: map({ a: 'b' }) })]);
      expect([...mapOf(monitor.rows('Bridge').get(bridge) ?? {}, 'external_ids')]).toEqual([['a', 'b']]);
    },
  );

  /** Restarts the server on a socket that the client under test does not know, changes two rows, and puts it back. */
  async function changeBehindItsBack(bridge: string): Promise<void> {
    const known = server.socket;
    const hidden = `${server.folder}/hidden.sock`;
    await server.start();
    const other = await connect({ dial: dialTo(known), sleep });
    void hidden;
    await other.transact(DB, [
      update('Bridge', [['_uuid', '==', uuid(bridge)]], { fail_mode: 'secure' }),
      insert('Bridge', { name: 'br-new' }, 'fresh'),
      mutate('Open_vSwitch', [], [['bridges', 'insert', [named('fresh')]]]),
    ]);
    other.close();
  }

  async function untilReady(client: OvsdbClient, monitor: Monitor, name: string): Promise<void> {
    await client.ready(AbortSignal.timeout(20_000));
    for (const deadline = Date.now() + 5000; Date.now() < deadline; await sleep(5, AbortSignal.timeout(1000))) {
      if ([...monitor.rows('Bridge').values()].some((row) => row['name'] === name)) return;
    }
    throw new Error(`no bridge ${name}`);
  }

  test('a clustered server sends only what came after the last transaction seen', async () => {
    await server.destroy();
    server = await OvsdbServer.create('clustered');
    await server.start();
    const client = await open();
    const { root } = await withBridge(client, 'br-a');
    const monitor = await client.monitor(DB, { Open_vSwitch: { columns: ['next_cfg'] } });
    expect(optionalNumberOf(monitor.rows('Open_vSwitch').get(root) ?? {}, 'next_cfg')).toBe(0);
    expect(monitor).toMatchObject({ lastTransaction: expect.not.stringMatching(/^0{8}-/) as unknown });
  });

  test('calls under way reject when the client closes, and the stream of changes ends', async () => {
    await server.start();
    const client = await open();
    const monitor = await client.monitor(DB, { Open_vSwitch: {} });
    const drained = (async () => {
      for await (const batch of monitor.changes()) throw new Error(`unexpected ${batch.length}`);
    })();
    const pending = client.transact(DB, [
      wait({ table: 'Open_vSwitch', where: [], columns: ['next_cfg'], until: '==', rows: [{ next_cfg: 7 }] }),
    ]);
    client.close();
    await expect(pending).rejects.toMatchObject({ code: 'closed' });
    await expect(client.ready()).rejects.toMatchObject({ code: 'closed' });
    await drained;
  });
});
