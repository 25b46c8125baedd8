import { checkedLength } from '../bytes/reader.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { unreachable } from '../errors.ts';
import { METER_COMMAND, METER_FLAG } from './codes.ts';
import type { MeterDescription, MeterStats } from './multipart-types.ts';
import type { MeterBand, MeterMod } from './types.ts';

const METER_STATS_SIZE = 40;
const BAND_STATS_SIZE = 16;
const BAND = { drop: 1, dscp_remark: 2 } as const;

/** OFPT_METER_MOD, section 7.3.4.5. */
export function writeMeterMod(writer: ByteWriter, mod: MeterMod): void {
  writer.u16(METER_COMMAND.code(mod.command)).u16(METER_FLAG.mask(mod.flags)).u32(mod.meter);
  for (const band of mod.bands ?? []) writeBand(writer, band);
}

export function readMeterMod(reader: ByteReader): MeterMod {
  const command = METER_COMMAND.word(reader.u16());
  if (typeof command === 'number') reader.fail('bad_value', `meter-mod command ${command}`);
  const [flags, meter] = [METER_FLAG.bits(reader.u16()), reader.u32()];
  return { type: 'meter_mod', command, meter, flags, bands: readBands(reader) };
}

function writeBand(writer: ByteWriter, band: MeterBand): void {
  switch (band.type) {
    case 'drop':
      writer
        .u16(BAND.drop)
        .u16(16)
        .u32(band.rate)
        .u32(band.burst ?? 0)
        .zeros(4);
      break;
    case 'dscp_remark':
      writer
        .u16(BAND.dscp_remark)
        .u16(16)
        .u32(band.rate)
        .u32(band.burst ?? 0)
        .u8(band.precedence)
        .zeros(3);
      break;
    case 'unknown_band':
      writer.bytes(band.bytes);
      break;
    default:
      unreachable(band);
  }
}

function readBands(reader: ByteReader): MeterBand[] {
  const bands: MeterBand[] = [];
  while (reader.left > 0) bands.push(readBand(reader));
  return bands;
}

function readBand(reader: ByteReader): MeterBand {
  const whole = reader.peek();
  const type = reader.u16();
  const length = checkedLength(reader, reader.u16(), 12);
  const body = reader.inner(length - 4);
  const [rate, burst] = [body.u32(), body.u32()];
  const limits = { rate, ...(burst === 0 ? {} : { burst }) };
  if (type === BAND.drop) return { type: 'drop', ...limits };
  if (type === BAND.dscp_remark) return { type: 'dscp_remark', ...limits, precedence: body.u8() };
  return { type: 'unknown_band', bytes: whole.bytes(length) };
}

/** One ofp_meter_desc, section 7.3.5.13. */
export function writeMeterDescription(writer: ByteWriter, { meter, flags, bands }: MeterDescription): void {
  const start = writer.length;
  writer.u16(0).u16(METER_FLAG.mask(flags)).u32(meter);
  for (const band of bands) writeBand(writer, band);
  writer.patch16(start, writer.length - start);
}

export function readMeterDescription(reader: ByteReader): MeterDescription {
  const length = checkedLength(reader, reader.u16(), 8);
  const body = reader.inner(length - 2);
  const [flags, meter] = [METER_FLAG.bits(body.u16()), body.u32()];
  return { meter, flags, bands: readBands(body) };
}

/** One ofp_meter_stats, section 7.3.5.12. */
export function writeMeterStats(writer: ByteWriter, stats: MeterStats): void {
  writer
    .u32(stats.meter)
    .u16(METER_STATS_SIZE + BAND_STATS_SIZE * stats.bands.length)
    .zeros(6)
    .u32(stats.references)
    .u64(stats.packets)
    .u64(stats.bytes)
    .u32(stats.durationSeconds)
    .u32(stats.durationNanoseconds);
  for (const { packets, bytes } of stats.bands) writer.u64(packets).u64(bytes);
}

export function readMeterStats(reader: ByteReader): MeterStats {
  const meter = reader.u32();
  const length = checkedLength(reader, reader.u16(), METER_STATS_SIZE);
  const body = reader.inner(length - 6);
  body.skip(6);
  const [references, packets, bytes] = [body.u32(), body.u64(), body.u64()];
  const [durationSeconds, durationNanoseconds] = [body.u32(), body.u32()];
  const bands: MeterStats['bands'][number][] = [];
  while (body.left > 0) bands.push({ packets: body.u64(), bytes: body.u64() });
  return { meter, references, packets, bytes, durationSeconds, durationNanoseconds, bands };
}
