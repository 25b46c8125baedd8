/**
 * Open vSwitch: flows over OpenFlow 1.5 on the bridge's management socket, interfaces from its database. Creates nothing
 * but flows, the tunnel ports where the bridge has none, and patch ports to the bridges of physical networks. Both connections come back by themselves.
 *
 * The bridge should have `fail_mode=secure`: in the other mode Open vSwitch switches by itself until told otherwise.
 */
import type { Duplex } from 'node:stream';
import {
  connect as connectOpenFlow,
  OpenFlowError,
  SwitchError,
  type FlowMod,
  type NxtPacketIn2,
  type OpenFlowConnection,
  type PacketIn,
} from '@alcor/openflow';
import { connect as connectOvsdb, insert, map, mutate, named, type OvsdbClient } from '@alcor/ovsdb';
import { unreachable } from '../assert.ts';
import { registersOf } from '../fields.ts';
import type { FlowIdentity, Match } from '../flow.ts';
import type { Meter } from '../meters.ts';
import { namedTable, pipeline } from '../pipeline.ts';
import {
  NO_PORT,
  SwitchLost,
  type Count,
  type FlowChange,
  type FlowFailure,
  type FlowUse,
  type MeterChange,
  type PacketOut,
  type Switch,
  type SwitchEvent,
} from '../switch.ts';
import { flowCounts, meterCounts } from './ovs-counts.ts';
import { changeMeters, makeMeters, readResourceMeters } from './ovs-meters.ts';
import {
  changesBetween,
  emptyView,
  GATEWAY_UDP_PORT,
  monitored,
  type TunnelType,
  patchNames,
  viewBridge,
  viewPatch,
  type BridgeRows,
  type BridgeView,
} from './ovs-interfaces.ts';

const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 2000;
const WHOLE_COOKIE = 0xffff_ffff_ffff_ffffn;

export interface OvsSwitchOptions {
  /** Address of the database, e.g. `unix:/run/openvswitch/db.sock`. */
  readonly ovsdb: string;
  /** Address of the bridge's management socket, e.g. `unix:/run/openvswitch/br-int.mgmt`. */
  readonly openflow: string;
  /** Default `br-int`. */
  readonly bridge?: string;
  /** Bridges of physical networks, by the networks' names; the agent makes a pair of patch ports to each that exists. Default: none. */
  readonly bridgeMappings?: ReadonlyMap<string, string>;
  /** How packets travel between hosts, on all of them alike. Default `vxlan`. */
  readonly tunnelType?: TunnelType | undefined;
  /** Name of the tunnel port to make where the bridge has none; that for gateways has `-gw` behind it. Default: its type and 0. */
  readonly tunnel?: string;
  readonly dial: (address: string, signal: AbortSignal) => Promise<Duplex>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class OvsSwitch implements Switch {
  readonly name: string;
  readonly #options: OvsSwitchOptions;
  readonly #bridge: string;
  readonly #tunnelType: TunnelType;
  #connection: OpenFlowConnection | null = null;
  #view: BridgeView = emptyView;
  /** Physical bridges to which patch ports are being made. */
  readonly #patching = new Set<string>();
  #tell: (event: SwitchEvent) => void = () => undefined;

  constructor(options: OvsSwitchOptions) {
    this.#options = options;
    this.#bridge = options.bridge ?? 'br-int';
    this.#tunnelType = options.tunnelType ?? 'vxlan';
    this.name = `${this.#bridge} at ${options.openflow}`;
  }

  async start(tell: (event: SwitchEvent) => void, signal: AbortSignal): Promise<void> {
    this.#tell = tell;
    await this.#followInterfaces(signal);
    await this.#dial(signal);
    void this.#stayConnected(signal).catch(() => undefined);
  }

  async *flows(signal: AbortSignal): AsyncIterable<FlowIdentity> {
    const connection = this.#connected();
    try {
      for await (const { table, priority, match, cookie } of connection.dumpFlows({}, { signal })) {
        // A foreign flow may match on fields that the pipeline does not know; they are passed through, never looked at.
        yield { table, priority, match: match as Match, cookie };
      }
    } catch (error) {
      throw this.#lost(connection, error, signal);
    }
  }

  async *uses(match: Match, signal: AbortSignal): AsyncIterable<FlowUse> {
    const connection = this.#connected();
    try {
      for await (const { cookie, packets } of connection.dumpFlows({ match }, { signal })) yield { cookie, packets };
    } catch (error) {
      throw this.#lost(connection, error, signal);
    }
  }

  async counts(flows: readonly FlowIdentity[], signal: AbortSignal): Promise<readonly Count[]> {
    const connection = this.#connected();
    try {
      return await flowCounts(connection, flows, signal);
    } catch (error) {
      throw this.#lost(connection, error, signal);
    }
  }

  async ended(meters: readonly number[], signal: AbortSignal): Promise<readonly Count[]> {
    const connection = this.#connected();
    try {
      return await meterCounts(connection, meters, signal);
    } catch (error) {
      throw this.#lost(connection, error, signal);
    }
  }

  send(packets: readonly PacketOut[]): void {
    const connection = this.#connection;
    if (connection === null) return;
    for (const { table, context, frame } of packets) {
      const { inPort, vni, registers } = context;
      const match = { ...registers, metadata: BigInt(vni) };
      const actions = [{ type: 'resubmit', table: pipeline[table].id }] as const;
      // What the queue to the switch has no room for is lost, as on any wire.
      connection.packetOut({ inPort, match, actions, packet: frame }).catch(() => undefined);
    }
  }

  async apply(changes: readonly FlowChange[], signal: AbortSignal): Promise<readonly FlowFailure[]> {
    const connection = this.#connected();
    try {
      const { failures } = await connection.applyFlowMods(changes.map(flowMod), { signal });
      return failures.map(({ index, error }) => ({ index, reason: wordsOf(error) }));
    } catch (error) {
      throw this.#lost(connection, error, signal);
    }
  }

  async *meters(signal: AbortSignal): AsyncIterable<Meter> {
    const connection = this.#connected();
    try {
      yield* readResourceMeters(connection, signal);
    } catch (error) {
      throw this.#lost(connection, error, signal);
    }
  }

  async applyMeters(changes: readonly MeterChange[], signal: AbortSignal): Promise<readonly FlowFailure[]> {
    const connection = this.#connected();
    try {
      return await changeMeters(connection, changes, signal);
    } catch (error) {
      throw this.#lost(connection, error, signal);
    }
  }

  async #followInterfaces(signal: AbortSignal): Promise<void> {
    const { dial, sleep, ovsdb } = this.#options;
    const client = await connectOvsdb({ dial: (until) => dial(ovsdb, until), sleep, signal });
    const monitor = await client.monitor('Open_vSwitch', monitored, signal);
    const look = (): void => {
      const before = this.#view;
      this.#view = viewBridge(monitor, this.#bridge, this.#tunnelType);
      for (const event of changesBetween(before, this.#view)) this.#tell(event);
      this.#tellWires(before, this.#view);
      this.#makePatches(client, monitor, signal);
      if (before.exists || !this.#view.exists) return;
      const { tunnel = `${this.#tunnelType}0` } = this.#options;
      if (!this.#view.tunnel.present) void this.#makeTunnel(client, tunnel, {}, signal);
      if (!this.#view.gatewayTunnel.present)
        void this.#makeTunnel(client, `${tunnel}-gw`, { dst_port: GATEWAY_UDP_PORT }, signal);
    };
    monitor.onChange(look);
    look();
    if (this.#view.tunnel.ofport === null) this.#tell({ type: 'tunnel', ofport: null });
  }

  #tellWires(before: BridgeView, after: BridgeView): void {
    for (const [physicalNetwork, bridge] of this.#options.bridgeMappings ?? []) {
      const ofport = after.patches.get(bridge) ?? null;
      if (ofport !== (before.patches.get(bridge) ?? null)) this.#tell({ type: 'wire', physicalNetwork, ofport });
    }
  }

  /** Where both bridges are there and one of the two ports is not. A transaction that fails leaves it to the next look. */
  #makePatches(client: OvsdbClient, database: BridgeRows, signal: AbortSignal): void {
    if (!this.#view.exists) return;
    for (const bridge of new Set(this.#options.bridgeMappings?.values())) {
      const found = viewPatch(database, bridge);
      if (!found.bridge || (found.here && found.there) || this.#patching.has(bridge)) continue;
      this.#patching.add(bridge);
      const { here, there } = patchNames(bridge);
      const operations = [
        ...(found.here ? [] : patchOperations(this.#bridge, here, there)),
        ...(found.there ? [] : patchOperations(bridge, there, here)),
      ];
      void client
        .transact('Open_vSwitch', operations, signal)
        .catch(() => undefined)
        .finally(() => this.#patching.delete(bridge));
    }
  }

  /** A name that is taken, or a database that goes away meanwhile, leaves the bridge without: outcomes say so. */
  async #makeTunnel(
    client: OvsdbClient,
    name: string,
    beside: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const options = map({ remote_ip: 'flow', key: 'flow', ...beside });
    const operations = [
      insert('Interface', { name, type: this.#tunnelType, options }, 'tunnel_interface'),
      insert('Port', { name, interfaces: named('tunnel_interface') }, 'tunnel_port'),
      mutate('Bridge', [['name', '==', this.#bridge]], [['ports', 'insert', named('tunnel_port')]]),
    ];
    await client.transact('Open_vSwitch', operations, signal).catch(() => undefined);
  }

  /** Connects, however often it takes. */
  async #dial(signal: AbortSignal): Promise<void> {
    const { dial, sleep, openflow } = this.#options;
    for (let pause = FIRST_PAUSE_MS; this.#connection === null; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
      signal.throwIfAborted();
      try {
        const connection = await connectOpenFlow({ dial: (until) => dial(openflow, until), sleep, signal });
        await makeMeters(connection, signal);
        connection.onPacketIn((packet) => this.#onPacket(packet));
        this.#connection = connection;
      } catch {
        await sleep(pause, signal);
      }
    }
  }

  async #stayConnected(signal: AbortSignal): Promise<void> {
    while (this.#connection !== null) {
      const why = await this.#connection.closed;
      this.#connection = null;
      if (signal.aborted) return;
      this.#tell({ type: 'lost', reason: why.message });
      await this.#dial(signal);
      this.#tell({ type: 'connected' });
    }
  }

  #onPacket(packet: PacketIn | NxtPacketIn2): void {
    const table = namedTable(packet.table ?? 0);
    if (table === undefined) return;
    const { in_port, metadata } = packet.match;
    const inPort = Number(in_port ?? NO_PORT);
    const context = { inPort, vni: Number(metadata ?? 0), registers: registersOf(packet.match) };
    this.#tell({ type: 'packet', packet: { table, context, frame: packet.packet } });
  }

  #connected(): OpenFlowConnection {
    if (this.#connection === null) throw new SwitchLost(`${this.name} is away`);
    return this.#connection;
  }

  /** Every failure but the caller's own wish to stop leaves unknown what was done: the connection is given up. */
  #lost(connection: OpenFlowConnection, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (!(error instanceof OpenFlowError)) return error;
    connection.close();
    return new SwitchLost(`${this.name}: ${error.message}`, { cause: error });
  }
}

function patchOperations(bridge: string, name: string, peer: string) {
  const row = `patch_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
  return [
    insert('Interface', { name, type: 'patch', options: map({ peer }) }, `${row}_interface`),
    insert('Port', { name, interfaces: named(`${row}_interface`) }, `${row}_port`),
    mutate('Bridge', [['name', '==', bridge]], [['ports', 'insert', named(`${row}_port`)]]),
  ] as const;
}

function wordsOf(error: OpenFlowError): string {
  return error instanceof SwitchError ? error.errorName : error.message;
}

function flowMod(change: FlowChange): FlowMod {
  const { table, priority, match, cookie } = change.flow;
  switch (change.type) {
    case 'write':
      return {
        type: 'flow_mod',
        command: 'add',
        table,
        priority,
        match,
        cookie,
        instructions: change.flow.instructions,
      };
    case 'delete':
      return { type: 'flow_mod', command: 'delete_strict', table, priority, match, cookie, cookieMask: WHOLE_COOKIE };
    default:
      return unreachable(change);
  }
}
