/** A switch in memory that holds to the same contract as the real one and interprets the same flows. */
import type { Clock } from '@alcor/runtime';
import { masked, registersOf, type Field } from '../fields.ts';
import { flowKey, maskOf, metersOf, valueOf, type Flow, type FlowIdentity, type Match } from '../flow.ts';
import { decodeFrame, encodeFrame } from '../frame.ts';
import { must } from '../assert.ts';
import { checkFlow } from '../check-flow.ts';
import { namedTable, pipeline } from '../pipeline.ts';
import {
  SwitchLost,
  type Count,
  type FlowChange,
  type FlowFailure,
  type FlowUse,
  type MeterChange,
  type PacketOut,
  type PluggedInterface,
  type Switch,
  type SwitchEvent,
} from '../switch.ts';
import { isResourceMeter, type Meter } from '../meters.ts';
import { Conntrack } from './conntrack.ts';
import { FlowTable, type Entry } from './flow-table.ts';
import { BYTES_OF_A_PACKET, MemoryMeters } from './memory-meters.ts';
import { onTheWire, type Packet } from './packet.ts';
import { walk, type Given, type Walk } from './walk.ts';

export interface MemorySwitchOptions {
  readonly name?: string;
  /** OpenFlow port of the tunnel; null for none. Default 1. */
  readonly tunnelPort?: number | null;
  /** That of the tunnel between hosts and gateways. Default 60,000. */
  readonly gatewayPort?: number | null;
  /** Ports to physical networks, by their names. Default: none. */
  readonly wires?: Readonly<Record<string, number>>;
  /** What the meters of ports go by; without one they hold nobody back. */
  readonly clock?: Pick<Clock, 'now'>;
  /** Runs before changes take effect: to be slow, or to reject and so lose the switch before anything happened. */
  readonly beforeApply?: (changes: readonly FlowChange[]) => Promise<void>;
  /** Runs after changes took effect and before they are confirmed: to lose the confirmation. */
  readonly afterApply?: (changes: readonly FlowChange[]) => Promise<void>;
  /** The switch's words for refusing a change; null to accept it. */
  readonly failApply?: (change: FlowChange) => string | null;
}

export class MemorySwitch implements Switch {
  readonly name: string;
  readonly tunnelPort: number | null;
  readonly gatewayPort: number | null;
  /** Physical networks by the ports that lead to them. */
  readonly wires: ReadonlyMap<number, string>;
  readonly #options: MemorySwitchOptions;
  readonly #tables = new Map<number, FlowTable>();
  readonly #conntrack = new Conntrack();
  readonly #meters: MemoryMeters;
  readonly #interfaces = new Map<string, PluggedInterface>();
  /** Taken off the bridge while the switch was away: told of when it is back. */
  readonly #takenOff = new Set<string>();
  #tell: (event: SwitchEvent) => void = () => undefined;
  #nextPort = 2;
  /** Counts losses, so that what was asked before one is not confirmed after it. */
  #life = 0;
  #up = true;
  #changes = 0;
  #meterChanges = 0;
  #onSent: (walk: Walk, inPort: number) => void = () => undefined;

  constructor(options: MemorySwitchOptions = {}) {
    this.name = options.name ?? 'memory';
    this.tunnelPort = options.tunnelPort === undefined ? 1 : options.tunnelPort;
    this.gatewayPort = options.gatewayPort === undefined ? 60_000 : options.gatewayPort;
    this.wires = new Map(Object.entries(options.wires ?? {}).map(([name, port]) => [port, name]));
    this.#options = options;
    this.#meters = new MemoryMeters(options.clock);
  }

  async start(tell: (event: SwitchEvent) => void, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#tell = tell;
    signal.addEventListener('abort', () => this.#forget(tell), { once: true });
    for (const iface of this.#interfaces.values()) tell({ type: 'plugged', iface });
    tell({ type: 'tunnel', ofport: this.tunnelPort });
    tell({ type: 'gateway-tunnel', ofport: this.gatewayPort });
    for (const [ofport, physicalNetwork] of this.wires) tell({ type: 'wire', physicalNetwork, ofport });
  }

  async *flows(signal: AbortSignal): AsyncIterable<FlowIdentity> {
    const life = this.#alive();
    // A snapshot: what is written while it is read does not move it.
    for (const { flow } of this.entries()) {
      signal.throwIfAborted();
      if (this.#life !== life) throw new SwitchLost(`${this.name} went away`);
      const { table, priority, match, cookie } = flow;
      yield { table, priority, match, cookie };
    }
  }

  async apply(changes: readonly FlowChange[], signal: AbortSignal): Promise<readonly FlowFailure[]> {
    const life = this.#alive();
    await this.#options.beforeApply?.(changes);
    signal.throwIfAborted();
    if (!this.#up || this.#life !== life) throw new SwitchLost(`${this.name} went away`);
    const failures = changes.map((change, index) => ({ index, reason: this.#applyOne(change) }));
    await this.#options.afterApply?.(changes);
    signal.throwIfAborted();
    if (this.#life !== life) throw new SwitchLost(`${this.name} went away`);
    return failures.filter((failure): failure is FlowFailure => failure.reason !== null);
  }

  async *uses(match: Match, signal: AbortSignal): AsyncIterable<FlowUse> {
    const life = this.#alive();
    for (const { flow, packets } of this.entries()) {
      signal.throwIfAborted();
      if (this.#life !== life) throw new SwitchLost(`${this.name} went away`);
      if (covers(match, flow.match)) yield { cookie: flow.cookie, packets: BigInt(packets) };
    }
  }

  async counts(flows: readonly FlowIdentity[], signal: AbortSignal): Promise<readonly Count[]> {
    signal.throwIfAborted();
    this.#alive();
    return flows.map((flow) => {
      const entry = this.#tables.get(flow.table)?.get(flowKey(flow));
      return countOf(entry?.flow.cookie === flow.cookie ? entry.packets : 0);
    });
  }

  async ended(meters: readonly number[], signal: AbortSignal): Promise<readonly Count[]> {
    signal.throwIfAborted();
    this.#alive();
    return meters.map((id) => countOf(this.#meters.ended(id)));
  }

  async *meters(signal: AbortSignal): AsyncIterable<Meter> {
    const life = this.#alive();
    for (const meter of this.#meters.all) {
      signal.throwIfAborted();
      if (this.#life !== life) throw new SwitchLost(`${this.name} went away`);
      yield meter;
    }
  }

  async applyMeters(changes: readonly MeterChange[], signal: AbortSignal): Promise<readonly FlowFailure[]> {
    signal.throwIfAborted();
    this.#alive();
    const reasons = changes.map((change) => this.#meters.apply(change));
    const gone = changes.flatMap(({ type, meter }) => (type === 'delete' ? [meter.id] : []));
    if (gone.length > 0) this.#dropFlowsNaming(new Set(gone));
    this.#meterChanges += changes.length;
    return reasons.flatMap((reason, index) => (reason === null ? [] : [{ index, reason }]));
  }

  send(packets: readonly PacketOut[]): void {
    if (!this.#up) return;
    for (const { table, context, frame } of packets) {
      const { inPort, vni: metadata, registers } = context;
      const packet = { ...decodeFrame(frame).headers, ...registers, metadata };
      this.#onSent(this.#walk(packet, inPort, pipeline[table].id), inPort);
    }
  }

  /** Has what packets from the agent become told to whoever carries them on. */
  onSent(carry: (walk: Walk, inPort: number) => void): void {
    this.#onSent = carry;
  }

  /** Puts an interface on the bridge; returns its port number. */
  plug(ifaceId: string, at: { readonly ofport?: number; readonly name?: string } = {}): number {
    const ofport = at.ofport ?? this.#interfaces.get(ifaceId)?.ofport ?? this.#nextPort;
    this.#nextPort = Math.max(this.#nextPort, ofport + 1);
    const iface = { ifaceId, name: at.name ?? `tap-${ifaceId}`, ofport, linkUp: true, rivals: [] };
    this.#interfaces.set(ifaceId, iface);
    if (this.#up) this.#tell({ type: 'plugged', iface });
    return ofport;
  }

  unplug(ifaceId: string): void {
    if (!this.#interfaces.delete(ifaceId)) return;
    if (this.#up) this.#tell({ type: 'unplugged', ifaceId, reason: '' });
    else this.#takenOff.add(ifaceId);
  }

  /** The switch goes away, with its flows and connections; interfaces stay on the bridge. */
  stop(reason = 'stopped'): void {
    if (!this.#up) return;
    this.#up = false;
    this.#life += 1;
    this.#tables.clear();
    this.#conntrack.clear();
    this.#meters.clear();
    this.#tell({ type: 'lost', reason });
  }

  /** After `stop`: back, empty. */
  resume(): void {
    if (this.#up) return;
    this.#up = true;
    for (const ifaceId of this.#takenOff) this.#tell({ type: 'unplugged', ifaceId, reason: '' });
    this.#takenOff.clear();
    for (const iface of this.#interfaces.values()) this.#tell({ type: 'plugged', iface });
    this.#tell({ type: 'connected' });
  }

  /** Where a packet entering at `inPort` comes out, and by which flows. */
  walk(packet: Packet, inPort: number): Walk {
    return this.#walk(packet, inPort, pipeline.classify.id);
  }

  /** Forgets all connections, as `ovs-appctl dpctl/flush-conntrack` does. */
  flushConnections(): void {
    this.#conntrack.clear();
  }

  /** All flows with their counts, by table, in the order in which they were written. */
  entries(): readonly Entry[] {
    const ids = [...this.#tables.keys()].sort((a, b) => a - b);
    return ids.flatMap((id) => Array.from(this.#tables.get(id)!.entries()));
  }

  /** The interface with this id, if plugged. */
  plugged(ifaceId: string): PluggedInterface | undefined {
    return this.#interfaces.get(ifaceId);
  }

  /** The `iface-id` of the interface at a port, if any. */
  ifaceAt(ofport: number): string | undefined {
    for (const iface of this.#interfaces.values()) if (iface.ofport === ofport) return iface.ifaceId;
    return undefined;
  }

  /** Changes of flows and meters accepted since it was made: what a test counts to see that nothing was rewritten. */
  get changesApplied(): number {
    return this.#changes + this.#meterChanges;
  }

  #walk(packet: Packet, inPort: number, table: number): Walk {
    const state = { conntrack: this.#conntrack, meters: this.#meters };
    const walked = walk(this.#tables, packet, inPort, state, table);
    for (const given of walked.given) this.#tell({ type: 'packet', packet: packetIn(given) });
    return walked;
  }

  #applyOne(change: FlowChange): string | null {
    const refusal = this.#options.failApply?.(change) ?? null;
    if (refusal !== null) return refusal;
    if (change.type === 'write') return this.#write(change.flow);
    const table = this.#tables.get(change.flow.table);
    const key = flowKey(change.flow);
    if (table?.get(key)?.flow.cookie === change.flow.cookie) table.delete(key);
    this.#changes += 1;
    return null;
  }

  /** As a meter goes in OpenFlow (section 6.4). */
  #dropFlowsNaming(meters: ReadonlySet<number>): void {
    for (const table of this.#tables.values())
      for (const { flow } of table.entries())
        if (metersOf(flow).some((id) => meters.has(id))) table.delete(flowKey(flow));
  }

  #write(flow: Flow): string | null {
    try {
      checkFlow(flow);
    } catch (error) {
      return String(error);
    }
    const missing = metersOf(flow).find((id) => isResourceMeter(id) && !this.#meters.has(id));
    if (missing !== undefined) return `there is no meter ${missing}`;
    const table = this.#tables.get(flow.table) ?? new FlowTable();
    this.#tables.set(flow.table, table);
    table.write(flow);
    this.#changes += 1;
    return null;
  }

  #alive(): number {
    if (!this.#up) throw new SwitchLost(`${this.name} is away`);
    return this.#life;
  }

  #forget(tell: (event: SwitchEvent) => void): void {
    if (this.#tell === tell) this.#tell = () => undefined;
  }
}

function countOf(packets: number): Count {
  return { packets: BigInt(packets), bytes: BigInt(packets * BYTES_OF_A_PACKET) };
}

function packetIn({ table, packet }: Given): PacketOut {
  const context = { inPort: Number(packet.in_port), vni: Number(packet.metadata), registers: registersOf(packet) };
  const name = must(namedTable(table), 'a flow is in a table of the pipeline');
  return { table: name, context, frame: encodeFrame(onTheWire(packet)) };
}

/** Whether every packet that `flow` matches has the values of `match`. */
function covers(match: Match, flow: Match): boolean {
  return (Object.keys(match) as Field[]).every((field) => {
    const [wanted, has] = [match[field]!, flow[field]];
    if (has === undefined || maskOf(has) !== null) return false;
    const mask = maskOf(wanted);
    return mask === null
      ? valueOf(has) === valueOf(wanted)
      : masked(field, valueOf(has), mask) === masked(field, valueOf(wanted), mask);
  });
}
