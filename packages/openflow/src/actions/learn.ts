import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { OpenFlowError } from '../errors.ts';
import type { FieldValue } from '../match.ts';
import { fieldNamed } from '../oxm.ts';
import { readField, startOf } from './slice.ts';
import type { FieldStart, LearnAction, LearnSource, LearnSpec } from './types.ts';

/** Flags of NXAST_LEARN and NXAST_LEARN2. */
const SEND_FLOW_REMOVED = 1;
const DELETE_LEARNED = 2;
const WRITE_RESULT = 4;

/** The head of a spec: where the value is from (1 bit), what it becomes (2 bits), how many bits (11 bits). */
const FROM_VALUE = 0x2000;
const KIND_SHIFT = 11;
const BITS_MASK = 0x7ff;
const KINDS = ['match', 'load', 'output'] as const;

/** What follows the header of NXAST_LEARN, or of NXAST_LEARN2 where there is a limit. */
export function writeLearn(writer: ByteWriter, action: LearnAction): void {
  const flags = (action.sendFlowRemoved ? SEND_FLOW_REMOVED : 0) | (action.deleteLearned ? DELETE_LEARNED : 0);
  writer.u16(action.idleTimeout ?? 0).u16(action.hardTimeout ?? 0);
  writer.u16(action.priority ?? 0);
  writer.u64(action.cookie ?? 0n);
  writer.u16(flags).u8(action.table).u8(0);
  writer.u16(action.finIdleTimeout ?? 0).u16(action.finHardTimeout ?? 0);
  if (action.limit !== undefined) writer.u32(action.limit).u16(0).u16(0);
  for (const spec of action.specs) writeSpec(writer, spec);
}

function writeSpec(writer: ByteWriter, spec: LearnSpec): void {
  if (!(spec.bits >= 1 && spec.bits <= BITS_MASK)) throw new OpenFlowError('bad_value', `learn of ${spec.bits} bits`);
  const from: LearnSource = spec.type === 'output' ? { type: 'field', ...spec.from } : spec.from;
  const source = from.type === 'value' ? FROM_VALUE : 0;
  writer.u16(source | (KINDS.indexOf(spec.type) << KIND_SHIFT) | spec.bits);
  if (from.type === 'value') writeImmediate(writer, from.value, spec.bits);
  else writeStart(writer, from);
  if (spec.type !== 'output') writeStart(writer, spec.to);
}

function writeStart(writer: ByteWriter, start: FieldStart): void {
  writer.u32(fieldNamed(start.field).header).u16(start.offset ?? 0);
}

/** An immediate takes as many 16-bit words as its bits need, most significant first. */
function writeImmediate(writer: ByteWriter, value: FieldValue, bits: number): void {
  const whole = BigInt(value);
  if (whole < 0n || whole >> BigInt(bits) !== 0n)
    throw new OpenFlowError('bad_value', `${value} has over ${bits} bits`);
  for (let word = Math.ceil(bits / 16) - 1; word >= 0; word--) {
    writer.u16(Number((whole >> BigInt(16 * word)) & 0xffffn));
  }
}

/** Reads what follows the header; undefined where it says more than `LearnAction` can. */
export function readLearn(reader: ByteReader, form: 'learn' | 'learn2'): LearnAction | undefined {
  const [idleTimeout, hardTimeout, priority] = [reader.u16(), reader.u16(), reader.u16()];
  const cookie = reader.u64();
  const flags = reader.u16();
  const table = reader.u8();
  reader.skip(1);
  const [finIdleTimeout, finHardTimeout] = [reader.u16(), reader.u16()];
  const limit = form === 'learn2' ? reader.u32() : undefined;
  if (form === 'learn2') reader.skip(4);
  if ((flags & WRITE_RESULT) !== 0) return undefined;
  const specs = readSpecs(reader);
  if (specs === undefined) return undefined;
  return {
    type: 'learn',
    table,
    ...(idleTimeout === 0 ? {} : { idleTimeout }),
    ...(hardTimeout === 0 ? {} : { hardTimeout }),
    ...(finIdleTimeout === 0 ? {} : { finIdleTimeout }),
    ...(finHardTimeout === 0 ? {} : { finHardTimeout }),
    ...(priority === 0 ? {} : { priority }),
    ...(cookie === 0n ? {} : { cookie }),
    ...((flags & SEND_FLOW_REMOVED) === 0 ? {} : { sendFlowRemoved: true }),
    ...((flags & DELETE_LEARNED) === 0 ? {} : { deleteLearned: true }),
    ...(limit === undefined ? {} : { limit }),
    specs,
  };
}

function readSpecs(reader: ByteReader): LearnSpec[] | undefined {
  const specs: LearnSpec[] = [];
  while (reader.left >= 2) {
    const head = reader.u16();
    if (head === 0) break; // padding
    const spec = readSpec(reader, head);
    if (spec === undefined) return undefined;
    specs.push(spec);
  }
  return specs;
}

function readSpec(reader: ByteReader, head: number): LearnSpec | undefined {
  const bits = head & BITS_MASK;
  const kind = KINDS[(head >>> KIND_SHIFT) & 3];
  const from = (head & FROM_VALUE) === 0 ? readSource(reader) : readImmediate(reader, bits);
  if (kind === undefined || from === undefined || bits === 0) return undefined;
  if (kind === 'output') {
    if (from.type === 'value') return undefined;
    const { type: _, ...start } = from;
    return { type: kind, bits, from: start };
  }
  const field = readField(reader);
  const offset = reader.u16();
  return field === undefined ? undefined : { type: kind, bits, from, to: startOf(field, offset) };
}

function readSource(reader: ByteReader): LearnSource | undefined {
  const field = readField(reader);
  const offset = reader.u16();
  return field === undefined ? undefined : { type: 'field', ...startOf(field, offset) };
}

function readImmediate(reader: ByteReader, bits: number): LearnSource | undefined {
  let value = 0n;
  for (let words = Math.ceil(bits / 16); words > 0; words--) value = (value << 16n) | BigInt(reader.u16());
  if (value >> BigInt(bits) !== 0n) return undefined;
  return { type: 'value', value: bits <= 48 ? Number(value) : value };
}
