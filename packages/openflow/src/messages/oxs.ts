import { padding } from '../bytes/reader.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';

/** What a switch has counted (OXS, section 7.2.4.2); what it does not say is 0. */
export type Counters = {
  readonly durationSeconds: number;
  readonly durationNanoseconds: number;
  readonly idleSeconds?: number;
  readonly flows: number;
  readonly packets: bigint;
  readonly bytes: bigint;
};

const OPENFLOW_BASIC = 0x8002;
const OXS = { duration: 0, idle: 1, flows: 3, packets: 4, bytes: 5 } as const;

type Writable = { -readonly [K in keyof Counters]: Counters[K] };

/** Reads an ofp_stats with its padding; statistics of other kinds are skipped. */
export function readCounters(reader: ByteReader): Counters {
  reader.skip(2);
  const length = reader.u16();
  if (length < 4) reader.fail('bad_length', `statistics of ${length} bytes`);
  const body = reader.inner(length - 4);
  reader.skipAtMost(padding(length));
  const counters: Writable = { durationSeconds: 0, durationNanoseconds: 0, flows: 0, packets: 0n, bytes: 0n };
  while (body.left > 0) {
    const oxsClass = body.u16();
    const field = body.u8() >>> 1;
    const value = body.inner(body.u8());
    if (oxsClass === OPENFLOW_BASIC) readCounter(counters, field, value);
  }
  return counters;
}

function readCounter(counters: Writable, field: number, value: ByteReader): void {
  switch (field) {
    case OXS.duration:
      counters.durationSeconds = value.u32();
      counters.durationNanoseconds = value.u32();
      break;
    case OXS.idle:
      counters.idleSeconds = value.u32();
      break;
    case OXS.flows:
      counters.flows = value.u32();
      break;
    case OXS.packets:
      counters.packets = value.u64();
      break;
    case OXS.bytes:
      counters.bytes = value.u64();
      break;
    default: // reserved or newer: nothing here depends on it
  }
}

/** Writes an ofp_stats; `flows` only where it is not 0, for aggregates. */
export function writeCounters(
  writer: ByteWriter,
  counters: Omit<Counters, 'flows'> & { readonly flows?: number },
): void {
  const start = writer.length;
  writer.u16(0).u16(0);
  const put = (field: number, size: number): ByteWriter =>
    writer
      .u16(OPENFLOW_BASIC)
      .u8(field << 1)
      .u8(size);
  put(OXS.duration, 8).u32(counters.durationSeconds).u32(counters.durationNanoseconds);
  if (counters.idleSeconds !== undefined) put(OXS.idle, 8).u32(counters.idleSeconds).u32(0);
  if (counters.flows !== undefined) put(OXS.flows, 4).u32(counters.flows);
  put(OXS.packets, 8).u64(counters.packets);
  put(OXS.bytes, 8).u64(counters.bytes);
  writer.patch16(start + 2, writer.length - start);
  writer.padFrom(start);
}
