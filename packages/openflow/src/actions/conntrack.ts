import type { ByteReader } from '../bytes/reader.ts';
import { words } from '../bytes/words.ts';
import type { ByteWriter } from '../bytes/writer.ts';
import { TABLE } from '../ports.ts';
import { bitsOf, packBits, readField, unpackBits } from './slice.ts';
import type { Action, CtAction, NatAction, Range } from './types.ts';

const COMMIT = 1;
const FORCE = 2;

/** Application layer gateways by their well-known ports, which is how NXAST_CT names them. */
const ALG = words<'ftp' | 'tftp'>({ ftp: 21, tftp: 69 });

/** What follows the header of NXAST_CT; `writeActions` writes the nested ones. */
export function writeCt(
  writer: ByteWriter,
  action: CtAction,
  writeActions: (writer: ByteWriter, actions: readonly Action[]) => void,
): void {
  const { zone = 0 } = action;
  writer.u16((action.commit ? COMMIT : 0) | (action.force ? FORCE : 0));
  if (typeof zone === 'number') writer.u32(0).u16(zone);
  else {
    const bits = bitsOf(zone);
    writer.u32(bits.field.header).u16(packBits(bits));
  }
  writer.u8(action.table ?? TABLE.all).zeros(3);
  writer.u16(action.alg === undefined ? 0 : ALG.code(action.alg));
  writeActions(writer, action.actions ?? []);
}

/** Reads what follows the header; undefined where the zone is in an unknown field. */
export function readCt(reader: ByteReader, readActions: (reader: ByteReader) => Action[]): CtAction | undefined {
  const flags = reader.u16();
  const zone = readZone(reader);
  const table = reader.u8();
  reader.skip(3);
  const alg = reader.u16();
  const actions = readActions(reader);
  if (zone === undefined) return undefined;
  return {
    type: 'ct',
    ...((flags & COMMIT) === 0 ? {} : { commit: true }),
    ...((flags & FORCE) === 0 ? {} : { force: true }),
    ...(zone === 0 ? {} : { zone }),
    ...(table === TABLE.all ? {} : { table }),
    ...(alg === 0 ? {} : { alg: ALG.word(alg) }),
    ...(actions.length === 0 ? {} : { actions }),
  };
}

function readZone(reader: ByteReader): CtAction['zone'] {
  if (reader.peek().u32() === 0) {
    reader.skip(4);
    return reader.u16();
  }
  const field = readField(reader);
  const packed = reader.u16();
  return field === undefined ? undefined : unpackBits(field, packed);
}

/** Flags of NXAST_NAT. */
const NAT = { src: 1, dst: 2, persistent: 4, hash: 8, random: 16 } as const;
/** Which values follow, in this order. */
const PRESENT = { ipv4Min: 1, ipv4Max: 2, ipv6Min: 4, ipv6Max: 8, portMin: 16, portMax: 32 } as const;

function present(range: Range<unknown> | undefined, min: number, max: number): number {
  if (range === undefined) return 0;
  return range.max === undefined ? min : min | max;
}

/** What follows the header of NXAST_NAT. */
export function writeNat(writer: ByteWriter, { side, persistent, choice, ipv4, ipv6, ports }: NatAction): void {
  const flags = (side === undefined ? 0 : NAT[side]) | (persistent ? NAT.persistent : 0);
  writer.zeros(2).u16(flags | (choice === undefined ? 0 : NAT[choice]));
  writer.u16(
    present(ipv4, PRESENT.ipv4Min, PRESENT.ipv4Max) |
      present(ipv6, PRESENT.ipv6Min, PRESENT.ipv6Max) |
      present(ports, PRESENT.portMin, PRESENT.portMax),
  );
  if (ipv4 !== undefined) writer.u32(ipv4.min);
  if (ipv4?.max !== undefined) writer.u32(ipv4.max);
  if (ipv6 !== undefined) writer.u128(ipv6.min);
  if (ipv6?.max !== undefined) writer.u128(ipv6.max);
  if (ports !== undefined) writer.u16(ports.min);
  if (ports?.max !== undefined) writer.u16(ports.max);
}

/** Reads what follows the header; undefined for combinations that `NatAction` cannot say. */
export function readNat(reader: ByteReader): NatAction | undefined {
  reader.skip(2);
  const flags = reader.u16();
  const set = reader.u16();
  const range = <T>(min: number, max: number, read: () => T): Range<T> | undefined => {
    const from = (set & min) === 0 ? undefined : read();
    const to = (set & max) === 0 ? undefined : read();
    if (from === undefined) return undefined;
    return to === undefined ? { min: from } : { min: from, max: to };
  };
  const ipv4 = range(PRESENT.ipv4Min, PRESENT.ipv4Max, () => reader.u32());
  const ipv6 = range(PRESENT.ipv6Min, PRESENT.ipv6Max, () => reader.u128());
  const ports = range(PRESENT.portMin, PRESENT.portMax, () => reader.u16());
  if (flags > 31 || set > 63 || (flags & 3) === 3 || (flags & 24) === 24 || lonelyMax(set)) return undefined;
  return {
    type: 'nat',
    ...((flags & NAT.src) === 0 ? {} : { side: 'src' }),
    ...((flags & NAT.dst) === 0 ? {} : { side: 'dst' }),
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    ...(ports === undefined ? {} : { ports }),
    ...((flags & NAT.persistent) === 0 ? {} : { persistent: true }),
    ...((flags & NAT.hash) === 0 ? {} : { choice: 'hash' }),
    ...((flags & NAT.random) === 0 ? {} : { choice: 'random' }),
  };
}

/** An upper end without its lower one. */
const lonelyMax = (set: number): boolean => ((set >>> 1) & ~set & 0b010101) !== 0;
