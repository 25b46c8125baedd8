import { words } from '../bytes/words.ts';
import type { PacketInReason } from './types.ts';

/** Action types of OpenFlow 1.5 (section 7.2.6, ofp_action_type). */
export const OFPAT = {
  output: 0,
  push_vlan: 17,
  pop_vlan: 18,
  set_queue: 21,
  group: 22,
  set_ttl: 23,
  dec_ttl: 24,
  set_field: 25,
  copy_field: 28,
  meter: 29,
  experimenter: 0xffff,
} as const;

/** Nicira's experimenter id, under which Open vSwitch has its extensions. */
export const NX_ID = 0x2320;

/** Subtypes of Open vSwitch's own actions, all behind `OFPAT.experimenter` and `NX_ID`. */
export const NXAST = {
  resubmit: 1,
  note: 8,
  resubmit_table: 14,
  output_reg: 15,
  learn: 16,
  exit: 17,
  controller: 20,
  conjunction: 34,
  ct: 35,
  nat: 36,
  controller2: 37,
  clone: 42,
  ct_clear: 43,
  resubmit_table_ct: 44,
  learn2: 45,
  check_pkt_larger: 49,
} as const;

/** ofp_packet_in_reason, section 7.4.1. */
export const REASON = words<PacketInReason>({
  table_miss: 0,
  apply_action: 1,
  invalid_ttl: 2,
  action_set: 3,
  group: 4,
  packet_out: 5,
});

/** "All bytes, and do not buffer" (section 7.2.6.1, OFPCML_NO_BUFFER). */
export const ALL_BYTES = 0xffff;
