/** Reserved port numbers (OpenFlow 1.5, section 7.2.1, ofp_port_no). */
export const PORT = {
  /** The last number a real port can have. */
  max: 0xffff_ff00,
  /** Where the packet came from; the only way to send it back there. */
  in_port: 0xffff_fff8,
  /** Through the flow tables, from the first one; for packet-out only. */
  table: 0xffff_fff9,
  normal: 0xffff_fffa,
  flood: 0xffff_fffb,
  all: 0xffff_fffc,
  controller: 0xffff_fffd,
  local: 0xffff_fffe,
  /** In requests and filters: no restriction. */
  any: 0xffff_ffff,
} as const;

/** Group ids with a meaning of their own (section 7.3.4.3, ofp_group). */
export const GROUP = { max: 0xffff_ff00, all: 0xffff_fffc, any: 0xffff_ffff } as const;

/** Bucket ids with a meaning of their own (section 7.3.4.3, ofp_group_bucket). */
export const BUCKET = { max: 0xffff_ff00, first: 0xffff_fffd, last: 0xffff_fffe, all: 0xffff_ffff } as const;

/** Meter ids with a meaning of their own (section 7.3.4.5, ofp_meter). */
export const METER = { max: 0xffff_0000, slowpath: 0xffff_fffd, controller: 0xffff_fffe, all: 0xffff_ffff } as const;

/** Table ids with a meaning of their own (section 7.3.4.1, ofp_table). */
export const TABLE = { max: 0xfe, all: 0xff } as const;

/** "Not buffered": the packet travels with the message (section 7.2.7). */
export const NO_BUFFER = 0xffff_ffff;
