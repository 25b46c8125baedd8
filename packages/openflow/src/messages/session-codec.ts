import { readProperties, writeProperty } from '../bytes/properties.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { FRAGMENTS, ROLE } from './codes.ts';
import { EXPERIMENTER_ERROR, errorName } from './error-names.ts';
import type { AsyncConfig, ErrorMessage, FeaturesReply, Hello, Role, SwitchConfig } from './types.ts';

const VERSION_BITMAP = 1;

/** OFPT_HELLO with its version bitmap, section 7.5.1. */
export function writeHello(writer: ByteWriter, { versions }: Hello): void {
  if (versions.length === 0) return;
  const bitmap = versions.reduce((set, version) => set | (1 << version), 0) >>> 0;
  writeProperty(writer, VERSION_BITMAP, () => writer.u32(bitmap));
}

export function readHello(reader: ByteReader): Hello {
  for (const { type, body } of readProperties(reader)) {
    if (type !== VERSION_BITMAP || body.left < 4) continue;
    const bitmap = body.u32();
    return { type: 'hello', versions: range(32).filter((version) => ((bitmap >>> version) & 1) === 1) };
  }
  return { type: 'hello', versions: [] };
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** OFPT_ERROR, section 7.5.4. */
export function writeError(writer: ByteWriter, error: ErrorMessage): void {
  writer.u16(error.errorType).u16(error.errorCode);
  if (error.errorType === EXPERIMENTER_ERROR) writer.u32(error.experimenter ?? 0);
  writer.bytes(error.data);
}

export function readError(reader: ByteReader): ErrorMessage {
  const [errorType, errorCode] = [reader.u16(), reader.u16()];
  const experimenter = errorType === EXPERIMENTER_ERROR ? reader.u32() : undefined;
  return {
    type: 'error',
    errorType,
    errorCode,
    ...(experimenter === undefined ? {} : { experimenter }),
    errorName: errorName(errorType, errorCode, experimenter),
    data: reader.rest(),
  };
}

/** OFPT_FEATURES_REPLY, section 7.3.1. */
export function writeFeatures(writer: ByteWriter, features: FeaturesReply): void {
  writer.u64(features.datapathId).u32(features.buffers).u8(features.tables).u8(features.auxiliaryId).zeros(2);
  writer.u32(features.capabilities).zeros(4);
}

export function readFeatures(reader: ByteReader): FeaturesReply {
  const [datapathId, buffers, tables, auxiliaryId] = [reader.u64(), reader.u32(), reader.u8(), reader.u8()];
  reader.skip(2);
  return { type: 'features_reply', datapathId, buffers, tables, auxiliaryId, capabilities: reader.u32() };
}

/** OFPT_SET_CONFIG and OFPT_GET_CONFIG_REPLY, section 7.3.2. */
export function writeConfig(writer: ByteWriter, { fragments, missSendLen }: SwitchConfig): void {
  writer.u16(FRAGMENTS.code(fragments)).u16(missSendLen);
}

export function readConfig(reader: ByteReader, type: SwitchConfig['type']): SwitchConfig {
  return { type, fragments: FRAGMENTS.word(reader.u16()), missSendLen: reader.u16() };
}

/** OFPT_ROLE_REQUEST and OFPT_ROLE_REPLY, section 7.3.8. */
export function writeRole(writer: ByteWriter, { role, generation }: Role): void {
  writer.u32(ROLE.code(role)).zeros(4).u64(generation);
}

export function readRole(reader: ByteReader, type: Role['type']): Role {
  const role = ROLE.word(reader.u32());
  if (typeof role === 'number') reader.fail('bad_value', `role ${role}`);
  reader.skip(4);
  return { type, role, generation: reader.u64() };
}

/** Properties of OFPT_SET_ASYNC and OFPT_GET_ASYNC_REPLY, section 7.3.10. */
const ASYNC: readonly (readonly [number, Exclude<keyof AsyncConfig, 'type'>])[] = [
  [0, 'packetInSlave'],
  [1, 'packetIn'],
  [2, 'portStatusSlave'],
  [3, 'portStatus'],
  [4, 'flowRemovedSlave'],
  [5, 'flowRemoved'],
];

export function writeAsync(writer: ByteWriter, config: AsyncConfig): void {
  for (const [type, key] of ASYNC) {
    const mask = config[key];
    if (mask !== undefined) writeProperty(writer, type, () => writer.u32(mask));
  }
}

/** Reads the properties above; those of newer kinds are left out. */
export function readAsync(reader: ByteReader, type: AsyncConfig['type']): AsyncConfig {
  const config: { -readonly [K in keyof AsyncConfig]: AsyncConfig[K] } = { type };
  for (const property of readProperties(reader)) {
    const known = ASYNC.find(([code]) => code === property.type);
    if (known !== undefined) config[known[1]] = property.body.u32();
  }
  return config;
}
