import { checkedLength } from '../bytes/reader.ts';
import type { ByteReader } from '../bytes/reader.ts';
import { readTlv } from '../oxm.ts';
import { PORT, TABLE } from '../ports.ts';
import { ALL_BYTES, NX_ID, NXAST, OFPAT } from './codes.ts';
import { readController, readController2 } from './controller.ts';
import { readCt, readNat } from './conntrack.ts';
import { readLearn } from './learn.ts';
import { readField, startOf, unpackBits } from './slice.ts';
import type { Action } from './types.ts';

/** Reads what follows an action's header; undefined if it says what no `Action` can, and so stays as bytes. */
type Decode = (body: ByteReader) => Action | undefined;

/** Standard actions, read after their type and length. */
const STANDARD: Readonly<Record<number, Decode>> = {
  [OFPAT.output]: (body) => {
    const port = body.u32();
    const maxLen = body.u16();
    return port === PORT.controller && maxLen !== ALL_BYTES
      ? { type: 'output', port, maxLen }
      : { type: 'output', port };
  },
  [OFPAT.group]: (body) => ({ type: 'group', group: body.u32() }),
  [OFPAT.meter]: (body) => ({ type: 'meter', meter: body.u32() }),
  [OFPAT.set_queue]: (body) => ({ type: 'set_queue', queue: body.u32() }),
  [OFPAT.set_ttl]: (body) => ({ type: 'set_ttl', ttl: body.u8() }),
  [OFPAT.dec_ttl]: () => ({ type: 'dec_ttl' }),
  [OFPAT.push_vlan]: (body) => ({ type: 'push_vlan', ethertype: body.u16() }),
  [OFPAT.pop_vlan]: () => ({ type: 'pop_vlan' }),
  [OFPAT.set_field]: readSetField,
  [OFPAT.copy_field]: readMove,
};

/** Open vSwitch's own actions, read after type, length, experimenter and subtype. */
const NICIRA: Readonly<Record<number, Decode>> = {
  [NXAST.resubmit]: (body) => {
    const port = port32(body.u16());
    return port === PORT.in_port ? { type: 'resubmit' } : { type: 'resubmit', port };
  },
  [NXAST.resubmit_table]: readResubmit,
  [NXAST.resubmit_table_ct]: (body) => ({ ...readResubmit(body), ct: true }),
  [NXAST.output_reg]: readOutputReg,
  [NXAST.learn]: (body) => readLearn(body, 'learn'),
  [NXAST.learn2]: (body) => readLearn(body, 'learn2'),
  [NXAST.exit]: () => ({ type: 'exit' }),
  [NXAST.controller]: readController,
  [NXAST.controller2]: readController2,
  [NXAST.conjunction]: (body) => {
    const clause = body.u8() + 1;
    const clauses = body.u8();
    return clause > clauses ? undefined : { type: 'conjunction', id: body.u32(), clause, clauses };
  },
  [NXAST.ct]: (body) => readCt(body, readActions),
  [NXAST.nat]: readNat,
  [NXAST.ct_clear]: () => ({ type: 'ct_clear' }),
  [NXAST.clone]: (body) => {
    body.skip(6);
    return { type: 'clone', actions: readActions(body) };
  },
  [NXAST.check_pkt_larger]: readCheckLarger,
  [NXAST.note]: (body) => ({ type: 'note', bytes: body.rest() }),
};

function readSetField(body: ByteReader): Action | undefined {
  const { field, ...tlv } = readTlv(body);
  if (field === undefined || !('value' in tlv)) return undefined;
  const { value, mask } = tlv;
  return { type: 'set_field', field: field.name, value, ...(mask === undefined ? {} : { mask }) };
}

function readMove(body: ByteReader): Action | undefined {
  const [bits, source, target] = [body.u16(), body.u16(), body.u16()];
  body.skip(2);
  const [from, to] = [readField(body), readField(body)];
  if (from === undefined || to === undefined || bits === 0) return undefined;
  if (source + bits > from.bytes * 8 || target + bits > to.bytes * 8) return undefined;
  return { type: 'move', from: startOf(from, source), to: startOf(to, target), bits };
}

function readResubmit(body: ByteReader): Extract<Action, { type: 'resubmit' }> {
  const port = port32(body.u16());
  const table = body.u8();
  return {
    type: 'resubmit',
    ...(table === TABLE.all ? {} : { table }),
    ...(port === PORT.in_port ? {} : { port }),
  };
}

function readOutputReg(body: ByteReader): Action | undefined {
  const packed = body.u16();
  const field = readField(body);
  const maxLen = body.u16();
  if (field === undefined || (packed >>> 6) + (packed & 63) >= field.bytes * 8) return undefined;
  return { type: 'output_reg', ...unpackBits(field, packed), ...(maxLen === ALL_BYTES ? {} : { maxLen }) };
}

function readCheckLarger(body: ByteReader): Action | undefined {
  const [bytes, offset] = [body.u16(), body.u16()];
  const field = readField(body);
  if (field === undefined || offset >= field.bytes * 8) return undefined;
  return { type: 'check_pkt_larger', bytes, to: startOf(field, offset) };
}

/** The reverse of the 16-bit form of ports. */
function port32(port: number): number {
  return port >= 0xff00 ? 0xffff_0000 + port : port;
}

/** Reads one action with its padding. */
function readAction(reader: ByteReader): Action {
  const whole = reader.peek();
  const type = reader.u16();
  const length = checkedLength(reader, reader.u16(), 8);
  if ((length & 7) !== 0) reader.fail('bad_length', `action of ${length} bytes, not a multiple of 8`);
  const body = reader.inner(length - 4);
  return decoded(type, body) ?? { type: 'unknown_action', bytes: whole.bytes(length) };
}

function decoded(type: number, body: ByteReader): Action | undefined {
  if (type !== OFPAT.experimenter) return STANDARD[type]?.(body);
  if (body.left < 12 || body.u32() !== NX_ID) return undefined;
  return NICIRA[body.u16()]?.(body);
}

/** Reads actions to the reader's end. */
export function readActions(reader: ByteReader): Action[] {
  const actions: Action[] = [];
  while (reader.left > 0) actions.push(readAction(reader));
  return actions;
}
