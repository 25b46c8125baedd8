import type { ByteWriter } from '../bytes/writer.ts';
import { OpenFlowError } from '../errors.ts';
import { fieldNamed, writeTlv } from '../oxm.ts';
import { PORT, TABLE } from '../ports.ts';
import { ALL_BYTES, NX_ID, NXAST, OFPAT } from './codes.ts';
import { writeController } from './controller.ts';
import { writeCt, writeNat } from './conntrack.ts';
import { writeLearn } from './learn.ts';
import { bitsOf, fieldWith, packBits } from './slice.ts';
import type { Action, ActionType } from './types.ts';

type Encoders = { readonly [T in ActionType]: (writer: ByteWriter, action: Extract<Action, { type: T }>) => void };

/** One entry per action: it writes all of it but the padding, with 0 for the length. */
const ENCODERS: Encoders = {
  output: (writer, { port, maxLen }) => {
    standard(writer, OFPAT.output)
      .u32(port)
      .u16(maxLen ?? defaultMaxLen(port))
      .zeros(6);
  },
  group: (writer, { group }) => {
    standard(writer, OFPAT.group).u32(group);
  },
  meter: (writer, { meter }) => {
    standard(writer, OFPAT.meter).u32(meter);
  },
  set_queue: (writer, { queue }) => {
    standard(writer, OFPAT.set_queue).u32(queue);
  },
  set_field: (writer, { field, value, mask }) => {
    writeTlv(standard(writer, OFPAT.set_field), fieldNamed(field), value, mask);
  },
  move: (writer, { from, to, bits }) => {
    const [source, target] = [fieldWith(from, bits), fieldWith(to, bits)];
    standard(writer, OFPAT.copy_field)
      .u16(bits)
      .u16(from.offset ?? 0)
      .u16(to.offset ?? 0)
      .zeros(2);
    writer.u32(source.header).u32(target.header);
  },
  load: (writer, { to, value }) => {
    const { field, offset, bits } = bitsOf(to);
    const whole = BigInt(value);
    if (whole < 0n || whole >> BigInt(bits) !== 0n)
      throw new OpenFlowError('bad_value', `${value} has over ${bits} bits`);
    const mask = ((1n << BigInt(bits)) - 1n) << BigInt(offset);
    writeTlv(standard(writer, OFPAT.set_field), field, whole << BigInt(offset), mask);
  },
  resubmit: (writer, { table, port, ct }) => {
    // Open vSwitch writes the oldest form that says enough, and so compares equal to what it gives back.
    const oldest = table === undefined && ct === undefined;
    nicira(writer, oldest ? NXAST.resubmit : ct ? NXAST.resubmit_table_ct : NXAST.resubmit_table);
    writer
      .u16(port16(port ?? PORT.in_port))
      .u8(oldest ? 0 : (table ?? TABLE.all))
      .zeros(3);
  },
  output_reg: (writer, action) => {
    const bits = bitsOf(action);
    nicira(writer, NXAST.output_reg).u16(packBits(bits)).u32(bits.field.header);
    writer.u16(action.maxLen ?? ALL_BYTES).zeros(6);
  },
  ct: (writer, action) => writeCt(nicira(writer, NXAST.ct), action, writeActions),
  nat: (writer, action) => writeNat(nicira(writer, NXAST.nat), action),
  ct_clear: (writer) => {
    nicira(writer, NXAST.ct_clear).zeros(6);
  },
  conjunction: (writer, { id, clause, clauses }) => {
    if (clause < 1 || clause > clauses) throw new OpenFlowError('bad_value', `clause ${clause} of ${clauses}`);
    nicira(writer, NXAST.conjunction)
      .u8(clause - 1)
      .u8(clauses)
      .u32(id);
  },
  controller: (writer, action) => writeController(nicira(writer, NXAST.controller2), action),
  check_pkt_larger: (writer, { bytes, to }) => {
    const { header } = fieldWith(to, 1);
    nicira(writer, NXAST.check_pkt_larger)
      .u16(bytes)
      .u16(to.offset ?? 0)
      .u32(header)
      .zeros(6);
  },
  dec_ttl: (writer) => {
    standard(writer, OFPAT.dec_ttl).zeros(4);
  },
  set_ttl: (writer, { ttl }) => {
    standard(writer, OFPAT.set_ttl).u8(ttl).zeros(3);
  },
  push_vlan: (writer, { ethertype }) => {
    standard(writer, OFPAT.push_vlan).u16(ethertype).zeros(2);
  },
  pop_vlan: (writer) => {
    standard(writer, OFPAT.pop_vlan).zeros(4);
  },
  learn: (writer, action) =>
    writeLearn(nicira(writer, action.limit === undefined ? NXAST.learn : NXAST.learn2), action),
  clone: (writer, { actions }) => writeActions(nicira(writer, NXAST.clone).zeros(6), actions),
  exit: (writer) => {
    nicira(writer, NXAST.exit).zeros(6);
  },
  note: (writer, { bytes }) => {
    nicira(writer, NXAST.note).bytes(bytes);
  },
  unknown_action: (writer, { bytes }) => {
    writer.bytes(bytes);
  },
};

/** Type and length of a standard action (section 7.2.6). */
function standard(writer: ByteWriter, type: number): ByteWriter {
  return writer.u16(type).u16(0);
}

/** Header of one of Open vSwitch's own actions. */
function nicira(writer: ByteWriter, subtype: number): ByteWriter {
  return writer.u16(OFPAT.experimenter).u16(0).u32(NX_ID).u16(subtype);
}

/** Open vSwitch keeps max_len for the controller only and gives 0 back for other ports. */
function defaultMaxLen(port: number): number {
  return port === PORT.controller ? ALL_BYTES : 0;
}

/** Old actions hold ports in 16 bits, where the reserved ones are the same counted from the top. */
function port16(port: number): number {
  return port >= PORT.max ? port & 0xffff : port;
}

/** Writes one action, padded to a multiple of 8 bytes. Throws `bad_value` for values that do not fit. */
export function writeAction(writer: ByteWriter, action: Action): void {
  const start = writer.length;
  const encode = ENCODERS[action.type] as ((writer: ByteWriter, action: Action) => void) | undefined;
  if (encode === undefined) throw new OpenFlowError('bad_value', `no action ${action.type}`);
  encode(writer, action);
  writer.padFrom(start);
  writer.patch16(start + 2, writer.length - start);
}

/** Writes a list of actions, without any length of its own. */
export function writeActions(writer: ByteWriter, actions: readonly Action[]): void {
  for (const action of actions) writeAction(writer, action);
}
