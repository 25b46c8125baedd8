import { uuid, type Row } from '@alcor/ovsdb';
import { expect, test } from 'vitest';
import { changesBetween, emptyView, viewBridge } from './ovs-interfaces.ts';

interface Iface {
  readonly name: string;
  readonly ofport?: number;
  readonly id?: string;
  readonly error?: string;
  /** Its UDP port. */
  readonly tunnel?: string;
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
    type: tunnel === undefined ? '' : 'vxlan',
    options: new Map(
      tunnel === undefined
        ? []
        : [
            ['key', 'flow'],
            ['remote_ip', 'flow'],
            ['dst_port', tunnel],
          ],
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
    { name: 'vx', ofport: 9, tunnel: '4789' },
    { name: 'br-int', ofport: 65534 },
  ]);
  const view = viewBridge(rows, 'br-int');
  expect([...view.plugged.values()]).toEqual([{ ifaceId: 'p', name: 'tap', ofport: 3, linkUp: true, rivals: [] }]);
  expect(view.tunnel).toEqual({ present: true, ofport: 9 });
  expect(view.gatewayTunnel).toEqual({ present: false, ofport: null });
});

test('the tunnel for gateways is another one, by its UDP port', () => {
  const forGateways = { name: 'vx-gw', ofport: 8, tunnel: '14789' };
  const alone = viewBridge(database('br-int', [forGateways]), 'br-int');
  expect([alone.tunnel.present, alone.gatewayTunnel.ofport]).toEqual([false, 8]);
  const both = viewBridge(database('br-int', [forGateways, { name: 'vx', ofport: 9, tunnel: '4789' }]), 'br-int');
  expect([both.tunnel.ofport, both.gatewayTunnel.ofport]).toEqual([9, 8]);
  expect([...changesBetween(alone, both)]).toEqual([{ type: 'tunnel', ofport: 9 }]);
  expect([...changesBetween(emptyView, alone)]).toEqual([{ type: 'gateway-tunnel', ofport: 8 }]);
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
      { name: 'vx', ofport: 9, tunnel: '4789' },
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
