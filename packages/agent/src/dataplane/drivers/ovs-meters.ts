/** The meters that flows name, made in a switch that may have them already. */
import type { MeterDescription, MeterMod, OpenFlowConnection } from '@alcor/openflow';
import { meters, type Meter } from '../meters.ts';

/** Makes what is missing or otherwise, and touches nothing else: what a meter is deleted with are the flows that name it. */
export async function makeMeters(connection: OpenFlowConnection, signal: AbortSignal): Promise<void> {
  const present = new Map<number, MeterDescription>();
  for await (const part of connection.multipart({ kind: 'meters' }, { signal })) {
    if (part.kind === 'meters') for (const each of part.meters) present.set(each.meter, each);
  }
  for (const meter of meters) {
    const has = present.get(meter.id);
    if (has !== undefined && isAs(has, meter)) continue;
    await connection.send(meterMod(meter, has === undefined ? 'add' : 'modify'), { signal });
  }
  // Where a switch has no meters, the flows that name them are refused, and say so.
  await connection.barrier({ signal });
}

function meterMod({ id, rate, burst }: Meter, command: 'add' | 'modify'): MeterMod {
  return { type: 'meter_mod', command, meter: id, flags: ['pktps', 'burst'], bands: [{ type: 'drop', rate, burst }] };
}

function isAs({ flags, bands }: MeterDescription, { rate, burst }: Meter): boolean {
  const [band] = bands;
  return (
    flags.includes('pktps') && bands.length === 1 && band?.type === 'drop' && band.rate === rate && band.burst === burst
  );
}
