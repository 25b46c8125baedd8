/** Meters in Open vSwitch: those of the host, which are always there, and those of ports and addresses, which come and go with them. */
import { SwitchError, type MeterDescription, type MeterMod, type OpenFlowConnection } from '@alcor/openflow';
import { isResourceMeter, meters, type Meter } from '../meters.ts';
import type { FlowFailure, MeterChange } from '../switch.ts';

/** Makes those of the host that are missing or otherwise; what a meter is deleted with are the flows that name it. */
export async function makeMeters(connection: OpenFlowConnection, signal: AbortSignal): Promise<void> {
  const present = new Map<number, Meter>();
  for await (const meter of readMeters(connection, signal)) present.set(meter.id, meter);
  for (const meter of meters) {
    const has = present.get(meter.id);
    if (has !== undefined && isSame(has, meter)) continue;
    await connection.send(meterMod(has === undefined ? 'add' : 'modify', meter), { signal });
  }
  // Where a switch has no meters, the flows that name them are refused, and say so.
  await connection.barrier({ signal });
}

export async function* readResourceMeters(connection: OpenFlowConnection, signal: AbortSignal): AsyncIterable<Meter> {
  for await (const meter of readMeters(connection, signal)) if (isResourceMeter(meter.id)) yield meter;
}

const commands = { add: 'add', change: 'modify', delete: 'delete' } as const;

/** Carries the changes out in order; answers with those that were refused. */
export async function changeMeters(
  connection: OpenFlowConnection,
  changes: readonly MeterChange[],
  signal: AbortSignal,
): Promise<FlowFailure[]> {
  const asked = changes.map(({ type, meter }) => connection.command(meterMod(commands[type], meter), { signal }));
  const failures: FlowFailure[] = [];
  for (const [index, result] of (await Promise.allSettled(asked)).entries()) {
    if (result.status === 'fulfilled') continue;
    if (!(result.reason instanceof SwitchError)) throw result.reason;
    failures.push({ index, reason: result.reason.errorName });
  }
  return failures;
}

async function* readMeters(connection: OpenFlowConnection, signal: AbortSignal): AsyncIterable<Meter> {
  for await (const part of connection.multipart({ kind: 'meters' }, { signal }))
    if (part.kind === 'meters') for (const each of part.meters) yield meterIn(each);
}

function meterMod(command: MeterMod['command'], { id, unit, rate, burst }: Meter): MeterMod {
  if (command === 'delete') return { type: 'meter_mod', command, meter: id };
  const flags = [unit === 'packets' ? 'pktps' : 'kbps', 'burst'] as const;
  return { type: 'meter_mod', command, meter: id, flags, bands: [{ type: 'drop', rate, burst }] };
}

/** A meter that somebody else has made otherwise has the rate 0, which none of ours has. */
function meterIn({ meter: id, flags, bands }: MeterDescription): Meter {
  const unit = flags.includes('pktps') ? 'packets' : 'kilobits';
  const [band] = bands;
  if (band?.type !== 'drop' || bands.length > 1) return { id, unit, rate: 0, burst: 0 };
  return { id, unit, rate: band.rate, burst: band.burst ?? 0 };
}

function isSame(has: Meter, { unit, rate, burst }: Meter): boolean {
  return has.unit === unit && has.rate === rate && has.burst === burst;
}
