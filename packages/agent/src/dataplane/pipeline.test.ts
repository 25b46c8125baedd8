import { expect, test } from 'vitest';
import { IN_PORT, type Flow } from './flow.ts';
import { checkFlow, FlowError } from './check-flow.ts';
import { pipeline, tables, type TableName } from './pipeline.ts';

const good: Flow = {
  table: pipeline.services.id,
  priority: 100,
  cookie: 0n,
  match: { metadata: 1n, eth_type: 0x0806, arp_op: 1, arp_tpa: 1 },
  instructions: [
    { type: 'apply_actions', actions: [{ type: 'output', port: IN_PORT }] },
    { type: 'goto_table', table: pipeline.routers.id },
  ],
};

test('a flow within the declaration is let through', () => {
  expect(() => checkFlow(good)).not.toThrow();
});

const { match, instructions } = good;
const act = (action: unknown): Flow =>
  ({ ...good, instructions: [{ type: 'apply_actions', actions: [action] }] }) as Flow;

test.each<[string, Flow, string]>([
  ['an unknown table', { ...good, table: 49 }, 'there is no table 49'],
  ['a priority out of range', { ...good, priority: 65_536 }, 'out of range'],
  ['a field that the table does not match on', { ...good, match: { eth_dst: 1 } }, 'does not match on eth_dst'],
  ['an unknown field', { ...good, match: { mpls_label: 1 } as Flow['match'] }, 'field mpls_label is unknown'],
  ['a missing prerequisite', { ...good, match: { arp_op: 1 } }, 'arp_op needs eth_type=2054'],
  ['a masked prerequisite', { ...good, match: { ...match, eth_type: { value: 0x0806, mask: 0xffff } } }, 'needs'],
  ['a write that the table does not do', act({ type: 'set_field', field: 'metadata', value: 1 }), 'not write metadata'],
  ['a write without its prerequisite', act({ type: 'set_field', field: 'icmpv6_type', value: 1 }), 'icmpv6_type needs'],
  ['an output that is not for this table', act({ type: 'output', port: 1 }), 'does not output to port'],
  ['an action that nobody implements', act({ type: 'flood' }), 'action flood is unknown'],
  ['a meter where there is none', act({ type: 'meter', meter: 1 }), 'does not meter'],
  ['a call that the table does not make', act({ type: 'resubmit', table: 100 }), 'does not call 100'],
  ['conntrack where there is none', act({ type: 'ct', zone: { field: 'reg0', bits: 16 } }), 'does not use ct'],
  [
    'what is known of tracked packets only',
    { ...good, table: pipeline.rules.id, match: { eth_type: 0x0800, ct_nw_proto: 6 } },
    'needs a tracked packet',
  ],
  ['a table that is not next', { ...good, instructions: [{ type: 'goto_table', table: 90 }] }, 'does not lead to 90'],
  ['a way back', { ...good, instructions: [{ type: 'goto_table', table: 10 }] }, 'does not go forward'],
  ['something after the goto', { ...good, instructions: instructions.toReversed() }, 'not the last instruction'],
])('%s is refused', (_, flow, why) => {
  expect(() => checkFlow(flow)).toThrow(FlowError);
  expect(() => checkFlow(flow)).toThrow(why);
});

test('tables are in the order of their ids, and lead only forward', () => {
  const ids = tables.map((name) => pipeline[name].id);
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  for (const name of tables) {
    for (const called of pipeline[name].calls ?? []) expect(pipeline[called].id).toBeGreaterThan(pipeline[name].id);
    for (const next of pipeline[name].next) expect(pipeline[next].id).toBeGreaterThan(pipeline[name].id);
    if (pipeline[name].miss !== 'drop') expect(pipeline[name].next).toContain(pipeline[name].miss);
  }
});

test('no table after a tunnel leads into a tunnel', () => {
  const reachable = (from: (typeof tables)[number]): string[] => [
    from,
    ...[...pipeline[from].next, ...(pipeline[from].calls ?? [])].flatMap(reachable),
  ];
  expect(reachable('delivery')).not.toContain('tunnel');
  for (const name of reachable('delivery')) expect(pipeline[name as TableName].outputs).not.toBe('port');
});
