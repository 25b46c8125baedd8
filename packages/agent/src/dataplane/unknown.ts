/** What becomes of packets to who is not known, where neighbours are told on demand: the agent asks, and a gateway forwards them meanwhile. */
import { distinct, flow, icmpv6, UNKNOWN } from './build.ts';
import { resourceCookie } from './cookie.ts';
import type { Action, Flow } from './flow.ts';
import { forwardedFlows, gatewayFlows, UNICAST } from './gateway.ts';
import { meterOf } from './meters.ts';
import type { OnDemandVpc } from './resources.ts';

/** What the flows depend on beside the VPC itself. */
export interface Here {
  /** This host's underlay address. */
  readonly hostIp: string;
  /** OpenFlow port for what goes between hosts and gateways; null: there is none, and packets wait at the agent. */
  readonly gatewayPort: number | null;
}

export function unknownFlows(
  { id, vni, gateway, isWhole }: OnDemandVpc,
  { hostIp, gatewayPort: port }: Here,
): readonly Flow[] {
  const owner = resourceCookie(id);
  const give: Action = { type: 'controller', meter: meterOf('unknown', vni) };
  const isGateway = gateway === hostIp && port !== null;
  const way = gateway === undefined || isGateway || port === null ? undefined : { gateway, port };
  return distinct([
    ...(isWhole === true ? [] : waitingFlows(owner, vni, give)),
    ...(isWhole === true || way === undefined ? [] : forwardedFlows(owner, vni, give, way)),
    ...(isGateway ? gatewayFlows(owner, vni, port) : []),
  ]);
}

/** The packets are the agent's until their destination is known. */
function waitingFlows(owner: bigint, vni: number, give: Action): Flow[] {
  const metadata = BigInt(vni);
  return [
    flow(owner, 'services', UNKNOWN, { metadata, eth_type: 0x0806, arp_op: 1 }, [give]),
    flow(owner, 'services', UNKNOWN, { metadata, ...icmpv6(135), nd_options_type: 1 }, [give]),
    flow(owner, 'nextHop', UNKNOWN, { metadata }, [give]),
    flow(owner, 'neighbour', UNKNOWN, { metadata, eth_dst: UNICAST }, [give]),
  ];
}
