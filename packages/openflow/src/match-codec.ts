import { padding } from './bytes/reader.ts';
import type { ByteReader } from './bytes/reader.ts';
import { ByteWriter } from './bytes/writer.ts';
import { OpenFlowError } from './errors.ts';
import type { FieldName } from './fields.ts';
import type { FieldValue, MaskedValue, Match, UnknownField } from './match.ts';
import { and, fieldAt, fieldNamed, readTlv, writeTlv } from './oxm.ts';

/** OFPMT_OXM, the only kind of match since OpenFlow 1.2 (section 7.2.3). */
const OFPMT_OXM = 1;

type Entry = FieldValue | MaskedValue | readonly UnknownField[] | undefined;
type Builder = { [F in FieldName]?: FieldValue | MaskedValue };

/** The places of a match's fields in canonical order; the array is used again by the next call. */
const places: number[] = [];

function sortPlaces(match: Match): void {
  places.length = 0;
  for (const name of Object.keys(match)) {
    if (name === 'unknown') continue;
    const { index } = fieldNamed(name);
    let at = places.length;
    for (; at > 0 && (places[at - 1] ?? 0) > index; at--) places[at] = places[at - 1] ?? 0;
    places[at] = index;
  }
}

/** The TLVs of a match in canonical order, without header or padding. */
export function writeMatchFields(writer: ByteWriter, match: Match): void {
  sortPlaces(match);
  for (const place of places) {
    const field = fieldAt(place);
    const entry = match[field.name] as Entry;
    if (typeof entry === 'number' || typeof entry === 'bigint') writeTlv(writer, field, entry, undefined);
    else if (entry !== undefined && 'mask' in entry && entry.mask !== 0 && entry.mask !== 0n) {
      writeTlv(writer, field, entry.value, entry.mask);
    }
  }
  for (const { bytes } of match.unknown ?? []) writer.bytes(bytes);
}

/** An ofp_match: header, fields, padding to a multiple of 8. */
export function writeMatch(writer: ByteWriter, match: Match): void {
  const start = writer.length;
  writer.u16(OFPMT_OXM).u16(0);
  writeMatchFields(writer, match);
  writer.patch16(start + 2, writer.length - start);
  writer.padFrom(start);
}

/** Reads an ofp_match with its padding. */
export function readMatch(reader: ByteReader): Match {
  const type = reader.u16();
  const length = reader.u16();
  if (type !== OFPMT_OXM) reader.fail('bad_value', `match type ${type}`);
  if (length < 4) reader.fail('bad_length', `match of ${length} bytes`);
  const match = readMatchFields(reader.inner(length - 4));
  reader.skip(padding(length));
  return match;
}

/** Reads TLVs to the reader's end into a canonical match. Throws `bad_structure` when a field occurs twice. */
export function readMatchFields(reader: ByteReader): Match {
  const found: Builder = {};
  const unknown: UnknownField[] = [];
  while (reader.left > 0) {
    const tlv = readTlv(reader);
    if (tlv.field === undefined) {
      unknown.push({ type: 'unknown_field', bytes: tlv.bytes });
      continue;
    }
    const { name } = tlv.field;
    if (found[name] !== undefined) reader.fail('bad_structure', `${name} occurs twice`);
    found[name] = tlv.mask === undefined ? tlv.value : { value: tlv.value, mask: tlv.mask };
  }
  return canonicalMatch(unknown.length === 0 ? found : { ...found, unknown });
}

/**
 * The same match in its one canonical form: keys in table order, values as decoders give them, full masks dropped,
 * empty ones left out, and xreg/xxreg taken apart into the registers they are made of (Open vSwitch puts registers
 * together as it likes). Throws `bad_structure` where a register is given twice.
 */
export function canonicalMatch(match: Match): Match {
  const canonical: Builder = {};
  for (const { index } of Object.keys(match)
    .filter(isField)
    .map(fieldNamed)
    .sort((a, b) => a.index - b.index)) {
    const field = fieldAt(index);
    const entry = match[field.name];
    if (entry !== undefined) addCanonical(canonical, field.name, masked(entry, field.full));
  }
  const ordered: Builder = {};
  sortPlaces(canonical);
  for (const place of places) {
    const { name } = fieldAt(place);
    const entry = canonical[name];
    if (entry !== undefined) ordered[name] = entry;
  }
  return match.unknown === undefined ? ordered : { ...ordered, unknown: match.unknown };
}

const isField = (key: string): boolean => key !== 'unknown';

function masked(entry: FieldValue | MaskedValue, full: FieldValue): MaskedValue {
  return typeof entry === 'object' ? entry : { value: entry, mask: full };
}

const WIDE_REGISTER = /^(x{1,2})reg(\d)$/;

function addCanonical(into: Builder, name: FieldName, { value, mask }: MaskedValue): void {
  const wide = WIDE_REGISTER.exec(name);
  if (wide !== null) {
    addRegisters(into, wide[1] === 'x' ? 2 : 4, Number(wide[2]), BigInt(value), BigInt(mask));
    return;
  }
  const { bytes, full } = fieldNamed(name);
  const kind = bytes > 6 ? BigInt : Number;
  const bits = and(kind(mask), full);
  // eslint-disable-next-line eqeqeq -- zero of either kind
  if (bits == 0) return;
  if (into[name] !== undefined) throw new OpenFlowError('bad_structure', `${name} is given twice`);
  const kept = and(kind(value), bits);
  into[name] = bits === full ? kept : { value: kept, mask: bits };
}

/** xreg0 is reg0 (its high half) and reg1; xxreg0 is reg0 to reg3 (ovs-fields(7), "Register fields"). */
function addRegisters(into: Builder, count: 2 | 4, number: number, value: bigint, mask: bigint): void {
  for (let i = 0; i < count; i++) {
    const shift = BigInt(32 * (count - 1 - i));
    const name = `reg${number * count + i}` as FieldName;
    const part = (bits: bigint): number => Number((bits >> shift) & 0xffff_ffffn);
    addCanonical(into, name, { value: part(value), mask: part(mask) });
  }
}

const keyWriter = new ByteWriter(512);
const WIDE_NAMES = ['xreg', 'xxreg'];

/**
 * A string that is equal for matches that mean the same, whoever wrote them and in whatever order. Opaque, one
 * character a byte. Throws `bad_value` for values that do not fit their fields.
 */
export function matchKey(match: Match): string {
  const wide = Object.keys(match).some((name) => WIDE_NAMES.some((prefix) => name.startsWith(prefix)));
  keyWriter.reset();
  writeMatchFields(keyWriter, wide ? canonicalMatch(match) : match);
  return keyWriter.binaryText();
}
