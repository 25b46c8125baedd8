import type { Action } from './actions/types.ts';
import type { Match } from './match.ts';

/** An instruction of another kind than those below, as it was read. */
export type UnknownInstruction = { readonly type: 'unknown_instruction'; readonly bytes: Uint8Array };

/** What a flow does to its packets (section 7.2.5); metering is an action in OpenFlow 1.5. */
export type Instruction =
  | { readonly type: 'apply_actions'; readonly actions: readonly Action[] }
  | { readonly type: 'clear_actions' }
  | { readonly type: 'write_actions'; readonly actions: readonly Action[] }
  | { readonly type: 'write_metadata'; readonly value: bigint; readonly mask?: bigint }
  | { readonly type: 'goto_table'; readonly table: number }
  | UnknownInstruction;

/** Flags of a flow (section 7.3.4.2, ofp_flow_mod_flags). */
export type FlowFlag = 'send_flow_removed' | 'check_overlap' | 'reset_counts' | 'no_packet_counts' | 'no_byte_counts';

export type Flow = {
  readonly table: number;
  readonly priority: number;
  /** The owner's mark on the flow; 0 if absent. */
  readonly cookie?: bigint;
  readonly match: Match;
  /** At most one of each type; none drops the packet. */
  readonly instructions: readonly Instruction[];
  /** Seconds without a packet until the flow goes; 0 or absent = never. */
  readonly idleTimeout?: number;
  /** Seconds until the flow goes; 0 or absent = never. */
  readonly hardTimeout?: number;
  /** Flows of low importance go first where the switch has to evict. */
  readonly importance?: number;
  readonly flags?: readonly FlowFlag[];
};

/** A flow as the switch reports it, with what it has counted. */
export type FlowStats = Flow & {
  readonly cookie: bigint;
  /** Since the flow was written. */
  readonly durationSeconds: number;
  readonly durationNanoseconds: number;
  /** Since the last packet, where the switch says so. */
  readonly idleSeconds?: number;
  readonly packets: bigint;
  readonly bytes: bigint;
};

/** Which flows a dump or an aggregate covers; every one if nothing is set. */
export type FlowFilter = {
  readonly table?: number;
  readonly match?: Match;
  readonly cookie?: bigint;
  readonly cookieMask?: bigint;
  readonly outPort?: number;
  readonly outGroup?: number;
};

/**
 * Write or delete flows (section 7.3.4.2). `add` replaces a flow of equal table, priority and match; `modify` and
 * `delete` cover every flow that the match covers, the strict forms exactly one. Priority counts in the strict forms
 * and in `add`; instructions do not count in deletions.
 */
export type FlowMod = {
  readonly type: 'flow_mod';
  readonly command: 'add' | 'modify' | 'modify_strict' | 'delete' | 'delete_strict';
  /** `TABLE.all` deletes from every table. */
  readonly table: number;
  /** 0 if absent. */
  readonly priority?: number;
  readonly match?: Match;
  readonly instructions?: readonly Instruction[];
  readonly cookie?: bigint;
  /** For modify and delete: only flows whose cookie agrees with `cookie` in these bits. */
  readonly cookieMask?: bigint;
  readonly idleTimeout?: number;
  readonly hardTimeout?: number;
  readonly importance?: number;
  readonly flags?: readonly FlowFlag[];
  /** For delete: only flows with an output to this port. */
  readonly outPort?: number;
  /** For delete: only flows with this group. */
  readonly outGroup?: number;
  /** A buffered packet to run through the flow; none if absent. */
  readonly bufferId?: number;
};
