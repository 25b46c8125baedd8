import { createSchedule } from '@alcor/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { broadcastFlows } from './broadcast.ts';
import type { Audience } from './broadcast-index.ts';
import { describeText } from './describe.ts';
import { MemorySwitch } from './drivers/memory.ts';
import { keys, named } from './drivers/switch.contract.ts';
import { stamped } from './cookie.ts';
import { flowKey, type Flow } from './flow.ts';
import { hostFlows, neighborFlows, portFlows } from './program.ts';
import type { LocalPort, Neighbor } from './resources.ts';
import type { FlowChange } from './switch.ts';
import { neighborOf, never, port, settled, startedOn, testHost } from './testing/region.ts';

const A = '192.0.2.1';
const B = '192.0.2.2';
const foreign = stamped(7n << 32n, { table: 0, priority: 1, match: { in_port: 99 }, instructions: [] });

function neighbor(id: string, changes: Partial<LocalPort> = {}): Neighbor {
  return neighborOf(port(id, { mac: '02:00:00:00:00:02', ips: ['10.0.0.2'], ...changes }), B);
}

test('a plugged port is ok once its flows are in force', async () => {
  const { dataplane, memory } = await testHost(A);
  const ofport = memory.plug('p');
  dataplane.setPort(port('p'));
  expect(await dataplane.flush(never)).toEqual([{ resourceId: 'p', status: 'ok', reason: '' }]);
  expect(await keys(memory)).toEqual([...hostFlows(1), ...portFlows(port('p'), ofport)].map(named).sort());
});

test('who gets copies of a broadcast is written once all are told, and not anew for each of them', async () => {
  const { dataplane, memory } = await testHost(A);
  const ofports = [memory.plug('p'), memory.plug('q')];
  dataplane.setPort(port('p'));
  await dataplane.flush(never);
  dataplane.setPort(port('q', { mac: '02:00:00:00:00:03', ips: ['10.0.0.3'] }));
  const all = broadcastFlows({ vni: 100, ofports, hosts: [] }).map(named);
  expect(await keys(memory)).not.toContain(all[0]);
  await dataplane.reconcile(never);
  expect(await keys(memory)).toEqual(expect.arrayContaining(all));
  memory.unplug('q');
  await settled();
  const left = broadcastFlows({ vni: 100, ofports: ofports.slice(0, 1), hosts: [] }).map(named);
  expect(await keys(memory)).toEqual(expect.arrayContaining(left));
});

test('a port without an interface says so, and is told of when it is plugged and unplugged', async () => {
  const { dataplane, memory, told } = await testHost(A);
  dataplane.setPort(port('p'));
  const [outcome] = await dataplane.flush(never);
  expect(outcome).toMatchObject({ status: 'unplugged', reason: expect.stringContaining('iface-id=p') });
  memory.plug('p');
  await settled();
  expect(told).toEqual([{ resourceId: 'p', status: 'ok', reason: '' }]);
  memory.unplug('p');
  await settled();
  expect(told.at(-1)).toMatchObject({ resourceId: 'p', status: 'unplugged' });
  expect(await keys(memory)).toEqual(hostFlows(1).map(named).sort());
});

test('an interface without a port is nothing, until the port comes', async () => {
  const { dataplane, memory, told } = await testHost(A);
  memory.plug('p');
  await settled();
  expect(told).toEqual([]);
  dataplane.setPort(port('p'));
  expect(await dataplane.flush(never)).toMatchObject([{ status: 'ok' }]);
});

test('cost follows the change: one more neighbour among many is its own flows and no more', async () => {
  const { dataplane, memory } = await testHost(A);
  for (let n = 0; n < 1000; n += 1) dataplane.setNeighbor(neighbor(`n${n}`, { vni: n + 1 }));
  await dataplane.flush(never);
  const before = memory.changesApplied;
  dataplane.setNeighbor(neighbor('one more', { vni: 5000 }));
  await dataplane.flush(never);
  expect(memory.changesApplied - before).toBe(2);
  dataplane.setNeighbor(neighbor('one more', { vni: 5000, revision: 2 }));
  await dataplane.flush(never);
  expect(memory.changesApplied - before).toBe(2);
  dataplane.removeNeighbor('one more');
  expect(await dataplane.flush(never)).toEqual([{ resourceId: 'one more', status: 'ok', reason: '' }]);
  expect(memory.changesApplied - before).toBe(4);
});

test('a new process with the same state writes nothing and deletes nothing', async () => {
  const { memory, dataplane } = await testHost(A);
  memory.plug('p');
  const state = (to: typeof dataplane): void => {
    to.setPort(port('p', { ips: ['10.0.0.1', 'fd00::1'] }));
    to.setNeighbor(neighbor('n'));
  };
  state(dataplane);
  await dataplane.reconcile(never);
  const before = memory.changesApplied;
  const next = await startedOn(memory, A);
  state(next.dataplane);
  expect(await next.dataplane.reconcile(never)).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
  expect(memory.changesApplied).toBe(before);
});

test('flows of nobody stay in force until reconcile', async () => {
  const { memory, dataplane } = await testHost(A);
  dataplane.setNeighbor(neighbor('gone meanwhile'));
  await dataplane.flush(never);
  await memory.apply([{ type: 'write', flow: foreign }], never);
  const next = await startedOn(memory, A);
  next.dataplane.setNeighbor(neighbor('new', { vni: 7 }));
  next.dataplane.removeNeighbor('gone meanwhile');
  await next.dataplane.flush(never);
  expect(await keys(memory)).toEqual(expect.arrayContaining([named(foreign)]));
  expect(await keys(memory)).toHaveLength(hostFlows(1).length + 2 + 2 + 1);
  await next.dataplane.reconcile(never);
  expect(await keys(memory)).toEqual(
    [...hostFlows(1), ...neighborFlows(neighbor('new', { vni: 7 }), A)].map(named).sort(),
  );
});

test('make before break: writes end to beginning, then deletions', async () => {
  const batches: (readonly FlowChange[])[] = [];
  const { memory, dataplane } = await testHost(A, { beforeApply: async (changes) => void batches.push(changes) });
  memory.plug('p');
  dataplane.setPort(port('p'));
  await dataplane.flush(never);
  batches.length = 0;
  dataplane.setPort(port('p', { ips: ['10.0.0.9'], mac: '02:00:00:00:00:09' }));
  await dataplane.flush(never);
  const order = batches.flat().map(({ type, flow }) => (type === 'write' ? -flow.table : 1000 + flow.table));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(new Set(batches.flat().map(({ type }) => type))).toEqual(new Set(['write', 'delete']));
});

test("a refusal is reported in the switch's words and tried again later", async () => {
  const schedule = createSchedule();
  let refuse = true;
  const memory = new MemorySwitch({
    failApply: ({ flow }) => (refuse && flow.match.eth_dst === 2 ? 'OFPFMFC_TABLE_FULL' : null),
  });
  const { dataplane, told } = await startedOn(memory, A, schedule);
  dataplane.setNeighbor(neighbor('n', { mac: '00:00:00:00:00:02' }));
  dataplane.setNeighbor(neighbor('other', { vni: 200 }));
  expect(await dataplane.flush(never)).toEqual([
    { resourceId: 'n', status: 'failed', reason: 'OFPFMFC_TABLE_FULL' },
    { resourceId: 'other', status: 'ok', reason: '' },
  ]);
  await schedule.run(10_000);
  expect(told).toEqual([]);
  refuse = false;
  await schedule.run(60_000);
  expect(told).toEqual([{ resourceId: 'n', status: 'ok', reason: '' }]);
});

test('what cannot be said in flows fails with the reason, and holds up nothing', async () => {
  const { dataplane } = await testHost(A);
  dataplane.setNeighbor(neighbor('bad', { mac: 'none' }));
  dataplane.setNeighbor(neighbor('good'));
  expect(await dataplane.flush(never)).toMatchObject([
    { resourceId: 'bad', status: 'failed', reason: expect.stringContaining('none') },
    { resourceId: 'good', status: 'ok' },
  ]);
});

test('a host without a tunnel port says so of its neighbours', async () => {
  const { dataplane } = await testHost(A, { tunnelPort: null });
  dataplane.setNeighbor(neighbor('n'));
  expect(await dataplane.flush(never)).toMatchObject([{ status: 'failed', reason: 'the bridge has no tunnel port' }]);
});

test('while the switch is away outcomes say so; when it is back everything is written again and told', async () => {
  const { dataplane, memory, told } = await testHost(A);
  memory.plug('p');
  dataplane.setPort(port('p'));
  await dataplane.reconcile(never);
  memory.stop('killed');
  dataplane.setNeighbor(neighbor('n'));
  expect(await dataplane.flush(never)).toEqual([
    { resourceId: 'n', status: 'failed', reason: 'the switch is away: killed' },
  ]);
  memory.resume();
  await settled();
  expect(told).toEqual([{ resourceId: 'n', status: 'ok', reason: '' }]);
  const all = broadcastFlows({ vni: 100, ofports: [2], hosts: [B] });
  const wanted = [...hostFlows(1), ...portFlows(port('p'), 2), ...neighborFlows(neighbor('n'), A), ...all];
  expect(await keys(memory)).toEqual(wanted.map(named).sort());
});

test('a flush that is given up loses nothing', async () => {
  let hold: Promise<void> | null = new Promise(() => undefined);
  const memory = new MemorySwitch({ beforeApply: () => hold ?? Promise.resolve() });
  const { dataplane } = await startedOn(memory, A);
  dataplane.setNeighbor(neighbor('n'));
  hold = null;
  const stop = new AbortController();
  const flushed = dataplane.flush(stop.signal);
  stop.abort(new Error('enough'));
  await expect(flushed).rejects.toThrow('enough');
  expect(await dataplane.flush(never)).toEqual([{ resourceId: 'n', status: 'ok', reason: '' }]);
});

test('what took effect without being confirmed is known of afterwards', async () => {
  const stop = new AbortController();
  const memory = new MemorySwitch({ afterApply: async () => stop.abort(new Error('enough')) });
  const { dataplane } = await startedOn(memory, A);
  dataplane.setNeighbor(neighbor('n'));
  await expect(dataplane.reconcile(stop.signal)).rejects.toThrow('enough');
  dataplane.removeNeighbor('n');
  expect(await dataplane.flush(never)).toEqual([{ resourceId: 'n', status: 'ok', reason: '' }]);
  expect(await keys(memory)).toEqual(hostFlows(1).map(named).sort());
});

test('a switch that fails in an unknown way fails the flush, and the next one repairs', async () => {
  const trouble = [new Error('boom')];
  const memory = new MemorySwitch({
    beforeApply: async () => {
      const error = trouble.pop();
      if (error !== undefined) throw error;
    },
  });
  const { dataplane } = await startedOn(memory, A);
  dataplane.setNeighbor(neighbor('n'));
  await expect(dataplane.flush(never)).rejects.toThrow('boom');
  expect(await dataplane.flush(never)).toEqual([{ resourceId: 'n', status: 'ok', reason: '' }]);
});

test('the state can be looked at', async () => {
  const { dataplane, memory } = await testHost(A);
  memory.plug('p');
  dataplane.setPort(port('p'));
  dataplane.setPort(port('q'));
  dataplane.setNeighbor(neighbor('n'));
  await dataplane.reconcile(never);
  expect(dataplane.describe()).toMatchObject({
    connected: true,
    tunnelPort: 1,
    neighbors: 1,
    flows: { foreign: 0, pending: 0, refused: 0 },
    ports: [
      { id: 'p', plugged: { ofport: 2 }, status: 'ok' },
      { id: 'q', plugged: null, status: 'unplugged' },
    ],
  });
  expect(describeText(dataplane.describe())).toMatchInlineSnapshot(`
    "192.0.2.1: connected, tunnel port 1
    flows: 81 present, 0 of nobody, 0 pending, 0 refused; 1 neighbours

    table  name             flows
    0      classify         2
    5      policing         1
    10     antispoof        6
    11     localIp          1
    12     localIpOpened    0
    13     leavingSubnet    1
    14     leavingBorder    7
    15     leavingAcl       0
    20     leaving          11
    21     leavingTrack     1
    22     leavingState     0
    23     leavingVerdict   1
    40     gateway          0
    41     arriving         1
    42     returned         0
    43     arrivingReply    1
    50     services         11
    51     ndReply          1
    60     routers          1
    61     routing          3
    62     nextHop          0
    63     departing        1
    64     translation      0
    65     translated       0
    66     outward          0
    67     outsideHop       0
    70     neighbour        3
    72     wire             0
    75     tunnel           1
    76     toGateway        0
    77     delivery         2
    78     enteringSubnet   1
    79     enteringBorder   7
    80     enteringAcl      0
    81     entering         12
    82     enteringTrack    1
    83     enteringState    0
    84     enteringVerdict  1
    86     localIpAnswer    1
    90     output           1
    92     back             1
    100    policy           0
    101    members          0
    102    rules            0

    port  vni  mac                addresses  interface  ofport  status     reason
    p     100  02:00:00:00:00:01  10.0.0.1   tap-p      2       ok
    q     100  02:00:00:00:00:01  10.0.0.1   -          -       unplugged  no interface with external_ids:iface-id=q on the bridge"
  `);
});

type Step =
  | { readonly do: 'setPort'; readonly port: LocalPort }
  | { readonly do: 'setNeighbor'; readonly neighbor: Neighbor }
  | { readonly do: 'remove' | 'plug' | 'unplug'; readonly id: string }
  | { readonly do: 'flush' | 'refuse' | 'accept' | 'restart switch' | 'restart agent' | 'reconcile' };

const anyId = fc.constantFrom('a', 'b', 'c');
// Few values, so that resources claim the same places.
const anyPort = fc.record({
  id: anyId,
  vni: fc.constantFrom(1, 2),
  mac: fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:00:02'),
  ips: fc.subarray(['10.0.0.1', '10.0.0.2', 'fd00::1']),
  adminStateUp: fc.boolean(),
  portSecurityEnabled: fc.boolean(),
});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  anyPort.map((changes) => ({ do: 'setPort', port: port(changes.id, changes) }) as const),
  anyPort.map((changes) => ({ do: 'setNeighbor', neighbor: neighborOf(port(changes.id, changes), B) }) as const),
  fc.record({ do: fc.constantFrom('remove', 'plug', 'unplug'), id: anyId }),
  fc.record({ do: fc.constantFrom('flush', 'refuse', 'accept', 'restart switch', 'restart agent', 'reconcile') }),
);

/** Who gets what is said to all, counted from nothing. */
function audiences(
  memory: MemorySwitch,
  ports: ReadonlyMap<string, LocalPort>,
  neighbors: ReadonlyMap<string, Neighbor>,
): Audience[] {
  const here = [...ports.values()].filter(({ id, adminStateUp }) => adminStateUp && memory.plugged(id) !== undefined);
  return [...new Set(here.map(({ vni }) => vni))].map((vni) => {
    const ofports = here.filter((each) => each.vni === vni).map(({ id }) => memory.plugged(id)!.ofport);
    const there = [...neighbors.values()].filter((each) => each.vni === vni && each.hostIp !== A);
    const hosts = [...new Set(there.map(({ hostIp }) => hostIp))].sort();
    return { vni, ofports: ofports.sort((a, b) => a - b), hosts };
  });
}

/** The definition of what a switch has to have: every resource's flows, the lowest rank and name first at each place. */
function asked(memory: MemorySwitch, ports: Map<string, LocalPort>, neighbors: Map<string, Neighbor>): string[] {
  const flows = new Map<string, Flow>();
  const add = (more: readonly Flow[]): void => {
    for (const flow of more) if (!flows.has(flowKey(flow))) flows.set(flowKey(flow), flow);
  };
  add(hostFlows(memory.tunnelPort));
  for (const id of [...ports.keys()].sort()) {
    const plugged = memory.plugged(id);
    if (plugged !== undefined) add(portFlows(ports.get(id)!, plugged.ofport));
  }
  for (const id of [...neighbors.keys()].sort()) add(neighborFlows(neighbors.get(id)!, A));
  for (const audience of audiences(memory, ports, neighbors)) add(broadcastFlows(audience));
  return [...flows.values()].map(named).sort();
}

test('after any history the switch has what the present state asks for, whatever came before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 60, size: 'max' }), async (steps) => {
      let refusing = false;
      let turn = 0;
      const memory = new MemorySwitch({ failApply: () => (refusing && (turn += 1) % 3 === 0 ? 'refused' : null) });
      await memory.apply([{ type: 'write', flow: foreign }], never);
      const schedule = createSchedule();
      let process = new AbortController();
      let host = await startedOn(memory, A, schedule, process.signal);
      const ports = new Map<string, LocalPort>();
      const neighbors = new Map<string, Neighbor>();
      const perform: { readonly [Do in Step['do']]: (step: never) => Promise<unknown> | void } = {
        setPort: ({ port: each }: { port: LocalPort }) => {
          ports.set(each.id, each);
          host.dataplane.setPort(each);
        },
        setNeighbor: ({ neighbor: each }: { neighbor: Neighbor }) => {
          neighbors.set(each.id, each);
          host.dataplane.setNeighbor(each);
        },
        remove: ({ id }: { id: string }) => {
          if (ports.delete(id)) host.dataplane.removePort(id);
          else if (neighbors.delete(id)) host.dataplane.removeNeighbor(id);
        },
        plug: ({ id }: { id: string }) => void memory.plug(id),
        unplug: ({ id }: { id: string }) => memory.unplug(id),
        // Not awaited: what comes next happens while it is under way.
        flush: () => void host.dataplane.flush(never).catch(() => undefined),
        reconcile: () => host.dataplane.reconcile(never),
        refuse: () => void (refusing = true),
        accept: () => void (refusing = false),
        'restart switch': async () => {
          memory.stop();
          await Promise.resolve();
          memory.resume();
        },
        'restart agent': async () => {
          process.abort();
          process = new AbortController();
          host = await startedOn(memory, A, schedule, process.signal);
          for (const each of ports.values()) host.dataplane.setPort(each);
          for (const each of neighbors.values()) host.dataplane.setNeighbor(each);
        },
      };
      for (const step of steps) await perform[step.do](step as never);
      refusing = false;
      await schedule.run(120_000);
      await host.dataplane.reconcile(never);
      expect(await keys(memory)).toEqual(asked(memory, ports, neighbors));
      const { pending, refused, foreign: strange } = host.dataplane.describe().flows;
      expect({ pending, refused, strange }).toEqual({ pending: 0, refused: 0, strange: 0 });
      for (const outcome of await host.dataplane.flush(never)) expect(outcome.status).not.toBe('failed');
    }),
    { numRuns: 200 },
  );
});
