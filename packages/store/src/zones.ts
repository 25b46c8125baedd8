import { refusal } from '@alcor/network';
import type { Queryable } from './database.ts';

/** The zones of the region. What is made here is on whatever host needs it, in any of them. For `viewed`. */
export const zonesView = `(select json_agg(z.name order by z.name) from availability_zones z where z.resource = 'network')`;

/** The zones of the region, in order. */
export async function readZones(on: Queryable): Promise<readonly string[]> {
  const [row] = await on.query<{ zones: readonly string[] }>(`select ${zonesView} as zones`, []);
  return row?.zones ?? [];
}

/** Refuses hints of zones that are none. */
export function checkHints(
  zones: readonly string[],
  inputs: readonly { readonly availabilityZoneHints?: readonly string[] | undefined }[],
): void {
  for (const [item, { availabilityZoneHints = [] }] of inputs.entries()) {
    const unknown = availabilityZoneHints.find((hint) => !zones.includes(hint));
    if (unknown !== undefined) throw refusal('AvailabilityZoneNotFound', { zone: unknown }, { item });
  }
}
