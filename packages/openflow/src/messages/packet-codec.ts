import { REASON } from '../actions/codes.ts';
import { readActions } from '../actions/decode.ts';
import { writeActions } from '../actions/encode.ts';
import { readProperties, writeProperty } from '../bytes/properties.ts';
import type { Property } from '../bytes/properties.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { readMatch, readMatchFields, writeMatch, writeMatchFields } from '../match-codec.ts';
import { NO_BUFFER } from '../ports.ts';
import type { PacketIn, PacketIn2Body, PacketOut } from './types.ts';

/** OFPT_PACKET_IN, section 7.4.1. */
export function writePacketIn(writer: ByteWriter, message: PacketIn): void {
  writer.u32(message.bufferId).u16(message.totalLen).u8(REASON.code(message.reason)).u8(message.table);
  writer.u64(message.cookie);
  writeMatch(writer, message.match);
  writer.zeros(2).bytes(message.packet);
}

export function readPacketIn(reader: ByteReader): PacketIn {
  const [bufferId, totalLen, reason, table] = [reader.u32(), reader.u16(), REASON.word(reader.u8()), reader.u8()];
  const cookie = reader.u64();
  const match = readMatch(reader);
  reader.skip(2);
  return { type: 'packet_in', bufferId, totalLen, reason, table, cookie, match, packet: reader.rest() };
}

/** OFPT_PACKET_OUT, section 7.3.6; since 1.5 the packet's metadata is a match. */
export function writePacketOut(writer: ByteWriter, message: PacketOut): void {
  writer.u32(message.bufferId ?? NO_BUFFER);
  const at = writer.length;
  writer.u16(0).zeros(2);
  writeMatch(writer, message.match);
  const start = writer.length;
  writeActions(writer, message.actions);
  writer.patch16(at, writer.length - start);
  writer.bytes(message.packet);
}

export function readPacketOut(reader: ByteReader): PacketOut {
  const bufferId = reader.u32();
  const length = reader.u16();
  reader.skip(2);
  const match = readMatch(reader);
  const actions = readActions(reader.inner(length));
  const packet = reader.rest();
  return { type: 'packet_out', match, actions, packet, ...(bufferId === NO_BUFFER ? {} : { bufferId }) };
}

/** Properties of NXT_PACKET_IN2 and NXT_RESUME. */
const NXPINT = {
  packet: 0,
  fullLen: 1,
  bufferId: 2,
  table: 3,
  cookie: 4,
  reason: 5,
  metadata: 6,
  userdata: 7,
  continuation: 8,
} as const;

/** Body of NXT_PACKET_IN2 and of NXT_RESUME. */
export function writePacketIn2(writer: ByteWriter, body: PacketIn2Body): void {
  const { packet, fullLen, bufferId, table, cookie, reason, match, userdata, continuation } = body;
  const put = (type: number, write: () => void): void => writeProperty(writer, type, write);
  put(NXPINT.packet, () => writer.bytes(packet));
  if (fullLen !== undefined) put(NXPINT.fullLen, () => writer.u32(fullLen));
  if (bufferId !== undefined) put(NXPINT.bufferId, () => writer.u32(bufferId));
  if (table !== undefined) put(NXPINT.table, () => writer.u8(table).zeros(3));
  if (cookie !== undefined) put(NXPINT.cookie, () => writer.zeros(4).u64(cookie));
  if (reason !== undefined) put(NXPINT.reason, () => writer.u8(REASON.code(reason)).zeros(3));
  put(NXPINT.metadata, () => writeMatchFields(writer, match));
  if (userdata !== undefined) put(NXPINT.userdata, () => writer.bytes(userdata));
  if (continuation !== undefined) put(NXPINT.continuation, () => writer.bytes(continuation));
  for (const whole of body.unknown ?? []) writer.bytes(whole);
}

type Writable = { -readonly [K in keyof PacketIn2Body]: PacketIn2Body[K] } & { unknown?: readonly Uint8Array[] };

export function readPacketIn2(reader: ByteReader): PacketIn2Body {
  const body: Writable = { packet: new Uint8Array(), match: {} };
  for (const property of readProperties(reader)) readPacketProperty(body, property);
  return body;
}

function readPacketProperty(into: Writable, { type, body, whole }: Property): void {
  switch (type) {
    case NXPINT.packet:
      into.packet = body.rest();
      break;
    case NXPINT.fullLen:
      into.fullLen = body.u32();
      break;
    case NXPINT.bufferId:
      into.bufferId = body.u32();
      break;
    case NXPINT.table:
      into.table = body.u8();
      break;
    case NXPINT.cookie:
      body.skip(4);
      into.cookie = body.u64();
      break;
    case NXPINT.reason:
      into.reason = REASON.word(body.u8());
      break;
    case NXPINT.metadata:
      into.match = readMatchFields(body);
      break;
    case NXPINT.userdata:
      into.userdata = body.rest();
      break;
    case NXPINT.continuation:
      into.continuation = body.rest();
      break;
    default:
      into.unknown = [...(into.unknown ?? []), whole];
  }
}
