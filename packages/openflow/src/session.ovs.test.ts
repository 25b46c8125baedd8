import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SwitchError } from './connection/switch-error.ts';
import type { OpenFlowConnection } from './connection/types.ts';
import { OpenFlowError } from './errors.ts';
import type { FlowMod } from './flow.ts';
import type { MultipartAnswer, MultipartQuery } from './messages/multipart-types.ts';
import type { FlowRemoved, GroupMod, NxtPacketIn2, PacketIn, PortStatus } from './messages/types.ts';
import { PORT } from './ports.ts';
import { startOvs, whyNoOvs } from './testing/ovs.ts';
import type { Ovs } from './testing/ovs.ts';
import { mac } from './text.ts';

const reason = whyNoOvs();
if (reason !== undefined) console.warn(`Open vSwitch tests are skipped: ${reason}`);

/** A broadcast frame of an unassigned type: destination, source, type, payload. */
const FRAME = 'ffffffffffff02000000000188b5' + 'ab'.repeat(46);

const drop = (table: number, priority: number): FlowMod => ({ type: 'flow_mod', command: 'add', table, priority });
const badPort: FlowMod = {
  type: 'flow_mod',
  command: 'add',
  table: 1,
  priority: 9,
  instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: 0xffff_fff0 }] }],
};

describe.skipIf(reason !== undefined)('a session with a real switch', () => {
  let ovs: Ovs;
  let connection: OpenFlowConnection;
  const flowCount = async (): Promise<number> => {
    const [aggregate] = await answers({ kind: 'aggregate', filter: {} });
    return aggregate?.kind === 'aggregate' ? aggregate.stats.flows : -1;
  };
  const sentOut = async (port: number): Promise<number> =>
    Number(/tx pkts=(\d+)/.exec(await ovs.ofctl('dump-ports', 'BR', String(port)))?.[1]);
  const answers = async (query: MultipartQuery): Promise<MultipartAnswer[]> => {
    const all: MultipartAnswer[] = [];
    for await (const part of connection.multipart(query)) all.push(part);
    return all;
  };

  beforeAll(async () => {
    ovs = await startOvs('dummy');
    await ovs.addPort('p1', 1);
    await ovs.addPort('p2', 2);
    connection = await ovs.connect();
  });
  afterAll(async () => {
    connection?.close();
    await ovs?.stop();
  });
  beforeEach(async () => {
    await connection.applyFlowMods([{ type: 'flow_mod', command: 'delete', table: 0xff }]);
  });

  test('refusals carry the index and the name, and the others are done', async () => {
    const { failures } = await connection.applyFlowMods([
      drop(1, 1),
      badPort,
      drop(1, 2),
      { ...drop(1, 3), table: 300 },
    ]);
    expect(failures.map(({ index }) => index)).toEqual([1, 3]);
    const [refused, unencodable] = failures.map(({ error }) => error);
    expect(refused).toBeInstanceOf(SwitchError);
    expect(refused).toMatchObject({ errorName: 'OFPBAC_BAD_OUT_PORT', code: 'refused', request: badPort });
    expect(unencodable).toMatchObject({ code: 'bad_value' });
    expect(await flowCount()).toBe(2);
  });

  test('a bundle is done as a whole', async () => {
    expect(await connection.applyFlowMods([drop(1, 1), drop(1, 2)], { bundle: true })).toEqual({ failures: [] });
    expect(await flowCount()).toBe(2);
  });

  test('or not at all', async () => {
    const { failures } = await connection.applyFlowMods([drop(1, 1), badPort, drop(1, 2)], { bundle: true });
    expect(failures.map(({ index }) => index)).toEqual([1]);
    expect(await flowCount()).toBe(0);
  });

  test('nor when only the commit finds the fault', async () => {
    const overlapping: FlowMod = { ...drop(1, 1), match: { reg0: { value: 1, mask: 1 } }, flags: ['check_overlap'] };
    const { failures } = await connection.applyFlowMods([drop(1, 1), overlapping], { bundle: true });
    expect(failures).toMatchObject([{ index: 1, error: { errorName: 'OFPFMFC_OVERLAP' } }]);
    expect(await flowCount()).toBe(0);
  });

  test('groups: add, insert a bucket, read, refuse, delete', async () => {
    const group: GroupMod = {
      type: 'group_mod',
      command: 'add',
      group: 7,
      groupType: 'select',
      buckets: [1, 2].map((id) => ({ id, weight: id * 10, actions: [{ type: 'output', port: id }] })),
      selection: { method: 'hash', parameter: 5n, fields: { ipv4_src: 0xffff_ffff } },
    };
    await connection.command(group);
    await expect(connection.command(group)).rejects.toMatchObject({ errorName: 'OFPGMFC_GROUP_EXISTS' });
    const more = [{ id: 3, weight: 1, actions: [{ type: 'output', port: 2 }] }] as const;
    const { selection: _, ...plain } = group;
    await connection.command({ ...plain, command: 'insert_bucket', commandBucket: 0xffff_fffe, buckets: more });
    expect(await ovs.ofctl('dump-groups', 'BR')).toContain(
      'group_id=7,type=select,selection_method=hash,selection_method_param=5,fields=ip_src,bucket=bucket_id:1,weight:10,actions=output:1,bucket=bucket_id:2,weight:20,actions=output:2,bucket=bucket_id:3,actions=output:2',
    );
    const [described] = await answers({ kind: 'groups' });
    expect(described).toMatchObject({
      kind: 'groups',
      groups: [{ group: 7, groupType: 'select', buckets: [...(group.buckets ?? []), ...more] }],
    });
    await connection.command({ type: 'group_mod', command: 'delete', group: 7 });
    expect(await answers({ kind: 'groups' })).toEqual([{ kind: 'groups', groups: [] }]);
  });

  test('meters: add, read, modify, delete', async () => {
    const bands = [{ type: 'drop', rate: 1000, burst: 100 }] as const;
    await connection.command({ type: 'meter_mod', command: 'add', meter: 5, flags: ['kbps', 'burst'], bands });
    expect(await ovs.ofctl('dump-meters', 'BR')).toMatch(
      /meter=5 kbps burst bands=\s*type=drop rate=1000 burst_size=100/,
    );
    expect(await answers({ kind: 'meters' })).toEqual([
      { kind: 'meters', meters: [{ meter: 5, flags: ['kbps', 'burst'], bands }] },
    ]);
    const nothing = { references: 0, packets: 0n, bytes: 0n, bands: [{ packets: 0n, bytes: 0n }] };
    expect(await answers({ kind: 'meter_stats', meter: 5 })).toMatchObject([
      { kind: 'meter_stats', meters: [{ meter: 5, ...nothing }] },
    ]);
    await connection.command({ type: 'meter_mod', command: 'delete', meter: 5 });
    expect(await answers({ kind: 'meters' })).toEqual([{ kind: 'meters', meters: [] }]);
  });

  test('description, tables and ports', async () => {
    const [description] = await answers({ kind: 'desc' });
    expect(description).toMatchObject({ description: { hardware: 'Open vSwitch' } });
    await connection.applyFlowMods([drop(3, 1), drop(3, 2)]);
    const tables = (await answers({ kind: 'tables' })).flatMap((part) => (part.kind === 'tables' ? part.tables : []));
    expect(tables).toHaveLength(254);
    expect(tables[3]).toMatchObject({ table: 3, active: 2 });
    const [ports] = await answers({ kind: 'ports', port: 1 });
    expect(ports).toMatchObject({ kind: 'ports', ports: [{ port: 1, name: 'p1' }] });
  });

  test('a packet that is paused comes with its metadata and goes on when resumed', async () => {
    await connection.applyFlowMods([
      {
        type: 'flow_mod',
        command: 'add',
        table: 0,
        priority: 1,
        cookie: 0x77n,
        match: { in_port: 1 },
        instructions: [
          {
            type: 'apply_actions',
            actions: [
              { type: 'set_field', field: 'reg3', value: 42 },
              { type: 'controller', userdata: new Uint8Array([1, 2, 3]), pause: true },
              { type: 'output', port: 2 },
            ],
          },
          { type: 'write_metadata', value: 9n },
        ],
      },
    ]);
    const arrival = new Promise<PacketIn | NxtPacketIn2>((resolve) => {
      const stop = connection.onPacketIn((packet) => (stop(), resolve(packet)));
    });
    await ovs.receive('p1', FRAME);
    const packet = await arrival;
    if (packet.type !== 'nxt_packet_in2') throw new Error(packet.type);
    expect(Buffer.from(packet.packet).toString('hex')).toBe(FRAME);
    expect(packet).toMatchObject({ cookie: 0x77n, table: 0, userdata: new Uint8Array([1, 2, 3]) });
    expect(packet.match).toMatchObject({ in_port: 1, reg3: 42 });
    const before = await sentOut(2);
    await connection.resume(packet);
    await connection.barrier();
    await expect.poll(() => sentOut(2)).toBe(before + 1);
  });

  test('a packet-out runs through the tables', async () => {
    await connection.applyFlowMods([
      {
        type: 'flow_mod',
        command: 'add',
        table: 0,
        priority: 1,
        match: { in_port: PORT.controller, metadata: 5n, eth_src: mac('02:00:00:00:00:01') },
        instructions: [{ type: 'apply_actions', actions: [{ type: 'controller', maxLen: 20 }] }],
      },
    ]);
    const arrivals: (PacketIn | NxtPacketIn2)[] = [];
    const stop = connection.onPacketIn((packet) => arrivals.push(packet));
    const packet = Buffer.from(FRAME, 'hex');
    await connection.packetOut({ match: { metadata: 5n }, actions: [{ type: 'output', port: PORT.table }], packet });
    await expect.poll(() => arrivals.length).toBe(1);
    stop();
    expect(arrivals[0]).toMatchObject({ match: { metadata: 5n, in_port: PORT.controller } });
    // Without packet buffers, Open vSwitch sends all of a packet whatever the limit is.
    expect(Buffer.from(arrivals[0]?.packet ?? [])).toEqual(packet);
  });

  test('a refused packet-out is heard of', async () => {
    const heard = new Promise<OpenFlowError>((resolve) => {
      const stop = connection.onError((error) => (stop(), resolve(error)));
    });
    await connection.packetOut({ actions: [{ type: 'output', port: 0xffff_fff0 }], packet: Buffer.from(FRAME, 'hex') });
    expect(await heard).toMatchObject({ errorName: 'OFPBAC_BAD_OUT_PORT', request: { type: 'packet_out' } });
  });

  test('a removed flow and a new port are told', async () => {
    const removals: FlowRemoved[] = [];
    const ports: PortStatus[] = [];
    const stops = [
      connection.onFlowRemoved((removed) => removals.push(removed)),
      connection.onPortStatus((status) => ports.push(status)),
    ];
    await connection.applyFlowMods([
      { ...drop(4, 7), cookie: 3n, match: { in_port: 1 }, flags: ['send_flow_removed'] },
      { type: 'flow_mod', command: 'delete', table: 4 },
    ]);
    await expect.poll(() => removals.length).toBe(1);
    expect(removals).toMatchObject([
      { table: 4, priority: 7, cookie: 3n, reason: 'delete', match: { in_port: 1 }, packets: 0n },
    ]);
    await ovs.addPort('p9', 9);
    await expect.poll(() => ports.some(({ reason: why, port }) => why === 'add' && port.port === 9)).toBe(true);
    for (const stop of stops) stop();
  });

  test('configuration, roles and asynchronous configuration', async () => {
    expect(await connection.request({ type: 'get_config_request' })).toMatchObject({ missSendLen: 0xffff });
    expect(await connection.request({ type: 'role_request', role: 'no_change', generation: 0n })).toMatchObject({
      type: 'role_reply',
      role: 'equal',
    });
    await connection.command({ type: 'set_async', flowRemoved: 0 });
    expect(await connection.request({ type: 'get_async_request' })).toMatchObject({ flowRemoved: 0 });
    await connection.command({ type: 'set_async', flowRemoved: 0xf });
    const data = new Uint8Array([1, 2, 3]);
    expect(await connection.request({ type: 'echo_request', data })).toEqual({ type: 'echo_reply', data });
  });

  test('a bridge without OpenFlow 1.5 is told apart', async () => {
    await ovs.vsctl('set', 'bridge', 'br', 'protocols=OpenFlow13');
    try {
      await expect(ovs.connect()).rejects.toMatchObject({ code: 'negotiation_failed' });
    } finally {
      await ovs.vsctl('set', 'bridge', 'br', 'protocols=OpenFlow15');
    }
  });
});
