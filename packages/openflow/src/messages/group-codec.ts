import { readActions } from '../actions/decode.ts';
import { writeActions } from '../actions/encode.ts';
import { readProperties, writeProperty } from '../bytes/properties.ts';
import { checkedLength } from '../bytes/reader.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import type { Match, UnknownField } from '../match.ts';
import { and, fieldNamed, readTlv, writeValue } from '../oxm.ts';
import { BUCKET } from '../ports.ts';
import { GROUP_COMMAND, GROUP_TYPE } from './codes.ts';
import type { GroupDescription } from './multipart-types.ts';
import type { Bucket, GroupMod, SelectionMethod } from './types.ts';

/** Bucket properties, section 7.3.4.3. */
const BUCKET_PROPERTY = { weight: 0, watchPort: 1, watchGroup: 2 } as const;

const EXPERIMENTER_PROPERTY = 0xffff;
/** Netronome's experimenter id and its one group property: the selection method. */
const NETRONOME = 0x154d;
const SELECTION_METHOD = 1;
const METHOD_BYTES = 16;

/** OFPT_GROUP_MOD, section 7.3.4.3. */
export function writeGroupMod(writer: ByteWriter, mod: GroupMod): void {
  writer
    .u16(GROUP_COMMAND.code(mod.command))
    .u8(GROUP_TYPE.code(mod.groupType ?? 'all'))
    .u8(0)
    .u32(mod.group);
  const at = writer.length;
  writer
    .u16(0)
    .zeros(2)
    .u32(mod.commandBucket ?? BUCKET.all);
  writer.patch16(at, writeBuckets(writer, mod.buckets ?? []));
  if (mod.selection !== undefined) writeSelection(writer, mod.selection);
}

export function readGroupMod(reader: ByteReader): GroupMod {
  const command = GROUP_COMMAND.word(reader.u16());
  const groupType = GROUP_TYPE.word(reader.u8());
  if (typeof command === 'number') reader.fail('bad_value', `group-mod command ${command}`);
  if (typeof groupType === 'number') reader.fail('bad_value', `group type ${groupType}`);
  reader.skip(1);
  const [group, length] = [reader.u32(), reader.u16()];
  reader.skip(2);
  const commandBucket = reader.u32();
  const buckets = readBuckets(reader.inner(length));
  return {
    type: 'group_mod',
    command,
    group,
    groupType,
    buckets,
    ...(commandBucket === BUCKET.all ? {} : { commandBucket }),
    ...readSelection(reader),
  };
}

/** Writes buckets and says how many bytes they took. */
function writeBuckets(writer: ByteWriter, buckets: readonly Bucket[]): number {
  const start = writer.length;
  for (const bucket of buckets) writeBucket(writer, bucket);
  return writer.length - start;
}

function writeBucket(writer: ByteWriter, { id, actions, weight, watchPort, watchGroup, unknown }: Bucket): void {
  const start = writer.length;
  writer.u16(0).u16(0).u32(id);
  writeActions(writer, actions);
  writer.patch16(start + 2, writer.length - start - 8);
  if (weight !== undefined) writeProperty(writer, BUCKET_PROPERTY.weight, () => writer.u16(weight).zeros(2));
  if (watchPort !== undefined) writeProperty(writer, BUCKET_PROPERTY.watchPort, () => writer.u32(watchPort));
  if (watchGroup !== undefined) writeProperty(writer, BUCKET_PROPERTY.watchGroup, () => writer.u32(watchGroup));
  for (const whole of unknown ?? []) writer.bytes(whole);
  writer.patch16(start, writer.length - start);
}

function readBuckets(reader: ByteReader): Bucket[] {
  const buckets: Bucket[] = [];
  while (reader.left > 0) buckets.push(readBucket(reader));
  return buckets;
}

function readBucket(reader: ByteReader): Bucket {
  const length = checkedLength(reader, reader.u16(), 8);
  const body = reader.inner(length - 2);
  const actionBytes = body.u16();
  const id = body.u32();
  const bucket: { -readonly [K in keyof Bucket]: Bucket[K] } = { id, actions: readActions(body.inner(actionBytes)) };
  for (const { type, body: value, whole } of readProperties(body)) {
    if (type === BUCKET_PROPERTY.weight) bucket.weight = value.u16();
    else if (type === BUCKET_PROPERTY.watchPort) bucket.watchPort = value.u32();
    else if (type === BUCKET_PROPERTY.watchGroup) bucket.watchGroup = value.u32();
    else bucket.unknown = [...(bucket.unknown ?? []), whole];
  }
  return bucket;
}

function writeSelection(writer: ByteWriter, { method, parameter, fields }: SelectionMethod): void {
  writeProperty(writer, EXPERIMENTER_PROPERTY, () => {
    writer.u32(NETRONOME).u32(SELECTION_METHOD).zeros(4).text(method, METHOD_BYTES).u64(parameter);
    for (const name of Object.keys(fields).filter((key) => key !== 'unknown')) {
      const field = fieldNamed(name);
      const entry = fields[field.name];
      if (entry === undefined) continue;
      // Each field's header is followed by its mask alone: which bits to hash.
      writer.u32(field.header);
      writeValue(writer, field, typeof entry === 'object' ? entry.mask : field.full);
    }
  });
}

/** The selection method among a group's properties; other properties are left out. */
function readSelection(reader: ByteReader): { readonly selection?: SelectionMethod } {
  for (const { type, body } of readProperties(reader)) {
    if (type !== EXPERIMENTER_PROPERTY || body.u32() !== NETRONOME || body.u32() !== SELECTION_METHOD) continue;
    body.skip(4);
    const [method, parameter] = [body.text(METHOD_BYTES), body.u64()];
    return { selection: { method, parameter, fields: readHashedFields(body) } };
  }
  return {};
}

function readHashedFields(body: ByteReader): Match {
  const fields: Record<string, unknown> = {};
  const unknown: UnknownField[] = [];
  while (body.left > 0) {
    const tlv = readTlv(body);
    if (tlv.field === undefined) unknown.push({ type: 'unknown_field', bytes: tlv.bytes });
    else fields[tlv.field.name] = { value: and(tlv.field.full, tlv.value), mask: tlv.value };
  }
  return unknown.length === 0 ? fields : { ...fields, unknown };
}

/** One ofp_group_desc, section 7.3.5.9. */
export function writeGroupDescription(writer: ByteWriter, description: GroupDescription): void {
  const start = writer.length;
  writer.u16(0).u8(GROUP_TYPE.code(description.groupType)).u8(0).u32(description.group);
  const at = writer.length;
  writer.u16(0).zeros(6);
  writer.patch16(at, writeBuckets(writer, description.buckets));
  if (description.selection !== undefined) writeSelection(writer, description.selection);
  writer.patch16(start, writer.length - start);
}

export function readGroupDescription(reader: ByteReader): GroupDescription {
  const length = checkedLength(reader, reader.u16(), 16);
  const body = reader.inner(length - 2);
  const groupType = GROUP_TYPE.word(body.u8());
  body.skip(1);
  const [group, bucketBytes] = [body.u32(), body.u16()];
  body.skip(6);
  const buckets = readBuckets(body.inner(bucketBytes));
  return { group, groupType, buckets, ...readSelection(body) };
}
