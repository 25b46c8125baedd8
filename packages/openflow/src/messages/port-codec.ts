import { checkedLength } from '../bytes/reader.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { PORT_REASON } from './codes.ts';
import type { Port, PortStatus } from './types.ts';

/** Bytes of ofp_port before its properties. */
const FIXED = 40;
const NAME_BYTES = 16;

/** An ofp_port, section 7.2.1. */
export function writePort(writer: ByteWriter, port: Port): void {
  writer
    .u32(port.port)
    .u16(FIXED + port.properties.length)
    .zeros(2);
  writer.u48(port.mac).zeros(2).text(port.name, NAME_BYTES);
  writer.u32(port.config).u32(port.state).bytes(port.properties);
}

export function readPort(reader: ByteReader): Port {
  const port = reader.u32();
  const body = reader.inner(checkedLength(reader, reader.u16(), FIXED) - 6);
  body.skip(2);
  const mac = body.u48();
  body.skip(2);
  const name = body.text(NAME_BYTES);
  return { port, name, mac, config: body.u32(), state: body.u32(), properties: body.rest() };
}

/** OFPT_PORT_STATUS, section 7.4.3. */
export function writePortStatus(writer: ByteWriter, { reason, port }: PortStatus): void {
  writer.u8(PORT_REASON.code(reason)).zeros(7);
  writePort(writer, port);
}

export function readPortStatus(reader: ByteReader): PortStatus {
  const reason = PORT_REASON.word(reader.u8());
  reader.skip(7);
  return { type: 'port_status', reason, port: readPort(reader) };
}
