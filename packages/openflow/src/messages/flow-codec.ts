import { checkedLength } from '../bytes/reader.ts';
import type { ByteReader } from '../bytes/reader.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import type { Flow, FlowFilter, FlowMod, FlowStats } from '../flow.ts';
import { readInstructions, writeInstructions } from '../instructions.ts';
import { readMatch, writeMatch } from '../match-codec.ts';
import { GROUP, NO_BUFFER, PORT, TABLE } from '../ports.ts';
import { FLOW_COMMAND, FLOW_FLAG, REMOVED_REASON } from './codes.ts';
import { readCounters, writeCounters } from './oxs.ts';
import type { FlowRemoved } from './types.ts';

/** OFPT_FLOW_MOD, section 7.3.4.2. */
export function writeFlowMod(writer: ByteWriter, mod: FlowMod): void {
  writer.u64(mod.cookie ?? 0n).u64(mod.cookieMask ?? 0n);
  writer.u8(mod.table).u8(FLOW_COMMAND.code(mod.command));
  writer
    .u16(mod.idleTimeout ?? 0)
    .u16(mod.hardTimeout ?? 0)
    .u16(mod.priority ?? 0);
  writer
    .u32(mod.bufferId ?? NO_BUFFER)
    .u32(mod.outPort ?? PORT.any)
    .u32(mod.outGroup ?? GROUP.any);
  writer.u16(FLOW_FLAG.mask(mod.flags)).u16(mod.importance ?? 0);
  writeMatch(writer, mod.match ?? {});
  writeInstructions(writer, mod.instructions ?? []);
}

export function readFlowMod(reader: ByteReader): FlowMod {
  const [cookie, cookieMask] = [reader.u64(), reader.u64()];
  const table = reader.u8();
  const command = FLOW_COMMAND.word(reader.u8());
  if (typeof command === 'number') reader.fail('bad_value', `flow-mod command ${command}`);
  const [idleTimeout, hardTimeout, priority] = [reader.u16(), reader.u16(), reader.u16()];
  const [bufferId, outPort, outGroup] = [reader.u32(), reader.u32(), reader.u32()];
  const [flags, importance] = [FLOW_FLAG.bits(reader.u16()), reader.u16()];
  const match = readMatch(reader);
  return {
    type: 'flow_mod',
    command,
    table,
    priority,
    match,
    instructions: readInstructions(reader),
    ...properties({ cookie, idleTimeout, hardTimeout, importance, flags }),
    ...(cookieMask === 0n ? {} : { cookieMask }),
    ...(bufferId === NO_BUFFER ? {} : { bufferId }),
    ...(outPort === PORT.any ? {} : { outPort }),
    ...(outGroup === GROUP.any ? {} : { outGroup }),
  };
}

type Properties = Required<Pick<Flow, 'cookie' | 'idleTimeout' | 'hardTimeout' | 'importance' | 'flags'>>;

/** A flow's properties without those that have their default value. */
function properties(all: Properties): Partial<Properties> {
  return {
    ...(all.cookie === 0n ? {} : { cookie: all.cookie }),
    ...(all.idleTimeout === 0 ? {} : { idleTimeout: all.idleTimeout }),
    ...(all.hardTimeout === 0 ? {} : { hardTimeout: all.hardTimeout }),
    ...(all.importance === 0 ? {} : { importance: all.importance }),
    ...(all.flags.length === 0 ? {} : { flags: all.flags }),
  };
}

/** Body of a request for flows or an aggregate, section 7.3.5.2. */
export function writeFlowFilter(writer: ByteWriter, filter: FlowFilter): void {
  writer.u8(filter.table ?? TABLE.all).zeros(3);
  writer
    .u32(filter.outPort ?? PORT.any)
    .u32(filter.outGroup ?? GROUP.any)
    .zeros(4);
  writer.u64(filter.cookie ?? 0n).u64(filter.cookieMask ?? (filter.cookie === undefined ? 0n : 0xffff_ffff_ffff_ffffn));
  writeMatch(writer, filter.match ?? {});
}

export function readFlowFilter(reader: ByteReader): FlowFilter {
  const table = reader.u8();
  reader.skip(3);
  const [outPort, outGroup] = [reader.u32(), reader.u32()];
  reader.skip(4);
  const [cookie, cookieMask] = [reader.u64(), reader.u64()];
  const match = readMatch(reader);
  return {
    ...(table === TABLE.all ? {} : { table }),
    ...(outPort === PORT.any ? {} : { outPort }),
    ...(outGroup === GROUP.any ? {} : { outGroup }),
    ...(cookieMask === 0n ? {} : { cookie, cookieMask }),
    ...(Object.keys(match).length === 0 ? {} : { match }),
  };
}

/** One ofp_flow_desc, section 7.3.5.2. */
export function writeFlowStats(writer: ByteWriter, flow: FlowStats): void {
  const start = writer.length;
  writer.u16(0).zeros(2).u8(flow.table).u8(0);
  writer
    .u16(flow.priority)
    .u16(flow.idleTimeout ?? 0)
    .u16(flow.hardTimeout ?? 0);
  writer
    .u16(FLOW_FLAG.mask(flow.flags))
    .u16(flow.importance ?? 0)
    .u64(flow.cookie);
  writeMatch(writer, flow.match);
  writeCounters(writer, flow);
  writeInstructions(writer, flow.instructions);
  writer.patch16(start, writer.length - start);
}

export function readFlowStats(reader: ByteReader): FlowStats {
  const length = checkedLength(reader, reader.u16(), 24);
  const body = reader.inner(length - 2);
  body.skip(2);
  const table = body.u8();
  body.skip(1);
  const [priority, idleTimeout, hardTimeout] = [body.u16(), body.u16(), body.u16()];
  const [flags, importance, cookie] = [FLOW_FLAG.bits(body.u16()), body.u16(), body.u64()];
  const match = readMatch(body);
  const { durationSeconds, durationNanoseconds, idleSeconds, packets, bytes } = readCounters(body);
  return {
    table,
    priority,
    match,
    instructions: readInstructions(body),
    ...properties({ cookie, idleTimeout, hardTimeout, importance, flags }),
    cookie,
    durationSeconds,
    durationNanoseconds,
    ...(idleSeconds === undefined ? {} : { idleSeconds }),
    packets,
    bytes,
  };
}

/** OFPT_FLOW_REMOVED, section 7.4.2. */
export function writeFlowRemoved(writer: ByteWriter, removed: FlowRemoved): void {
  writer.u8(removed.table).u8(REMOVED_REASON.code(removed.reason)).u16(removed.priority);
  writer.u16(removed.idleTimeout).u16(removed.hardTimeout).u64(removed.cookie);
  writeMatch(writer, removed.match);
  writeCounters(writer, removed);
}

export function readFlowRemoved(reader: ByteReader): FlowRemoved {
  const [table, reason] = [reader.u8(), REMOVED_REASON.word(reader.u8())];
  const [priority, idleTimeout, hardTimeout, cookie] = [reader.u16(), reader.u16(), reader.u16(), reader.u64()];
  const match = readMatch(reader);
  const { durationSeconds, durationNanoseconds, packets, bytes } = readCounters(reader);
  return {
    type: 'flow_removed',
    table,
    priority,
    cookie,
    reason,
    match,
    idleTimeout,
    hardTimeout,
    durationSeconds,
    durationNanoseconds,
    packets,
    bytes,
  };
}
