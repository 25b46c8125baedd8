import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  connect,
  insert,
  map,
  mapOf,
  mutate,
  named,
  numberOf,
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

  test.each(['unix', 'tcp'] as const)('names its databases and their schema over %s', async (kind) => {
    await server.start('ptcp:0:127.0.0.1');
    const port = await server.port();
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
    await withBridge(client, 'br-a');
    for (const name of ['br-b', 'br-c']) await addBridge(client, name);
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
      let reachable = true;
      const dial = async (signal: AbortSignal): Promise<Duplex> => {
        if (!reachable) throw new Error('kept away');
        return dialTo(server.socket)(signal);
      };
      const client = await open({ dial });
      const { bridge } = await withBridge(client, 'br-a');
      const monitor = await client.monitor(DB, { Bridge: { columns: ['name', 'fail_mode', 'external_ids'] } });
      const batches: (readonly Change[])[] = [];
      monitor.onChange((changes) => batches.push(changes));
      const interrupted = client.transact(DB, [
        wait({ table: 'Open_vSwitch', where: [], columns: ['next_cfg'], until: '==', rows: [{ next_cfg: 7 }] }),
      ]);
      const told = expect(interrupted).rejects.toMatchObject({ code: 'disconnected' });

      reachable = false;
      await server.killHard();
      await told;
      await expect(client.listDbs()).rejects.toMatchObject({ code: 'disconnected' });
      expect(monitor.rows('Bridge').size).toBe(1);

      await server.start();
      await changeBridges(server, bridge);
      reachable = true;
      await client.ready(AbortSignal.timeout(20_000));
      expect(batches).toHaveLength(1);
      const changes = [...(batches[0] ?? [])].sort((a, b) => Number(a.old === undefined) - Number(b.old === undefined));
      expect(changes).toEqual([
        {
          table: 'Bridge',
          uuid: bridge,
          old: { name: 'br-a', fail_mode: [], external_ids: new Map() },
          new: { name: 'br-a', fail_mode: ['secure'], external_ids: new Map() },
        },
        expect.objectContaining({ old: undefined, new: { name: 'br-new', fail_mode: [], external_ids: new Map() } }),
      ]);
      await client.transact(DB, [update('Bridge', [['name', '==', 'br-a']], { external_ids: map({ a: 'b' }) })]);
      expect([...mapOf(monitor.rows('Bridge').get(bridge) ?? {}, 'external_ids')]).toEqual([['a', 'b']]);
    },
  );

  test('a server that remembers its transactions sends only what came after the last one seen', async () => {
    await server.destroy();
    server = await OvsdbServer.create('clustered');
    await server.start();
    let heard = '';
    let stream: Duplex | undefined;
    const dial = async (signal: AbortSignal): Promise<Duplex> => {
      stream = await dialTo(server.socket)(signal);
      return stream.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
      });
    };
    const client = await open({ dial });
    const { bridge } = await withBridge(client, 'br-a');
    // It remembers no more than the size of its database, so this one needs a little weight.
    const bulk = Array.from({ length: 500 }, (_, n) => [`key-${n}`, 'value'] as const);
    await client.transact(DB, [update('Bridge', [], { other_config: new Map(bulk) })]);
    const monitor = await client.monitor(DB, {
      Open_vSwitch: { columns: ['next_cfg'] },
      Bridge: { columns: ['name'] },
    });
    await client.transact(DB, [update('Open_vSwitch', [], { next_cfg: 1 })]);
    const other = await open();
    heard = '';
    stream?.destroy();
    await other.transact(DB, [update('Open_vSwitch', [], { next_cfg: 2 })]);
    await client.ready(AbortSignal.timeout(20_000));
    await client.echo();
    expect(heard).toContain('"result":[true,');
    expect(heard).not.toContain('br-a');
    expect([...monitor.rows('Open_vSwitch').values()]).toEqual([{ next_cfg: 2 }]);
    expect(monitor.rows('Bridge').get(bridge)).toEqual({ name: 'br-a' });
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

/** A switch with one bridge; the ids of both. */
async function withBridge(client: OvsdbClient, name: string): Promise<{ root: string; bridge: string }> {
  const [bridge, root] = await client.transact(DB, [
    insert('Bridge', { name, datapath_type: 'netdev' }, 'bridge'),
    insert('Open_vSwitch', { bridges: [named('bridge')], external_ids: map({ owner: 'me' }) }),
  ]);
  return { bridge: bridge.uuid, root: root.uuid };
}

async function addBridge(client: OvsdbClient, name: string): Promise<void> {
  await client.transact(DB, [
    insert('Bridge', { name }, 'fresh'),
    mutate('Open_vSwitch', [], [['bridges', 'insert', [named('fresh')]]]),
  ]);
}

/** What somebody else does while the client under test is away. */
async function changeBridges(server: OvsdbServer, bridge: string): Promise<void> {
  const other = await connect({ dial: dialTo(server.socket), sleep });
  // A clustered server takes transactions a moment before it has read its log again.
  for (let found = 0; found === 0;) {
    const where = [['_uuid', '==', uuid(bridge)] as const];
    const [{ count }] = await other.transact(DB, [update('Bridge', where, { fail_mode: 'secure' })]);
    found = count;
  }
  await addBridge(other, 'br-new');
  other.close();
}
