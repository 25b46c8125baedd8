import type { Action, PacketInReason } from '../actions/types.ts';
import type { FlowFilter, FlowMod } from '../flow.ts';
import type { Match } from '../match.ts';
import type { MultipartReply, MultipartRequest } from './multipart-types.ts';

export type Hello = {
  readonly type: 'hello';
  /** Wire versions that the sender speaks, e.g. 6 for OpenFlow 1.5; empty if it sent no bitmap. */
  readonly versions: readonly number[];
};

/** OFPT_ERROR: a refusal of an earlier message, or of bytes that could not be read. */
export type ErrorMessage = {
  readonly type: 'error';
  /** The specification's number of the kind of error, and of the case within it. */
  readonly errorType: number;
  readonly errorCode: number;
  /** Set for errors that an experimenter has defined. */
  readonly experimenter?: number;
  /** The name in words, e.g. `OFPBAC_BAD_OUT_PORT`, or numbers where it has none. */
  readonly errorName: string;
  /** The start of the message at fault. */
  readonly data: Uint8Array;
};

export type Echo = { readonly type: 'echo_request' | 'echo_reply'; readonly data: Uint8Array };

export type FeaturesReply = {
  readonly type: 'features_reply';
  readonly datapathId: bigint;
  readonly buffers: number;
  readonly tables: number;
  readonly auxiliaryId: number;
  /** ofp_capabilities bits, section 7.3.1. */
  readonly capabilities: number;
};

export type SwitchConfig = {
  readonly type: 'set_config' | 'get_config_reply';
  /** How to treat IP fragments. */
  readonly fragments: 'normal' | 'drop' | 'reassemble' | number;
  /** Bytes of a packet sent to the controller on a table miss. */
  readonly missSendLen: number;
};

export type PacketIn = {
  readonly type: 'packet_in';
  readonly bufferId: number;
  /** The packet's length before truncation. */
  readonly totalLen: number;
  readonly reason: PacketInReason | number;
  readonly table: number;
  readonly cookie: bigint;
  /** Metadata of the packet: in_port, registers, tunnel; not its headers. */
  readonly match: Match;
  readonly packet: Uint8Array;
};

/** What NXT_PACKET_IN2 and NXT_RESUME have in common. */
export type PacketIn2Body = {
  readonly packet: Uint8Array;
  /** Set when `packet` is truncated. */
  readonly fullLen?: number;
  readonly bufferId?: number;
  readonly table?: number;
  readonly cookie?: bigint;
  readonly reason?: PacketInReason | number;
  readonly match: Match;
  readonly userdata?: Uint8Array;
  /** Opaque, for `nxt_resume`: the switch's notes about where the packet was stopped. */
  readonly continuation?: Uint8Array;
  /** Properties without a name here, whole. */
  readonly unknown?: readonly Uint8Array[];
};

export type NxtPacketIn2 = PacketIn2Body & { readonly type: 'nxt_packet_in2' };
/** Continue a paused packet; made from its packet-in2, of which packet and match may be changed. */
export type NxtResume = PacketIn2Body & { readonly type: 'nxt_resume' };

export type NxtSetPacketInFormat = {
  readonly type: 'nxt_set_packet_in_format';
  readonly format: 'standard' | 'nxt_packet_in2' | number;
};

/** The number by which `controller` actions address this connection; 16 bits. */
export type NxtSetControllerId = { readonly type: 'nxt_set_controller_id'; readonly id: number };

/** Which asynchronous messages to send, as bit sets over reasons; absent ones stay as they are. */
export type AsyncConfig = {
  readonly type: 'set_async' | 'get_async_reply';
  readonly packetIn?: number;
  readonly packetInSlave?: number;
  readonly portStatus?: number;
  readonly portStatusSlave?: number;
  readonly flowRemoved?: number;
  readonly flowRemovedSlave?: number;
};

export type FlowRemovedReason =
  | 'idle_timeout'
  | 'hard_timeout'
  | 'delete'
  | 'group_delete'
  | 'meter_delete'
  | 'eviction';

export type FlowRemoved = {
  readonly type: 'flow_removed';
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly reason: FlowRemovedReason | number;
  readonly match: Match;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly durationSeconds: number;
  readonly durationNanoseconds: number;
  readonly packets: bigint;
  readonly bytes: bigint;
};

export type Port = {
  readonly port: number;
  readonly name: string;
  /** 48-bit number. */
  readonly mac: number;
  /** ofp_port_config bits, section 7.2.1: 1 = administratively down. */
  readonly config: number;
  /** ofp_port_state bits: 1 = no link. */
  readonly state: number;
  /** Speeds and media, as they are on the wire. */
  readonly properties: Uint8Array;
};

export type PortStatus = {
  readonly type: 'port_status';
  readonly reason: 'add' | 'delete' | 'modify' | number;
  readonly port: Port;
};

export type PacketOut = {
  readonly type: 'packet_out';
  /** Only `in_port`, registers, tunnel and metadata may occur; in_port is needed, `PORT.controller` if from nowhere. */
  readonly match: Match;
  readonly actions: readonly Action[];
  readonly packet: Uint8Array;
  /** A buffered packet instead of `packet`. */
  readonly bufferId?: number;
};

export type GroupType = 'all' | 'select' | 'indirect' | 'fast_failover';

export type Bucket = {
  readonly id: number;
  readonly actions: readonly Action[];
  /** Select groups: the share of packets; Open vSwitch takes 1 if absent. */
  readonly weight?: number;
  /** Fast failover: alive while this port or group is. */
  readonly watchPort?: number;
  readonly watchGroup?: number;
  /** Properties without a name here, whole. */
  readonly unknown?: readonly Uint8Array[];
};

/** How a select group chooses (Netronome's extension, as Open vSwitch has it). */
export type SelectionMethod = {
  readonly method: string;
  /** Seed or basis of the hash. */
  readonly parameter: bigint;
  /** Which fields to hash; a mask says which bits. */
  readonly fields: Match;
};

export type GroupMod = {
  readonly type: 'group_mod';
  readonly command: 'add' | 'modify' | 'delete' | 'insert_bucket' | 'remove_bucket';
  readonly group: number;
  /** 'all' if absent (it does not count in deletions). */
  readonly groupType?: GroupType;
  readonly buckets?: readonly Bucket[];
  /** Where to insert, or which to remove; see `BUCKET`. */
  readonly commandBucket?: number;
  readonly selection?: SelectionMethod;
};

export type MeterFlag = 'kbps' | 'pktps' | 'burst' | 'stats';

export type MeterBand =
  | { readonly type: 'drop'; readonly rate: number; readonly burst?: number }
  | { readonly type: 'dscp_remark'; readonly rate: number; readonly burst?: number; readonly precedence: number }
  | { readonly type: 'unknown_band'; readonly bytes: Uint8Array };

export type MeterMod = {
  readonly type: 'meter_mod';
  readonly command: 'add' | 'modify' | 'delete';
  readonly meter: number;
  readonly flags?: readonly MeterFlag[];
  readonly bands?: readonly MeterBand[];
};

export type BundleFlag = 'atomic' | 'ordered';

export type BundleControl = {
  readonly type: 'bundle_control';
  readonly command:
    | 'open_request'
    | 'open_reply'
    | 'close_request'
    | 'close_reply'
    | 'commit_request'
    | 'commit_reply'
    | 'discard_request'
    | 'discard_reply';
  readonly bundle: number;
  readonly flags: readonly BundleFlag[];
};

export type BundleAdd = {
  readonly type: 'bundle_add';
  readonly bundle: number;
  readonly flags: readonly BundleFlag[];
  readonly message: Message;
};

export type Role = {
  readonly type: 'role_request' | 'role_reply';
  readonly role: 'no_change' | 'equal' | 'master' | 'slave';
  readonly generation: bigint;
};

/** Messages that are nothing but a header. */
export type Bare = {
  readonly type: 'features_request' | 'get_config_request' | 'barrier_request' | 'barrier_reply' | 'get_async_request';
};

/** A message of another kind, as it was read: what follows the header. */
export type UnknownMessage = { readonly type: 'unknown'; readonly messageType: number; readonly body: Uint8Array };

export type Message =
  | Hello
  | ErrorMessage
  | Echo
  | Bare
  | FeaturesReply
  | SwitchConfig
  | PacketIn
  | NxtPacketIn2
  | NxtResume
  | NxtSetPacketInFormat
  | NxtSetControllerId
  | AsyncConfig
  | FlowRemoved
  | PortStatus
  | PacketOut
  | FlowMod
  | GroupMod
  | MeterMod
  | MultipartRequest
  | MultipartReply
  | BundleControl
  | BundleAdd
  | Role
  | UnknownMessage;

export type { FlowFilter };
