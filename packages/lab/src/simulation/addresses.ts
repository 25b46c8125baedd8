import type { NetworkId } from '@alcor/network';

/** The one subnet of a simulated network: one in three networks has the same. */
export function subnetOf(id: NetworkId): { readonly cidr: string; readonly gateway: string } {
  return { cidr: `${blockOf(id)}.0/24`, gateway: addressOf(id, 1) };
}

export function addressOf(id: NetworkId, n: number): string {
  return `${blockOf(id)}.${n}`;
}

function blockOf(id: NetworkId): string {
  return `10.0.${Number(id.replace('net-', '')) % 3}`;
}
