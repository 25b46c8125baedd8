/** What becomes of packets to who is not known, where neighbours are told on demand: they go to the agent, which asks. */
import { flow, icmpv6, UNKNOWN } from './build.ts';
import { resourceCookie } from './cookie.ts';
import type { Action, Flow } from './flow.ts';
import { meterOf } from './meters.ts';
import type { OnDemandVpc } from './resources.ts';

/** Not to a group: whom nobody knows is one host. */
const UNICAST = { value: 0, mask: 0x0100_0000_0000 };

export function unknownFlows({ id, vni }: OnDemandVpc): readonly Flow[] {
  const owner = resourceCookie(id);
  const metadata = BigInt(vni);
  const give: readonly Action[] = [{ type: 'controller', meter: meterOf('unknown', vni) }];
  return [
    flow(owner, 'services', UNKNOWN, { metadata, eth_type: 0x0806, arp_op: 1 }, give),
    flow(owner, 'services', UNKNOWN, { metadata, ...icmpv6(135), nd_options_type: 1 }, give),
    flow(owner, 'nextHop', UNKNOWN, { metadata }, give),
    flow(owner, 'neighbour', UNKNOWN, { metadata, eth_dst: UNICAST }, give),
  ];
}
