/** Machines on a wire that are no ports of the region, as flows: where packets for their addresses go, as they have said themselves. */
import { mac } from '@alcor/openflow';
import { matchRegisters } from './address-registers.ts';
import { flow, RULE, set } from './build.ts';
import { resourceCookie } from './cookie.ts';
import type { Flow } from './flow.ts';
import type { OutsideNeighbor } from './resources.ts';

/** Names its flows. */
export function outsideId({ vni, ip }: Pick<OutsideNeighbor, 'vni' | 'ip'>): string {
  return `outside ${vni} ${ip}`;
}

export function outsideFlows(neighbor: OutsideNeighbor): readonly Flow[] {
  const owner = resourceCookie(outsideId(neighbor));
  const match = { metadata: BigInt(neighbor.vni), ...matchRegisters(neighbor.ip) };
  return [flow(owner, 'outsideHop', RULE, match, [set('eth_dst', mac(neighbor.mac))], 'neighbour')];
}
