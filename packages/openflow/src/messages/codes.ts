import { words } from '../bytes/words.ts';
import type { FlowFlag, FlowMod } from '../flow.ts';
import type {
  BundleControl,
  BundleFlag,
  FlowRemovedReason,
  GroupMod,
  GroupType,
  MeterFlag,
  MeterMod,
  PortStatus,
  Role,
  SwitchConfig,
} from './types.ts';

/** The wire version this library speaks: OpenFlow 1.5. */
export const VERSION = 6;

/** Bytes of every message's header: version, type, length, xid. */
export const HEADER = 8;

/** Message types of OpenFlow 1.5 (section 7.1, ofp_type). */
export const OFPT = {
  hello: 0,
  error: 1,
  echo_request: 2,
  echo_reply: 3,
  experimenter: 4,
  features_request: 5,
  features_reply: 6,
  get_config_request: 7,
  get_config_reply: 8,
  set_config: 9,
  packet_in: 10,
  flow_removed: 11,
  port_status: 12,
  packet_out: 13,
  flow_mod: 14,
  group_mod: 15,
  multipart_request: 18,
  multipart_reply: 19,
  barrier_request: 20,
  barrier_reply: 21,
  role_request: 24,
  role_reply: 25,
  get_async_request: 26,
  get_async_reply: 27,
  set_async: 28,
  meter_mod: 29,
  bundle_control: 33,
  bundle_add: 34,
} as const;

/** Subtypes of Open vSwitch's own messages. */
export const NXT = { set_packet_in_format: 16, set_controller_id: 20, resume: 28, packet_in2: 30 } as const;

/** Multipart types (section 7.3.5, ofp_multipart_type). */
export const OFPMP = {
  desc: 0,
  flows: 1,
  aggregate: 2,
  tables: 3,
  groups: 7,
  meter_stats: 9,
  meters: 10,
  ports: 13,
} as const;

export const FLOW_COMMAND = words<FlowMod['command']>({
  add: 0,
  modify: 1,
  modify_strict: 2,
  delete: 3,
  delete_strict: 4,
});

export const FLOW_FLAG = words<FlowFlag>({
  send_flow_removed: 1,
  check_overlap: 2,
  reset_counts: 4,
  no_packet_counts: 8,
  no_byte_counts: 16,
});

export const GROUP_COMMAND = words<GroupMod['command']>({
  add: 0,
  modify: 1,
  delete: 2,
  insert_bucket: 3,
  remove_bucket: 5,
});

export const GROUP_TYPE = words<GroupType>({ all: 0, select: 1, indirect: 2, fast_failover: 3 });

export const METER_COMMAND = words<MeterMod['command']>({ add: 0, modify: 1, delete: 2 });

export const METER_FLAG = words<MeterFlag>({ kbps: 1, pktps: 2, burst: 4, stats: 8 });

export const BUNDLE_COMMAND = words<BundleControl['command']>({
  open_request: 0,
  open_reply: 1,
  close_request: 2,
  close_reply: 3,
  commit_request: 4,
  commit_reply: 5,
  discard_request: 6,
  discard_reply: 7,
});

export const BUNDLE_FLAG = words<BundleFlag>({ atomic: 1, ordered: 2 });

export const ROLE = words<Role['role']>({ no_change: 0, equal: 1, master: 2, slave: 3 });

export const FRAGMENTS = words<Exclude<SwitchConfig['fragments'], number>>({ normal: 0, drop: 1, reassemble: 2 });

export const PORT_REASON = words<Exclude<PortStatus['reason'], number>>({ add: 0, delete: 1, modify: 2 });

export const REMOVED_REASON = words<FlowRemovedReason>({
  idle_timeout: 0,
  hard_timeout: 1,
  delete: 2,
  group_delete: 3,
  meter_delete: 4,
  eviction: 5,
});

/** NXT_SET_PACKET_IN_FORMAT. */
export const PACKET_IN_FORMAT = words<'standard' | 'nxt_packet_in2'>({ standard: 0, nxt_packet_in2: 2 });
