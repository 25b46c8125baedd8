import type { Network } from './nouns.ts';

/**
 * Bytes that a tunnel between hosts puts before a guest's IP packet: the guest's Ethernet header (14), that of VXLAN (RFC 7348) or of Geneve without
 * options (RFC 8926; 8), UDP (8) and IPv4 (20), by which hosts reach each other.
 */
export const tunnelOverhead = 50;

/** The largest IP packets, in bytes, that what networks lie on carries. */
export interface CarriedMtus {
  /** Between hosts, and on physical networks of which nothing else is said. */
  readonly underlay: number;
  readonly physicalNetworks: Readonly<Record<string, number>>;
}

/** The largest MTU that a network may have, and the one that it has where nobody chooses: that of its physical network, or what tunnels leave. */
export function largestMtu(network: Pick<Network, 'networkType' | 'physicalNetwork'>, carried: CarriedMtus): number {
  const { networkType, physicalNetwork } = network;
  if (networkType === 'vxlan' || physicalNetwork === null) return carried.underlay - tunnelOverhead;
  const { physicalNetworks } = carried;
  return Object.hasOwn(physicalNetworks, physicalNetwork) ? physicalNetworks[physicalNetwork]! : carried.underlay;
}
