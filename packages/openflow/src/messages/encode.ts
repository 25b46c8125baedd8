import { NX_ID } from '../actions/codes.ts';
import { ByteWriter } from '../bytes/writer.ts';
import { OpenFlowError, unreachable } from '../errors.ts';
import { BUNDLE_COMMAND, BUNDLE_FLAG, NXT, OFPT, PACKET_IN_FORMAT, VERSION } from './codes.ts';
import { writeFlowMod, writeFlowRemoved } from './flow-codec.ts';
import { writeGroupMod } from './group-codec.ts';
import { writeMeterMod } from './meter-codec.ts';
import { writeMultipartReply, writeMultipartRequest } from './multipart-codec.ts';
import { writePacketIn, writePacketIn2, writePacketOut } from './packet-codec.ts';
import { writePortStatus } from './port-codec.ts';
import { writeAsync, writeConfig, writeError, writeFeatures, writeHello, writeRole } from './session-codec.ts';
import type { BundleAdd, Message } from './types.ts';

/**
 * Appends one whole message, header included. Throws `bad_value` or `bad_structure` for what cannot be said on the
 * wire, with the writer back where it was.
 */
export function writeMessage(writer: ByteWriter, message: Message, xid: number): void {
  const start = writer.length;
  try {
    writer.u8(VERSION).u8(typeOf(message)).u16(0).u32(xid);
    writeBody(writer, message, xid);
    writer.patch16(start + 2, writer.length - start);
  } catch (error) {
    writer.rewind(start);
    throw error;
  }
}

/** One message as bytes of its own. Throws as `writeMessage` does. */
export function encodeMessage(message: Message, xid: number): Buffer {
  const writer = new ByteWriter(256);
  writeMessage(writer, message, xid);
  return writer.copy();
}

/** The wire's message type of each message; `unknown` brings its own. */
const TYPES: { readonly [T in Exclude<Message['type'], 'unknown'>]: number } = {
  ...OFPT,
  nxt_packet_in2: OFPT.experimenter,
  nxt_resume: OFPT.experimenter,
  nxt_set_packet_in_format: OFPT.experimenter,
  nxt_set_controller_id: OFPT.experimenter,
};

function typeOf(message: Message): number {
  const type: number | undefined = message.type === 'unknown' ? message.messageType : TYPES[message.type];
  if (type === undefined) throw new OpenFlowError('bad_value', `no message ${message.type}`);
  return type;
}

function writeBody(writer: ByteWriter, message: Message, xid: number): void {
  switch (message.type) {
    case 'flow_mod':
      return writeFlowMod(writer, message);
    case 'hello':
      return writeHello(writer, message);
    case 'error':
      return writeError(writer, message);
    case 'echo_request':
    case 'echo_reply':
      return void writer.bytes(message.data);
    case 'features_request':
    case 'get_config_request':
    case 'barrier_request':
    case 'barrier_reply':
    case 'get_async_request':
      return undefined;
    case 'features_reply':
      return writeFeatures(writer, message);
    case 'set_config':
    case 'get_config_reply':
      return writeConfig(writer, message);
    case 'packet_in':
      return writePacketIn(writer, message);
    case 'nxt_packet_in2':
      return writePacketIn2(nicira(writer, NXT.packet_in2), message);
    case 'nxt_resume':
      return writePacketIn2(nicira(writer, NXT.resume), message);
    case 'nxt_set_packet_in_format':
      return void nicira(writer, NXT.set_packet_in_format).u32(PACKET_IN_FORMAT.code(message.format));
    case 'nxt_set_controller_id':
      return void nicira(writer, NXT.set_controller_id).zeros(6).u16(message.id);
    case 'set_async':
    case 'get_async_reply':
      return writeAsync(writer, message);
    case 'flow_removed':
      return writeFlowRemoved(writer, message);
    case 'port_status':
      return writePortStatus(writer, message);
    case 'packet_out':
      return writePacketOut(writer, message);
    case 'group_mod':
      return writeGroupMod(writer, message);
    case 'meter_mod':
      return writeMeterMod(writer, message);
    case 'multipart_request':
      return writeMultipartRequest(writer, message);
    case 'multipart_reply':
      return writeMultipartReply(writer, message);
    case 'bundle_control':
      return void writer
        .u32(message.bundle)
        .u16(BUNDLE_COMMAND.code(message.command))
        .u16(BUNDLE_FLAG.mask(message.flags));
    case 'bundle_add':
      return writeBundleAdd(writer, message, xid);
    case 'role_request':
    case 'role_reply':
      return writeRole(writer, message);
    case 'unknown':
      return void writer.bytes(message.body);
    default:
      return unreachable(message);
  }
}

/** Vendor and subtype of one of Open vSwitch's own messages. */
function nicira(writer: ByteWriter, subtype: number): ByteWriter {
  return writer.u32(NX_ID).u32(subtype);
}

/** OFPT_BUNDLE_ADD, section 7.3.9.6: the message inside must carry the xid of the one around it. */
function writeBundleAdd(writer: ByteWriter, { bundle, flags, message }: BundleAdd, xid: number): void {
  writer.u32(bundle).zeros(2).u16(BUNDLE_FLAG.mask(flags));
  writeMessage(writer, message, xid);
}
