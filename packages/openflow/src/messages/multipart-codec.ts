import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { unreachable } from '../errors.ts';
import { GROUP, METER, PORT } from '../ports.ts';
import { OFPMP } from './codes.ts';
import { readFlowFilter, readFlowStats, writeFlowFilter, writeFlowStats } from './flow-codec.ts';
import { readGroupDescription, writeGroupDescription } from './group-codec.ts';
import { readMeterDescription, readMeterStats, writeMeterDescription, writeMeterStats } from './meter-codec.ts';
import type {
  MultipartAnswer,
  MultipartQuery,
  MultipartReply,
  MultipartRequest,
  SwitchDescription,
  TableStats,
} from './multipart-types.ts';
import { readCounters, writeCounters } from './oxs.ts';
import { readPort, writePort } from './port-codec.ts';

const MORE = 1;

/** OFPT_MULTIPART_REQUEST, section 7.3.5. */
export function writeMultipartRequest(writer: ByteWriter, { query }: MultipartRequest): void {
  writer
    .u16(query.kind === 'unknown' ? query.multipartType : OFPMP[query.kind])
    .u16(0)
    .zeros(4);
  switch (query.kind) {
    case 'desc':
    case 'tables':
      break;
    case 'flows':
    case 'aggregate':
      writeFlowFilter(writer, query.filter);
      break;
    case 'ports':
      writer.u32(query.port ?? PORT.any).zeros(4);
      break;
    case 'groups':
      writer.u32(query.group ?? GROUP.all).zeros(4);
      break;
    case 'meters':
    case 'meter_stats':
      writer.u32(query.meter ?? METER.all).zeros(4);
      break;
    case 'unknown':
      writer.bytes(query.body);
      break;
    default:
      unreachable(query);
  }
}

export function readMultipartRequest(reader: ByteReader): MultipartRequest {
  const type = reader.u16();
  reader.skip(6);
  return { type: 'multipart_request', query: readQuery(type, reader) };
}

function readQuery(type: number, body: ByteReader): MultipartQuery {
  const one = <K extends string>(key: K, all: number): { [P in K]?: number } => {
    const id = body.u32();
    return id === all ? {} : ({ [key]: id } as { [P in K]?: number });
  };
  switch (type) {
    case OFPMP.desc:
      return { kind: 'desc' };
    case OFPMP.tables:
      return { kind: 'tables' };
    case OFPMP.flows:
      return { kind: 'flows', filter: readFlowFilter(body) };
    case OFPMP.aggregate:
      return { kind: 'aggregate', filter: readFlowFilter(body) };
    case OFPMP.ports:
      return { kind: 'ports', ...one('port', PORT.any) };
    case OFPMP.groups:
      return { kind: 'groups', ...one('group', GROUP.all) };
    case OFPMP.meters:
      return { kind: 'meters', ...one('meter', METER.all) };
    case OFPMP.meter_stats:
      return { kind: 'meter_stats', ...one('meter', METER.all) };
    default:
      return { kind: 'unknown', multipartType: type, body: body.rest() };
  }
}

/** OFPT_MULTIPART_REPLY. */
export function writeMultipartReply(writer: ByteWriter, { more, answer }: MultipartReply): void {
  writer
    .u16(answer.kind === 'unknown' ? answer.multipartType : OFPMP[answer.kind])
    .u16(more ? MORE : 0)
    .zeros(4);
  switch (answer.kind) {
    case 'desc':
      writeDescription(writer, answer.description);
      break;
    case 'flows':
      for (const flow of answer.flows) writeFlowStats(writer, flow);
      break;
    case 'aggregate':
      writeCounters(writer, { ...answer.stats, durationSeconds: 0, durationNanoseconds: 0 });
      break;
    case 'tables':
      for (const table of answer.tables) writeTable(writer, table);
      break;
    case 'ports':
      for (const port of answer.ports) writePort(writer, port);
      break;
    case 'groups':
      for (const group of answer.groups) writeGroupDescription(writer, group);
      break;
    case 'meters':
      for (const meter of answer.meters) writeMeterDescription(writer, meter);
      break;
    case 'meter_stats':
      for (const meter of answer.meters) writeMeterStats(writer, meter);
      break;
    case 'unknown':
      writer.bytes(answer.body);
      break;
    default:
      unreachable(answer);
  }
}

export function readMultipartReply(reader: ByteReader): MultipartReply {
  const type = reader.u16();
  const more = (reader.u16() & MORE) !== 0;
  reader.skip(4);
  return { type: 'multipart_reply', more, answer: readAnswer(type, reader) };
}

function readAnswer(type: number, body: ByteReader): MultipartAnswer {
  switch (type) {
    case OFPMP.desc:
      return { kind: 'desc', description: readDescription(body) };
    case OFPMP.flows:
      return { kind: 'flows', flows: readAll(body, readFlowStats) };
    case OFPMP.aggregate: {
      const { packets, bytes, flows } = readCounters(body);
      return { kind: 'aggregate', stats: { packets, bytes, flows } };
    }
    case OFPMP.tables:
      return { kind: 'tables', tables: readAll(body, readTable) };
    case OFPMP.ports:
      return { kind: 'ports', ports: readAll(body, readPort) };
    case OFPMP.groups:
      return { kind: 'groups', groups: readAll(body, readGroupDescription) };
    case OFPMP.meters:
      return { kind: 'meters', meters: readAll(body, readMeterDescription) };
    case OFPMP.meter_stats:
      return { kind: 'meter_stats', meters: readAll(body, readMeterStats) };
    default:
      return { kind: 'unknown', multipartType: type, body: body.rest() };
  }
}

function readAll<T>(body: ByteReader, read: (reader: ByteReader) => T): T[] {
  const all: T[] = [];
  while (body.left > 0) all.push(read(body));
  return all;
}

/** ofp_desc, section 7.3.5.1: five texts of fixed size. */
function writeDescription(writer: ByteWriter, description: SwitchDescription): void {
  writer.text(description.manufacturer, 256).text(description.hardware, 256).text(description.software, 256);
  writer.text(description.serial, 32).text(description.datapath, 256);
}

function readDescription(body: ByteReader): SwitchDescription {
  return {
    manufacturer: body.text(256),
    hardware: body.text(256),
    software: body.text(256),
    serial: body.text(32),
    datapath: body.text(256),
  };
}

/** ofp_table_stats, section 7.3.5.4. */
function writeTable(writer: ByteWriter, { table, active, lookups, matches }: TableStats): void {
  writer.u8(table).zeros(3).u32(active).u64(lookups).u64(matches);
}

function readTable(body: ByteReader): TableStats {
  const table = body.u8();
  body.skip(3);
  return { table, active: body.u32(), lookups: body.u64(), matches: body.u64() };
}
