import type { Duplex } from 'node:stream';
import type { Action } from '../actions/types.ts';
import type { OpenFlowError } from '../errors.ts';
import type { FlowFilter, FlowMod, FlowStats } from '../flow.ts';
import type { Match } from '../match.ts';
import type { FlowRemoved, Message, NxtPacketIn2, PacketIn, PortStatus } from '../messages/types.ts';
import type { MultipartAnswer, MultipartQuery } from '../messages/multipart-types.ts';

/** Resolves after `ms` milliseconds; rejects as soon as the signal aborts. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export type ConnectOptions = {
  /** Opens the byte stream to the switch, e.g. its `BRIDGE.mgmt` socket. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  readonly sleep: Sleep;
  /** Ends the attempt, and later the connection. */
  readonly signal?: AbortSignal;
  /** For the stream and the hello; 5,000 ms if absent. */
  readonly connectTimeoutMs?: number;
  /** How long a request may wait for its answer; 30,000 ms if absent. Multiparts: for each next part. */
  readonly requestTimeoutMs?: number;
  /** Silence after which the switch is asked whether it lives, and closed after as much again; 5,000 ms if absent. */
  readonly echoIntervalMs?: number;
  /** The form of packet-ins; 'nxt_packet_in2' if absent, as only that carries cookie, userdata and continuation. */
  readonly packetInFormat?: 'standard' | 'nxt_packet_in2';
  /** The number by which `controller` actions address this connection; 0 if absent. */
  readonly controllerId?: number;
  /** Requests that may be unanswered, and messages that may wait for the stream; beyond, `overloaded`. 4,096 if absent. */
  readonly maxPending?: number;
};

/** One flow-mod that was refused, by its place in the list given: a `SwitchError`, or what forbids to encode it. */
export type FlowModFailure = { readonly index: number; readonly error: OpenFlowError };

export type ApplyResult = { readonly failures: readonly FlowModFailure[] };

export type ApplyOptions = {
  /** All or nothing, in order (section 7.3.9); without it each flow-mod stands alone. */
  readonly bundle?: boolean;
  readonly signal?: AbortSignal;
};

export type RequestOptions = { readonly signal?: AbortSignal };

export type PacketOutOptions = {
  /** `PORT.controller` if absent. */
  readonly inPort?: number;
  /** More metadata for the packet: registers, tunnel, metadata. */
  readonly match?: Match;
  readonly actions: readonly Action[];
  readonly packet: Uint8Array;
};

/** Stops the listener it came from. */
export type Unsubscribe = () => void;

/**
 * A live OpenFlow channel. Every promise it gives rejects with an `OpenFlowError`: `closed` once the connection has
 * ended, `aborted` by the caller's signal, `timeout`, or, for a refusal by the switch, a `SwitchError`.
 */
export type OpenFlowConnection = {
  /** The wire version agreed. */
  readonly version: number;
  readonly datapathId: bigint;
  /** Why the connection has ended; never rejects. */
  readonly closed: Promise<OpenFlowError>;
  /** Ends the connection; pending requests reject with `closed`. Idempotent. */
  close(): void;

  /** Sends without asking for an answer; resolves when the stream takes more. Refusals go to `onError`. */
  send(message: Message, options?: RequestOptions): Promise<void>;
  /** Sends and waits for the message that answers it. For messages that are answered (echo, features, barrier, …). */
  request(message: Message, options?: RequestOptions): Promise<Message>;
  /** Sends a message that is only answered when refused, and then a barrier: resolves when the switch has done it. */
  command(message: Message, options?: RequestOptions): Promise<void>;
  /** Resolves when the switch has done all that was sent before. */
  barrier(options?: RequestOptions): Promise<void>;
  /**
   * The parts of an answer as they come. Reading from the switch stops while too many are not taken, so do not wait
   * for another answer of this connection within the loop.
   */
  multipart(query: MultipartQuery, options?: RequestOptions): AsyncIterable<MultipartAnswer>;

  /** Writes many flows: pipelined, then one barrier. Refusals are values, not exceptions. */
  applyFlowMods(mods: readonly FlowMod[], options?: ApplyOptions): Promise<ApplyResult>;
  /** The flows in the switch that the filter covers, as they come. */
  dumpFlows(filter?: FlowFilter, options?: RequestOptions): AsyncIterable<FlowStats>;
  packetOut(packet: PacketOutOptions, options?: RequestOptions): Promise<void>;
  /** Lets a paused packet go on, changed where `change` says so. */
  resume(packet: NxtPacketIn2, change?: { readonly packet?: Uint8Array; readonly match?: Match }): Promise<void>;

  /** Listeners are called in the order of arrival, one message at a time; what they throw closes the connection. */
  onPacketIn(listener: (packet: PacketIn | NxtPacketIn2) => void): Unsubscribe;
  onPortStatus(listener: (status: PortStatus) => void): Unsubscribe;
  onFlowRemoved(listener: (removed: FlowRemoved) => void): Unsubscribe;
  /** Refusals (`SwitchError`) that belong to no pending request, and messages that could not be read. */
  onError(listener: (error: OpenFlowError) => void): Unsubscribe;
};
