import { readProperties, writeProperty } from '../bytes/properties.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { ALL_BYTES, REASON } from './codes.ts';
import type { ControllerAction } from './types.ts';

/** Properties of NXAST_CONTROLLER2. */
const PROPERTY = { maxLen: 0, controllerId: 1, reason: 2, userdata: 3, pause: 4, meter: 5 } as const;

type Writable = { -readonly [K in keyof ControllerAction]: ControllerAction[K] };

/** What follows the header of NXAST_CONTROLLER2; what the switch assumes anyway is left out, as it would itself. */
export function writeController(writer: ByteWriter, action: ControllerAction): void {
  const { maxLen = ALL_BYTES, controllerId = 0, userdata, pause = false, meter } = action;
  const reason = REASON.code(action.reason ?? 'apply_action');
  writer.zeros(6);
  if (maxLen !== ALL_BYTES) writeProperty(writer, PROPERTY.maxLen, () => writer.u16(maxLen).zeros(2));
  if (controllerId !== 0) writeProperty(writer, PROPERTY.controllerId, () => writer.u16(controllerId).zeros(2));
  if (reason !== 1) writeProperty(writer, PROPERTY.reason, () => writer.u8(reason).zeros(3));
  if (userdata !== undefined && userdata.length > 0) {
    writeProperty(writer, PROPERTY.userdata, () => writer.bytes(userdata));
  }
  if (pause) writeProperty(writer, PROPERTY.pause, () => undefined);
  if (meter !== undefined) writeProperty(writer, PROPERTY.meter, () => writer.u32(meter));
}

/** Reads what follows the header; undefined if a property is of an unknown kind. */
export function readController2(reader: ByteReader): ControllerAction | undefined {
  reader.skip(6);
  const action: Writable = { type: 'controller' };
  for (const { type, body } of readProperties(reader)) {
    if (!readControllerProperty(action, type, body)) return undefined;
  }
  return withoutDefaults(action);
}

function readControllerProperty(action: Writable, type: number, body: ByteReader): boolean {
  switch (type) {
    case PROPERTY.maxLen:
      action.maxLen = body.u16();
      return true;
    case PROPERTY.controllerId:
      action.controllerId = body.u16();
      return true;
    case PROPERTY.reason:
      action.reason = REASON.word(body.u8());
      return true;
    case PROPERTY.userdata:
      action.userdata = body.rest();
      return true;
    case PROPERTY.pause:
      action.pause = true;
      return true;
    case PROPERTY.meter:
      action.meter = body.u32();
      return true;
    default:
      return false;
  }
}

/** Reads what follows the header of the older NXAST_CONTROLLER, which says less. */
export function readController(reader: ByteReader): ControllerAction {
  const maxLen = reader.u16();
  const controllerId = reader.u16();
  return withoutDefaults({ type: 'controller', maxLen, controllerId, reason: REASON.word(reader.u8()) });
}

function withoutDefaults(action: Writable): ControllerAction {
  if (action.maxLen === ALL_BYTES) delete action.maxLen;
  if (action.controllerId === 0) delete action.controllerId;
  if (action.reason === 'apply_action') delete action.reason;
  if (action.userdata?.length === 0) delete action.userdata;
  return action;
}
