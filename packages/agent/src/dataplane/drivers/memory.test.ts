import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fields, masked, normalise, type Field } from '../fields.ts';
import { flowKey, maskOf, matchFields, valueOf, type Flow, type Match } from '../flow.ts';
import { never } from '../testing/region.ts';
import { Conntrack } from './conntrack.ts';
import { FlowTable } from './flow-table.ts';
import { MemorySwitch } from './memory.ts';
import type { Packet } from './packet.ts';
import { MemoryMeters } from './memory-meters.ts';
import { switchContract } from './switch.contract.ts';
import { type SwitchMemory, UnsupportedAction, walk } from './walk.ts';

const remembers = (): SwitchMemory => ({ conntrack: new Conntrack(), meters: new MemoryMeters(undefined) });

switchContract('the switch in memory', async () => {
  const memory = new MemorySwitch();
  return {
    driver: memory,
    another: () => memory,
    stop: async () => undefined,
    plug: async (id) => void memory.plug(id),
    unplug: async (id) => memory.unplug(id),
    inject: async (id, packet) => void memory.walk(packet, memory.plugged(id)!.ofport),
    restart: async () => {
      memory.stop();
      memory.resume();
    },
  };
});

test('a switch that is lost while it applies confirms nothing', async () => {
  const releases: (() => void)[] = [];
  const memory = new MemorySwitch({ beforeApply: () => new Promise((resolve) => void releases.push(resolve)) });
  const applied = memory.apply([], never);
  memory.stop();
  memory.resume();
  for (const release of releases) release();
  await expect(applied).rejects.toThrow('went away');
});

const small: readonly Field[] = ['reg0', 'metadata', 'eth_src', 'eth_dst', 'ipv6_src'];

const anyMatch: fc.Arbitrary<Match> = fc
  .record(
    Object.fromEntries(
      small.map((field) => [
        field,
        fc.oneof(
          fc.integer({ min: 0, max: 3 }),
          fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 3 })).map(([value, mask]) => ({
            value: value & mask,
            mask,
          })),
        ),
      ]),
    ),
    { requiredKeys: [] },
  )
  .map((match) => match as Match);

const anyPacket: fc.Arbitrary<Packet> = fc
  .record(Object.fromEntries(small.map((field) => [field, fc.integer({ min: 0, max: 3 })])), { requiredKeys: [] })
  .map((packet) =>
    Object.fromEntries(Object.entries(packet).map(([field, value]) => [field, normalise(field as Field, value!)])),
  );

function covers(match: Match, packet: Packet): boolean {
  return matchFields(match).every((field) => {
    const has = packet[field];
    if (has === undefined) return false;
    const mask = maskOf(match[field]!) ?? (1n << BigInt(fields[field].bits)) - 1n;
    return masked(field, has, mask) === masked(field, valueOf(match[field]!), mask);
  });
}

test('a lookup finds what looking at every flow finds, after any writes and deletions', () => {
  const anyFlow = fc.record({ priority: fc.integer({ min: 0, max: 3 }), match: anyMatch, keep: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(anyFlow, { maxLength: 40, size: 'max' }),
      fc.array(anyPacket, { minLength: 1 }),
      (all, packets) => {
        const table = new FlowTable();
        const flows = new Map<string, Flow>();
        for (const { priority, match, keep } of all) {
          const flow: Flow = { table: 0, priority, match, cookie: 0n, instructions: [] };
          table.write(flow);
          flows.set(flowKey(flow), flow);
          if (!keep) {
            table.delete(flowKey(flow));
            flows.delete(flowKey(flow));
          }
        }
        expect(table.size).toBe(flows.size);
        for (const packet of packets) {
          const covering = [...flows.values()].filter(({ match }) => covers(match, packet));
          const first = covering.sort((a, b) => b.priority - a.priority || (flowKey(a) < flowKey(b) ? -1 : 1))[0];
          expect(table.lookup(packet)?.flow).toBe(first);
        }
      },
    ),
  );
});

test('packets are counted on the flow that they take', async () => {
  const table = new FlowTable();
  const flow: Flow = { table: 0, priority: 1, cookie: 0n, match: { in_port: 4 }, instructions: [] };
  table.write(flow);
  walk(new Map([[0, table]]), {}, 4, remembers());
  walk(new Map([[0, table]]), {}, 5, remembers());
  expect(table.get(flowKey(flow))?.packets).toBe(1);
});

test('an action that the interpreter does not know is an error, never skipped', () => {
  const table = new FlowTable();
  const instructions = [
    { type: 'apply_actions', actions: [{ type: 'group', group: 1 }] },
  ] as unknown as Flow['instructions'];
  table.write({ table: 0, priority: 1, cookie: 0n, match: {}, instructions });
  expect(() => walk(new Map([[0, table]]), {}, 4, remembers())).toThrow(UnsupportedAction);
});

test('bits move from and to anywhere in a field', () => {
  const table = new FlowTable();
  const from = { field: 'eth_src', offset: 8 } as const;
  const instructions: Flow['instructions'] = [
    {
      type: 'apply_actions',
      actions: [
        { type: 'move', from, to: { field: 'eth_dst', offset: 32 }, bits: 16 },
        { type: 'set_field', field: 'reg0', value: 0x50, mask: 0xf0 },
        { type: 'set_field', field: 'arp_op', value: 2 },
        { type: 'output', port: 9 },
      ],
    },
  ];
  table.write({ table: 0, priority: 1, cookie: 0n, match: {}, instructions });
  const { outputs } = walk(new Map([[0, table]]), { eth_src: 0x112233445566, eth_dst: 0xaabbccddeeff }, 4, remembers());
  expect(outputs[0]!.packet.eth_dst).toBe(0x4455ccddeeff);
  // A field that the packet does not have is not made by writing it.
  expect(outputs[0]!.packet.arp_op).toBeUndefined();
});
