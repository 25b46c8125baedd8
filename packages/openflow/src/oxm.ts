import { checkedLength } from './bytes/reader.ts';
import type { ByteReader } from './bytes/reader.ts';
import type { ByteWriter } from './bytes/writer.ts';
import { OpenFlowError } from './errors.ts';
import { FIELD_NAMES, FIELDS } from './fields.ts';
import type { FieldName, FieldSpec } from './fields.ts';
import type { FieldValue } from './match.ts';

/** A field as the codec sees it: the table's entry with everything derived that a hot path needs. */
export type Field = {
  readonly name: FieldName;
  /** Place in canonical order. */
  readonly index: number;
  readonly bits: number;
  readonly bytes: number;
  readonly maskable: boolean;
  /** The 32-bit OXM header (section 7.2.3.2) without and with a mask. */
  readonly header: number;
  readonly maskedHeader: number;
  /** All bits set, in the form the decoder gives. */
  readonly full: FieldValue;
};

function header(oxmClass: number, number: number, hasMask: 0 | 1, length: number): number {
  return oxmClass * 0x1_0000 + ((number << 9) | (hasMask << 8) | length);
}

function derive(name: FieldName, index: number): Field {
  const { oxmClass, number, bits, bytes, masking }: FieldSpec = FIELDS[name];
  return {
    name,
    index,
    bits,
    bytes,
    maskable: masking === 'maskable',
    header: header(oxmClass, number, 0, bytes),
    maskedHeader: header(oxmClass, number, 1, bytes * 2),
    full: bytes > 6 ? (1n << BigInt(bits)) - 1n : 2 ** bits - 1,
  };
}

const ALL: readonly Field[] = FIELD_NAMES.map(derive);
const BY_NAME = new Map<string, Field>(ALL.map((field) => [field.name, field]));

/** Class and number in one: the header without mask bit and length. */
const idOf = (oxmHeader: number): number => Math.floor(oxmHeader / 0x200);

const BY_ID = new Map<number, Field>(
  ALL.flatMap((field) => {
    const { alias }: FieldSpec = FIELDS[field.name];
    const own: [number, Field] = [idOf(field.header), field];
    return alias === undefined ? [own] : [own, [idOf(header(alias[0], alias[1], 0, 0)), field]];
  }),
);

/** The field at a place of the canonical order. */
export function fieldAt(index: number): Field {
  const field = ALL[index];
  if (field === undefined) throw new OpenFlowError('bad_value', `no field ${index}`);
  return field;
}

/** The field of that name; throws `bad_value` for a name that is not in the table. */
export function fieldNamed(name: string): Field {
  const field = BY_NAME.get(name);
  if (field === undefined) throw new OpenFlowError('bad_value', `no field named ${name}`);
  return field;
}

/** Writes a value in the field's width; throws `bad_value` if it has more bits than the field. */
export function writeValue(writer: ByteWriter, field: Field, value: FieldValue): void {
  if (value > field.full || value < 0) {
    throw new OpenFlowError('bad_value', `${field.name} has ${field.bits} bits, too few for ${value}`);
  }
  switch (field.bytes) {
    case 1:
      writer.u8(Number(value));
      return;
    case 2:
      writer.u16(Number(value));
      return;
    case 4:
      writer.u32(Number(value));
      return;
    case 6:
      writer.u48(Number(value));
      return;
    case 8:
      writer.u64(value);
      return;
    default:
      writer.u128(value);
  }
}

/** Reads a value in the field's width, as the decoder's kind of number. */
export function readValue(reader: ByteReader, field: Field): FieldValue {
  const value = readWidth(reader, field.bytes);
  if (value > field.full) reader.fail('bad_value', `${field.name} has ${field.bits} bits, too few for ${value}`);
  return value;
}

function readWidth(reader: ByteReader, bytes: number): FieldValue {
  switch (bytes) {
    case 1:
      return reader.u8();
    case 2:
      return reader.u16();
    case 4:
      return reader.u32();
    case 6:
      return reader.u48();
    case 8:
      return reader.u64();
    default:
      return reader.u128();
  }
}

/** Bitwise and for values of any width, in the kind of `a`. */
export function and(a: FieldValue, b: FieldValue): FieldValue {
  if (typeof a === 'number' && typeof b === 'number' && a <= 0xffff_ffff && b <= 0xffff_ffff) return (a & b) >>> 0;
  const both = BigInt(a) & BigInt(b);
  return typeof a === 'number' ? Number(both) : both;
}

/** Value and mask as one OXM TLV; a mask of all ones is left out. Throws `bad_value` for a mask on an exact field. */
export function writeTlv(writer: ByteWriter, field: Field, value: FieldValue, mask: FieldValue | undefined): void {
  // eslint-disable-next-line eqeqeq -- a mask may be a number where the full one is a bigint
  if (mask === undefined || mask == field.full) {
    writer.u32(field.header);
    writeValue(writer, field, value);
    return;
  }
  if (!field.maskable) throw new OpenFlowError('bad_value', `${field.name} takes no mask`);
  writer.u32(field.maskedHeader);
  writeValue(writer, field, and(value, mask));
  writeValue(writer, field, mask);
}

/** One TLV as read: a field of the table, or bytes. */
export type Tlv =
  | { readonly field: Field; readonly value: FieldValue; readonly mask: FieldValue | undefined }
  | { readonly field: undefined; readonly bytes: Uint8Array };

/** Reads one OXM TLV; what is not in the table comes back as bytes. */
export function readTlv(reader: ByteReader): Tlv {
  const whole = reader.peek();
  const oxmHeader = reader.u32();
  const length = oxmHeader & 0xff;
  const field = BY_ID.get(idOf(oxmHeader));
  if (field === undefined) {
    reader.skip(length);
    return { field, bytes: whole.bytes(4 + length) };
  }
  const hasMask = (oxmHeader & 0x100) !== 0;
  const expected = hasMask ? field.bytes * 2 : field.bytes;
  if (length !== expected) reader.fail('bad_length', `${field.name} takes ${expected} bytes, not ${length}`);
  const value = readValue(reader, field);
  const mask = hasMask ? readValue(reader, field) : undefined;
  return { field, value: mask === undefined ? value : and(value, mask), mask: mask === field.full ? undefined : mask };
}

/** The field that a bare header names (as in copy-field), or undefined; experimenter headers take 8 bytes. */
export function readHeader(reader: ByteReader): Field | undefined {
  const oxmHeader = reader.u32();
  if (oxmHeader >>> 16 === 0xffff) reader.skip(4);
  checkedLength(reader, oxmHeader & 0xff, 0);
  return BY_ID.get(idOf(oxmHeader));
}
