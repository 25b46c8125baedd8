import type { ByteReader } from '../bytes/reader.ts';
import { OpenFlowError } from '../errors.ts';
import type { FieldName } from '../fields.ts';
import { fieldNamed, readHeader } from '../oxm.ts';
import type { Field } from '../oxm.ts';
import type { FieldSlice } from './types.ts';

/** Some bits of a field, with nothing left out. */
export type Bits = { readonly field: Field; readonly offset: number; readonly bits: number };

/** Fills in a slice's defaults; throws `bad_value` if it reaches beyond the field. */
export function bitsOf(slice: FieldSlice): Bits {
  const offset = slice.offset ?? 0;
  const bits = slice.bits ?? fieldNamed(slice.field).bits - offset;
  return { field: fieldWith(slice, bits), offset, bits };
}

/** The field that has so many bits from the slice's offset on; throws `bad_value` if it has not. */
export function fieldWith(slice: Omit<FieldSlice, 'bits'>, bits: number): Field {
  const field = fieldNamed(slice.field);
  const offset = slice.offset ?? 0;
  if (!(offset >= 0 && bits >= 1 && offset + bits <= field.bytes * 8)) {
    throw new OpenFlowError('bad_value', `${slice.field}[${offset}..${offset + bits - 1}] is not within the field`);
  }
  return field;
}

/** Nicira's packing of offset and width into 16 bits: `offset << 6 | bits - 1`; so at most 64 bits. */
export function packBits({ field, offset, bits }: Bits): number {
  if (bits > 64) throw new OpenFlowError('bad_value', `${field.name}: only 64 bits fit here, not ${bits}`);
  return (offset << 6) | (bits - 1);
}

/** The reverse of `packBits`, as the shortest slice that means the same. */
export function unpackBits(field: Field, packed: number): FieldSlice {
  return sliceOf(field, packed >>> 6, (packed & 63) + 1);
}

/** A slice without what its defaults say anyway. */
export function sliceOf({ name, bits: width }: Field, offset: number, bits: number): FieldSlice {
  const start = offset === 0 ? { field: name } : { field: name, offset };
  return offset + bits === width ? start : { ...start, bits };
}

/** The field's name and where to start in it, without an offset of 0. */
export function startOf({ name }: Field, offset: number): { readonly field: FieldName; readonly offset?: number } {
  return offset === 0 ? { field: name } : { field: name, offset };
}

/** Reads an OXM header of a field in the table; undefined for any other. */
export function readField(reader: ByteReader): Field | undefined {
  return readHeader(reader);
}
