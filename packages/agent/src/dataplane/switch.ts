/** What the data plane asks of a switch, whichever it is. One contract suite runs on every implementation. */
import type { Register } from './fields.ts';
import type { Flow, FlowIdentity, Match } from './flow.ts';
import type { Meter } from './meters.ts';
import type { TableName } from './pipeline.ts';

/** One wish: a flow that replaces whatever has its place, or a place that is to be empty. */
export type FlowChange =
  | { readonly type: 'write'; readonly flow: Flow }
  /** Only the flow with this very cookie: what has been replaced meanwhile stays. */
  | { readonly type: 'delete'; readonly flow: FlowIdentity };

/** One wish for the meters of ports (meters.ts). A flow may name a meter only while there is one, and goes with it. */
export type MeterChange =
  | { readonly type: 'add'; readonly meter: Meter }
  /** In place: there is no moment without it. */
  | { readonly type: 'change'; readonly meter: Meter }
  | { readonly type: 'delete'; readonly meter: Meter };

/** A change that the switch refused. */
export interface FlowFailure {
  /** Position in the list that was applied. */
  readonly index: number;
  /** The switch's own words. */
  readonly reason: string;
}

/** An interface on the integration bridge that says whose it is. */
export interface PluggedInterface {
  readonly ifaceId: string;
  readonly name: string;
  readonly ofport: number;
  readonly linkUp: boolean;
  /** Names of other interfaces that claim the same id; the one with the highest port number, the newest, has it. */
  readonly rivals: readonly string[];
}

/** What the pipeline knows of a packet besides its bytes. */
export interface PacketContext {
  /** OpenFlow port that it came in by; `NO_PORT` for one that the agent made. */
  readonly inPort: number;
  /** The network that it is in: `metadata`. */
  readonly vni: number;
  /** Those that are not 0; what they hold, `pipeline.ts` says. */
  readonly registers: { readonly [R in Register]?: number };
}

/** A packet that a flow's `controller` action gave to the agent. The switch keeps nothing of it. */
export interface PacketIn {
  /** Where the flow stands. */
  readonly table: TableName;
  readonly context: PacketContext;
  /** From the Ethernet header on. */
  readonly frame: Uint8Array;
}

/** A packet for the switch: it enters `table` as if the tables before had passed it on. */
export type PacketOut = PacketIn;

/** `PacketContext.inPort` of a packet that came in by no port: it may leave by any. */
export const NO_PORT = 0xfffffffd;

/** What a flow has counted. */
export interface FlowUse {
  readonly cookie: bigint;
  readonly packets: bigint;
}

/** What a flow has taken, or a meter has ended. */
export interface Count {
  readonly packets: bigint;
  /** From the Ethernet header on. */
  readonly bytes: bigint;
}

export type SwitchEvent =
  /** Plugged, or something about it has changed. */
  | { readonly type: 'plugged'; readonly iface: PluggedInterface }
  /** Gone, or there but unusable: then `reason` holds the switch's own words. */
  | { readonly type: 'unplugged'; readonly ifaceId: string; readonly reason: string }
  | { readonly type: 'tunnel'; readonly ofport: number | null }
  /** The tunnel port for what goes between hosts and gateways. */
  | { readonly type: 'gateway-tunnel'; readonly ofport: number | null }
  /** The port that leads to the bridge of a physical network; null: there is none any more. */
  | { readonly type: 'wire'; readonly physicalNetwork: string; readonly ofport: number | null }
  | { readonly type: 'packet'; readonly packet: PacketIn }
  /** Changes cannot be applied until `connected`. */
  | { readonly type: 'lost'; readonly reason: string }
  /** After `lost`: the flows may be other ones now, or none. */
  | { readonly type: 'connected' };

/** Thrown by `flows` and `apply` when the switch went away before it confirmed. What was asked may be done or not. */
export class SwitchLost extends Error {
  override readonly name = 'SwitchLost';
}

export interface Switch {
  /** For people: which implementation, and where. */
  readonly name: string;
  /**
   * Connects, and comes back by itself whenever the switch does, until `signal` aborts. Before it resolves, `tell` has
   * been told of every interface that is plugged and of the tunnel port; afterwards of every change, one at a time.
   */
  start(tell: (event: SwitchEvent) => void, signal: AbortSignal): Promise<void>;
  /** All flows present, in no order. Throws `SwitchLost`. */
  flows(signal: AbortSignal): AsyncIterable<FlowIdentity>;
  /** What the flows have counted whose matches have the values of `match`, in no order. Throws `SwitchLost`. */
  uses(match: Match, signal: AbortSignal): AsyncIterable<FlowUse>;
  /**
   * What each of the flows has counted, in their order: one that is rewritten in its place counts on, one that is not there has counted
   * nothing. Costs what is asked for, whatever else is in the switch. Throws `SwitchLost`.
   */
  counts(flows: readonly FlowIdentity[], signal: AbortSignal): Promise<readonly Count[]>;
  /** What each of the meters has ended, as `counts`. */
  ended(meters: readonly number[], signal: AbortSignal): Promise<readonly Count[]>;
  /**
   * Has the packets go on, in order, after every change that `apply` has confirmed. As on any wire nobody says what
   * became of them: a switch that is away, or that takes no more, loses them.
   */
  send(packets: readonly PacketOut[]): void;
  /**
   * Carries out the changes in order and resolves once all are in force, with those that were refused. A refused change
   * holds up no other. Throws `SwitchLost`.
   */
  apply(changes: readonly FlowChange[], signal: AbortSignal): Promise<readonly FlowFailure[]>;
  /** The meters of ports that are present, in no order. Throws `SwitchLost`. */
  meters(signal: AbortSignal): AsyncIterable<Meter>;
  /** As `apply`, for meters. */
  applyMeters(changes: readonly MeterChange[], signal: AbortSignal): Promise<readonly FlowFailure[]>;
}
