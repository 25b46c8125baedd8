/** What a VM says to all of its network, broadcast or multicast: copies to the other hosts that have ports of it, and to the ports here. */
import { ipv4 } from '@alcor/openflow';
import type { Audience } from './broadcast-index.ts';
import { EXCEPTION, FALLBACK, flow, set } from './build.ts';
import { resourceCookie } from './cookie.ts';
import type { Action, Flow, Match } from './flow.ts';
import { meterOf } from './meters.ts';
import { pipeline, type TableName } from './pipeline.ts';

/** The bit of a destination that is more than one. */
const MANY = { value: 0x0100_0000_0000, mask: 0x0100_0000_0000 };

/**
 * The flows of a network. Every copy for a port here is judged by that port's groups on its own; the other hosts copy for theirs. What no
 * host can answer of ARP and neighbour discovery goes the same way: a VM may have addresses that only it knows of. Of a provider network
 * (`isOnWire`) all others are on the wire, which takes one copy.
 */
export function broadcastFlows({ vni, ofports, hosts }: Audience, isOnWire = false): readonly Flow[] {
  const owner = resourceCookie(`broadcast ${vni}`);
  const at: Match = { metadata: BigInt(vni), eth_dst: MANY };
  const limit: Action = { type: 'meter', meter: meterOf('broadcast', vni) };
  const byTunnels = hosts.flatMap((host) => [set('tun_dst', ipv4(host)), call('tunnel')]);
  const crossing = isOnWire ? [call('wire')] : byTunnels;
  const here = ofports.flatMap((ofport) => [set('reg1', ofport), call('enteringSubnet')]);
  return [
    flow(owner, 'neighbour', FALLBACK, at, [limit, ...crossing], 'delivery'),
    flow(owner, 'delivery', FALLBACK, at, here),
  ];
}

/** What a VM says does not come back to it, also what groups do not judge. */
export function notToItself(owner: bigint, ofport: number): Flow {
  return flow(owner, 'entering', EXCEPTION + 10, { reg0: ofport, reg1: ofport }, []);
}

function call(table: TableName): Action {
  return { type: 'resubmit', table: pipeline[table].id };
}
