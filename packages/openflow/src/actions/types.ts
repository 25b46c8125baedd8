import type { FieldName } from '../fields.ts';
import type { FieldValue } from '../match.ts';

/** Some bits of a field: `bits` of them, from bit `offset` (0 = least significant) up; the whole field if absent. */
export type FieldSlice = { readonly field: FieldName; readonly offset?: number; readonly bits?: number };

/** The first bit of a run whose length stands elsewhere. */
export type FieldStart = { readonly field: FieldName; readonly offset?: number };

/** Why the switch sends a packet to the controller (section 7.4.1, ofp_packet_in_reason). */
export type PacketInReason = 'table_miss' | 'apply_action' | 'invalid_ttl' | 'action_set' | 'group' | 'packet_out';

/** A closed range; without `max`, just `min`. */
export type Range<T> = { readonly min: T; readonly max?: T };

/** Translate addresses and ports; meant for the actions of `ct` with `commit` (or bare, to apply an old translation). */
export type NatAction = {
  readonly type: 'nat';
  /** Which side to rewrite; without it, what the connection already has. */
  readonly side?: 'src' | 'dst';
  readonly ipv4?: Range<number>;
  readonly ipv6?: Range<bigint>;
  readonly ports?: Range<number>;
  /** Keep the mapping over a restart of the switch, where it can. */
  readonly persistent?: true;
  /** How to choose a port of the range. */
  readonly choice?: 'hash' | 'random';
};

/** Send through the connection tracker (ovs-actions(7), "The ct action"). */
export type CtAction = {
  readonly type: 'ct';
  readonly commit?: boolean;
  /** With commit: make this direction the original one. */
  readonly force?: boolean;
  /** The zone, or the field bits that hold it; 0 if absent. */
  readonly zone?: number | FieldSlice;
  /** Continue in this table with the ct_* fields known. */
  readonly table?: number;
  /** Application layer gateway: its name or its well-known port. */
  readonly alg?: 'ftp' | 'tftp' | number;
  /** Done to the connection: set_field on ct_mark and ct_label, and nat. */
  readonly actions?: readonly Action[];
};

/** Send to the controller with more say than `output` (NXAST_CONTROLLER2). */
export type ControllerAction = {
  readonly type: 'controller';
  /** Bytes of the packet to send; all if absent. */
  readonly maxLen?: number;
  /** Which controller connection gets it, by `set_controller_id`; 0 if absent. */
  readonly controllerId?: number;
  /** 'apply_action' if absent; a number for a reason without a name. */
  readonly reason?: PacketInReason | number;
  /** Comes back unchanged in packet-in2. */
  readonly userdata?: Uint8Array;
  /** Stop the packet here until `nxt_resume`. */
  readonly pause?: boolean;
  readonly meter?: number;
};

/** Where a learnt value comes from: the packet, or the action itself. */
export type LearnSource =
  | { readonly type: 'field'; readonly field: FieldName; readonly offset?: number }
  | { readonly type: 'value'; readonly value: FieldValue };

/** One part of the flow to be learnt: a match, a register load or an output. */
export type LearnSpec =
  | {
      readonly type: 'match' | 'load';
      readonly bits: number;
      readonly from: LearnSource;
      readonly to: FieldStart;
    }
  | { readonly type: 'output'; readonly bits: number; readonly from: FieldStart };

/** Write a flow made from this packet (ovs-actions(7), "The learn action"). */
export type LearnAction = {
  readonly type: 'learn';
  readonly table: number;
  /** Seconds; 0 = never, and so for the next three. */
  readonly idleTimeout?: number;
  readonly hardTimeout?: number;
  readonly finIdleTimeout?: number;
  readonly finHardTimeout?: number;
  /** 0 if absent. */
  readonly priority?: number;
  readonly cookie?: bigint;
  readonly sendFlowRemoved?: boolean;
  readonly deleteLearned?: boolean;
  /** At most so many learnt flows with this cookie in this table. */
  readonly limit?: number;
  readonly specs: readonly LearnSpec[];
};

/** An action of another kind than those below, as it was read: all its bytes, header and padding included. */
export type UnknownAction = { readonly type: 'unknown_action'; readonly bytes: Uint8Array };

export type Action =
  /** `maxLen` counts only for the controller port; all bytes if absent. */
  | { readonly type: 'output'; readonly port: number; readonly maxLen?: number }
  | {
      readonly type: 'output_reg';
      readonly field: FieldName;
      readonly offset?: number;
      readonly bits?: number;
      readonly maxLen?: number;
    }
  | { readonly type: 'group'; readonly group: number }
  | { readonly type: 'meter'; readonly meter: number }
  | { readonly type: 'set_queue'; readonly queue: number }
  | { readonly type: 'set_field'; readonly field: FieldName; readonly value: FieldValue; readonly mask?: FieldValue }
  /** Copy-field of OpenFlow 1.5. */
  | { readonly type: 'move'; readonly from: FieldStart; readonly to: FieldStart; readonly bits: number }
  /** Convenience: travels as `set_field` with a mask and is read back as such (OpenFlow 1.5 has no reg_load). */
  | { readonly type: 'load'; readonly to: FieldSlice; readonly value: FieldValue }
  /** Without `table` the current one; `ct` looks up with the connection's original addresses. */
  | { readonly type: 'resubmit'; readonly table?: number; readonly port?: number; readonly ct?: true }
  | CtAction
  | NatAction
  | { readonly type: 'ct_clear' }
  /** `clause` counts from 1 to `clauses`, as in ovs-ofctl's `conjunction(id, k/n)`. */
  | { readonly type: 'conjunction'; readonly id: number; readonly clause: number; readonly clauses: number }
  | ControllerAction
  /** Writes one bit: whether the frame, its Ethernet header included, has more bytes than these. */
  | { readonly type: 'check_pkt_larger'; readonly bytes: number; readonly to: FieldStart }
  | { readonly type: 'dec_ttl' }
  | { readonly type: 'set_ttl'; readonly ttl: number }
  | { readonly type: 'push_vlan'; readonly ethertype: number }
  | { readonly type: 'pop_vlan' }
  | LearnAction
  | { readonly type: 'clone'; readonly actions: readonly Action[] }
  /** Ends the action list. */
  | { readonly type: 'exit' }
  /** Does nothing; its bytes are for people. Open vSwitch pads them with zeros to 6 + 8n. */
  | { readonly type: 'note'; readonly bytes: Uint8Array }
  | UnknownAction;

export type ActionType = Action['type'];
