/** Reads a bridge's interfaces off the switch's database: pure, from rows to what the data plane wants to know. */
import { mapOf, optionalNumberOf, optionalTextOf, refsOf, textOf, type MonitorTables, type Row } from '@alcor/ovsdb';
import type { PluggedInterface, SwitchEvent } from '../switch.ts';

export const monitored: MonitorTables = {
  Bridge: { columns: ['name', 'ports'] },
  Port: { columns: ['interfaces'] },
  Interface: { columns: ['name', 'type', 'options', 'external_ids', 'ofport', 'error', 'link_state'] },
};

export interface BridgeRows {
  rows(table: string): ReadonlyMap<string, Row>;
}

export interface BridgeView {
  readonly exists: boolean;
  readonly plugged: ReadonlyMap<string, PluggedInterface>;
  /** By iface-id: why an interface that is there cannot be used. */
  readonly broken: ReadonlyMap<string, string>;
  /** The flow-keyed tunnel port, once the switch has given it a number. */
  readonly tunnel: TunnelView;
  /** The one for what goes between hosts and gateways. */
  readonly gatewayTunnel: TunnelView;
  /** By the physical bridges that they lead to: patch ports, once the switch has given them numbers. */
  readonly patches: ReadonlyMap<string, number>;
}

export interface TunnelView {
  readonly present: boolean;
  readonly ofport: number | null;
}

/** What Open vSwitch calls them. */
export type TunnelType = 'vxlan' | 'geneve';

/** UDP port of what goes between hosts and gateways: what comes by another has not been asked to be forwarded. */
export const GATEWAY_UDP_PORT = '14789';

export const emptyView: BridgeView = {
  exists: false,
  plugged: new Map(),
  broken: new Map(),
  tunnel: { present: false, ofport: null },
  gatewayTunnel: { present: false, ofport: null },
  patches: new Map(),
};

/** What the rows say about the bridge of this name. */
export function viewBridge(database: BridgeRows, bridge: string, tunnelType: TunnelType = 'vxlan'): BridgeView {
  const row = [...database.rows('Bridge').values()].find((each) => textOf(each, 'name') === bridge);
  if (row === undefined) return emptyView;
  const interfaces = interfacesOf(database, row);
  const claims = new Map<string, Row[]>();
  for (const each of interfaces) {
    const id = mapOf(each, 'external_ids').get('iface-id');
    if (id !== undefined) claims.set(id, [...(claims.get(id) ?? []), each]);
  }
  const plugged = new Map<string, PluggedInterface>();
  const broken = new Map<string, string>();
  for (const [id, rows] of claims) {
    const usable = rows.filter((each) => portNumber(each) !== null).sort((a, b) => portNumber(b)! - portNumber(a)!);
    if (usable[0] !== undefined) plugged.set(id, pluggedAs(id, usable[0], rows));
    else broken.set(id, rows.map(whyUnusable).join('; '));
  }
  const tunnels = interfaces.filter((each) => isTunnel(each, tunnelType));
  const [tunnel, gatewayTunnel] = [tunnels.filter((each) => !isForGateways(each)), tunnels.filter(isForGateways)];
  const patches = new Map(
    interfaces.flatMap((each) => {
      const [peer, number] = [bridgeOfPatch(each), portNumber(each)];
      return peer === null || number === null ? [] : [[peer, number]];
    }),
  );
  return {
    exists: true,
    plugged,
    broken,
    tunnel: viewTunnel(tunnel),
    gatewayTunnel: viewTunnel(gatewayTunnel),
    patches,
  };
}

/** The events that lead from one view to another. */
export function* changesBetween(before: BridgeView, after: BridgeView): Generator<SwitchEvent> {
  for (const [id, iface] of after.plugged) {
    if (!sameInterface(before.plugged.get(id), iface)) yield { type: 'plugged', iface };
  }
  for (const [id, reason] of after.broken) {
    if (before.broken.get(id) !== reason) yield { type: 'unplugged', ifaceId: id, reason };
  }
  for (const id of [...before.plugged.keys(), ...before.broken.keys()]) {
    if (!after.plugged.has(id) && !after.broken.has(id)) yield { type: 'unplugged', ifaceId: id, reason: '' };
  }
  if (before.tunnel.ofport !== after.tunnel.ofport) yield { type: 'tunnel', ofport: after.tunnel.ofport };
  if (before.gatewayTunnel.ofport !== after.gatewayTunnel.ofport)
    yield { type: 'gateway-tunnel', ofport: after.gatewayTunnel.ofport };
}

/** Names of a pair of patch ports: that of the integration bridge, and that of the physical one. */
export function patchNames(bridge: string): { readonly here: string; readonly there: string } {
  return { here: `int-${bridge}`, there: `phy-${bridge}` };
}

/** Whether the bridge is there, and which of its pair of patch ports exist. */
export function viewPatch(database: BridgeRows, bridge: string): { bridge: boolean; here: boolean; there: boolean } {
  const { here, there } = patchNames(bridge);
  const names = new Set([...database.rows('Interface').values()].map((row) => textOf(row, 'name')));
  const bridges = [...database.rows('Bridge').values()].map((row) => textOf(row, 'name'));
  return { bridge: bridges.includes(bridge), here: names.has(here), there: names.has(there) };
}

/** The physical bridge that a patch port of ours leads to; null for any other port. */
function bridgeOfPatch(row: Row): string | null {
  const name = textOf(row, 'name');
  if (textOf(row, 'type') !== 'patch' || !name.startsWith('int-')) return null;
  const bridge = name.slice('int-'.length);
  return mapOf(row, 'options').get('peer') === patchNames(bridge).there ? bridge : null;
}

function interfacesOf(database: BridgeRows, bridge: Row): Row[] {
  const ports = database.rows('Port');
  const interfaces = database.rows('Interface');
  return refsOf(bridge, 'ports')
    .flatMap((id) => found(ports, id).flatMap((port) => refsOf(port, 'interfaces')))
    .flatMap((id) => found(interfaces, id));
}

function found(rows: ReadonlyMap<string, Row>, id: string): Row[] {
  const row = rows.get(id);
  return row === undefined ? [] : [row];
}

function pluggedAs(ifaceId: string, row: Row, claimants: readonly Row[]): PluggedInterface {
  const name = textOf(row, 'name');
  const rivals = claimants.map((each) => textOf(each, 'name')).filter((each) => each !== name);
  return { ifaceId, name, ofport: portNumber(row)!, linkUp: optionalTextOf(row, 'link_state') === 'up', rivals };
}

/** Null while the switch has not opened the device, or could not. */
function portNumber(row: Row): number | null {
  const ofport = optionalNumberOf(row, 'ofport');
  return ofport === undefined || ofport < 0 ? null : ofport;
}

function whyUnusable(row: Row): string {
  return optionalTextOf(row, 'error') ?? `the switch has not opened ${textOf(row, 'name')} yet`;
}

function isTunnel(row: Row, type: TunnelType): boolean {
  const options = mapOf(row, 'options');
  return textOf(row, 'type') === type && options.get('key') === 'flow' && options.get('remote_ip') === 'flow';
}

function isForGateways(row: Row): boolean {
  return mapOf(row, 'options').get('dst_port') === GATEWAY_UDP_PORT;
}

function viewTunnel(rows: readonly Row[]): TunnelView {
  return { present: rows.length > 0, ofport: rows.map(portNumber).find((number) => number !== null) ?? null };
}

function sameInterface(a: PluggedInterface | undefined, b: PluggedInterface): boolean {
  if (a?.name !== b.name || a.ofport !== b.ofport || a.linkUp !== b.linkUp) return false;
  return a.rivals.join() === b.rivals.join();
}
