import { uuid, type Row } from '@alcor/ovsdb';
import { expect, test } from 'vitest';
import { changesBetween, emptyView, viewBridge } from './ovs-interfaces.ts';

interface Iface {
  readonly name: string;
  readonly ofport?: number;
  readonly id?: string;
  readonly error?: string;
  readonly tunnel?: boolean;
}

/** The tables of a switch with one bridge of this name and these interfaces, one port each. */
function database(bridge: string, interfaces: readonly Iface[]) {
  const tables: Readonly<Record<string, ReadonlyMap<string, Row>>> = {
    Bridge: new Map([['b', { name: bridge, ports: interfaces.map(({ name }) => uuid(`port ${name}`)) }]]),
    Port: new Map(interfaces.map(({ name }) => [`port ${name}`, { interfaces: [uuid(name)] }])),
    Interface: new Map(interfaces.map((each) => [each.name, interfaceRow(each)])),
  };
  return { rows: (table: string) => tables[table]! };
}

function interfaceRow({ name, ofport, id, error, tunnel }: Iface): Row {
  return {
    name,
    type: tunnel === true ? 'vxlan' : '',
    options: new Map(
      tunnel === true
        ? [
            ['key', 'flow'],
            ['remote_ip', 'flow'],
          ]
        : [],
    ),
    external_ids: new Map(id === undefined ? [] : [['iface-id', id]]),
    ofport: ofport === undefined ? [] : [ofport],
    error: error === undefined ? [] : [error],
    link_state: ['up'],
  };
}

test('interfaces are found by their iface-id, the tunnel by being keyed by flow', () => {
  const rows = database('br-int', [
    { name: 'tap', ofport: 3, id: 'p' },
    { name: 'vx', ofport: 9, tunnel: true },
    { name: 'br-int', ofport: 65534 },
  ]);
  const view = viewBridge(rows, 'br-int');
  expect([...view.plugged.values()]).toEqual([{ ifaceId: 'p', name: 'tap', ofport: 3, linkUp: true, rivals: [] }]);
  expect(view.tunnel).toEqual({ present: true, ofport: 9 });
});

test('of several interfaces with one iface-id the newest has it, and the others are named', () => {
  const rows = database('br-int', [
    { name: 'old', ofport: 3, id: 'p' },
    { name: 'new', ofport: 4, id: 'p' },
    { name: 'not yet', id: 'p' },
  ]);
  expect(viewBridge(rows, 'br-int').plugged.get('p')).toMatchObject({ name: 'new', rivals: ['old', 'not yet'] });
});

test("an interface that the switch could not open is not plugged, and the switch's words are kept", () => {
  const rows = database('br-int', [{ name: 'tap', ofport: -1, id: 'p', error: 'could not open network device tap' }]);
  const view = viewBridge(rows, 'br-int');
  expect([...view.plugged.keys()]).toEqual([]);
  expect(view.broken.get('p')).toBe('could not open network device tap');
});

test('interfaces of other bridges do not count', () => {
  expect(viewBridge(database('br-phy', [{ name: 'tap', ofport: 3, id: 'p' }]), 'br-int')).toEqual(emptyView);
});

test('only what has changed is told of', () => {
  const before = viewBridge(
    database('br-int', [
      { name: 'a', ofport: 1, id: 'a' },
      { name: 'b', ofport: 2, id: 'b' },
    ]),
    'br-int',
  );
  const after = viewBridge(
    database('br-int', [
      { name: 'a', ofport: 1, id: 'a' },
      { name: 'c', ofport: 3, id: 'c' },
      { name: 'vx', ofport: 9, tunnel: true },
    ]),
    'br-int',
  );
  expect([...changesBetween(before, after)]).toMatchObject([
    { type: 'plugged', iface: { ifaceId: 'c', ofport: 3 } },
    { type: 'unplugged', ifaceId: 'b', reason: '' },
    { type: 'tunnel', ofport: 9 },
  ]);
  expect([...changesBetween(after, after)]).toEqual([]);
});
