import { NX_ID } from '../actions/codes.ts';
import { ByteReader } from '../bytes/reader.ts';
import { OpenFlowError } from '../errors.ts';
import { BUNDLE_COMMAND, BUNDLE_FLAG, HEADER, NXT, OFPT, PACKET_IN_FORMAT, VERSION } from './codes.ts';
import { readFlowMod, readFlowRemoved } from './flow-codec.ts';
import { readGroupMod } from './group-codec.ts';
import { readMeterMod } from './meter-codec.ts';
import { readMultipartReply, readMultipartRequest } from './multipart-codec.ts';
import { readPacketIn, readPacketIn2, readPacketOut } from './packet-codec.ts';
import { readPortStatus } from './port-codec.ts';
import { readAsync, readConfig, readError, readFeatures, readHello, readRole } from './session-codec.ts';
import type { BundleControl, Message } from './types.ts';

/** A message as it came: with the transaction id that ties it to its request. */
export type Decoded = { readonly version: number; readonly xid: number; readonly message: Message };

/**
 * Reads exactly one message. Throws `OpenFlowError` and nothing else: `truncated` or `bad_length` if the bytes are
 * not one whole message, `bad_version` for another version than 1.5 (except in hello and error), `bad_value` and
 * `bad_structure` for contents that no message can have. Kinds it does not know come back as `unknown`.
 */
export function decodeMessage(bytes: Uint8Array): Decoded {
  const reader = new ByteReader(bytes);
  const decoded = readMessage(reader);
  if (reader.left > 0) reader.fail('bad_length', `${reader.left} bytes after the message`);
  return decoded;
}

function readMessage(reader: ByteReader): Decoded {
  const [version, type, length, xid] = [reader.u8(), reader.u8(), reader.u16(), reader.u32()];
  if (length < HEADER) reader.fail('bad_length', `message of ${length} bytes`);
  const body = reader.inner(length - HEADER);
  if (version !== VERSION && type !== OFPT.hello && type !== OFPT.error) {
    throw new OpenFlowError('bad_version', `wire version ${version}`, { offset: 0 });
  }
  return { version, xid, message: readBody(type, body) };
}

/** Messages with a header and nothing else. */
const BARE = {
  [OFPT.features_request]: 'features_request',
  [OFPT.get_config_request]: 'get_config_request',
  [OFPT.barrier_request]: 'barrier_request',
  [OFPT.barrier_reply]: 'barrier_reply',
  [OFPT.get_async_request]: 'get_async_request',
} as const;

/** How to read each type of message from what follows the header. */
const READERS: Readonly<Record<number, (body: ByteReader) => Message>> = {
  [OFPT.hello]: readHello,
  [OFPT.error]: readError,
  [OFPT.echo_request]: (body) => ({ type: 'echo_request', data: body.rest() }),
  [OFPT.echo_reply]: (body) => ({ type: 'echo_reply', data: body.rest() }),
  [OFPT.experimenter]: readExperimenter,
  [OFPT.features_reply]: readFeatures,
  [OFPT.get_config_reply]: (body) => readConfig(body, 'get_config_reply'),
  [OFPT.set_config]: (body) => readConfig(body, 'set_config'),
  [OFPT.packet_in]: readPacketIn,
  [OFPT.flow_removed]: readFlowRemoved,
  [OFPT.port_status]: readPortStatus,
  [OFPT.packet_out]: readPacketOut,
  [OFPT.flow_mod]: readFlowMod,
  [OFPT.group_mod]: readGroupMod,
  [OFPT.multipart_request]: readMultipartRequest,
  [OFPT.multipart_reply]: readMultipartReply,
  [OFPT.role_request]: (body) => readRole(body, 'role_request'),
  [OFPT.role_reply]: (body) => readRole(body, 'role_reply'),
  [OFPT.get_async_reply]: (body) => readAsync(body, 'get_async_reply'),
  [OFPT.set_async]: (body) => readAsync(body, 'set_async'),
  [OFPT.meter_mod]: readMeterMod,
  [OFPT.bundle_control]: readBundleControl,
  [OFPT.bundle_add]: (body) => {
    const bundle = body.u32();
    body.skip(2);
    const flags = BUNDLE_FLAG.bits(body.u16());
    return { type: 'bundle_add', bundle, flags, message: readMessage(body).message };
  },
};

function readBody(type: number, body: ByteReader): Message {
  const bare: (typeof BARE)[keyof typeof BARE] | undefined = BARE[type as keyof typeof BARE];
  if (bare !== undefined) return { type: bare };
  const read = READERS[type];
  return read === undefined ? { type: 'unknown', messageType: type, body: body.rest() } : read(body);
}

function readExperimenter(body: ByteReader): Message {
  const whole = body.peek();
  const [vendor, subtype] = [body.u32(), body.u32()];
  if (vendor === NX_ID) {
    switch (subtype) {
      case NXT.packet_in2:
        return { type: 'nxt_packet_in2', ...readPacketIn2(body) };
      case NXT.resume:
        return { type: 'nxt_resume', ...readPacketIn2(body) };
      case NXT.set_packet_in_format:
        return { type: 'nxt_set_packet_in_format', format: PACKET_IN_FORMAT.word(body.u32()) };
      case NXT.set_controller_id:
        body.skip(6);
        return { type: 'nxt_set_controller_id', id: body.u16() };
      default:
    }
  }
  return { type: 'unknown', messageType: OFPT.experimenter, body: whole.rest() };
}

function readBundleControl(body: ByteReader): BundleControl {
  const bundle = body.u32();
  const command = BUNDLE_COMMAND.word(body.u16());
  if (typeof command === 'number') body.fail('bad_value', `bundle command ${command}`);
  return { type: 'bundle_control', command, bundle, flags: BUNDLE_FLAG.bits(body.u16()) };
}
