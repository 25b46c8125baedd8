/**
 * Provider networks, as flows: their packets cross between hosts, and to machines that are no hosts of the region, by the wire of a physical
 * network instead of tunnels. On the wire a network is known by its VLAN tag, or by having none; its VNI is this region's word for it alone.
 *
 *   VM ─▶ … ─▶ neighbour ──(nobody here)──▶ wire ─▶ tag ─▶ patch port ─▶ physical bridge
 *   physical bridge ─▶ patch port ─▶ classify ─▶ no tag ─▶ arriving ─▶ delivery
 */
import { apply, EXCEPTION, FALLBACK, flow, goto, move, RULE, set, UNKNOWN } from './build.ts';
import { resourceCookie, stamped } from './cookie.ts';
import { VLAN_TAGGED } from './fields.ts';
import type { Action, Flow } from './flow.ts';
import { meterOf } from './meters.ts';
import { pipeline } from './pipeline.ts';
import { BACK } from './responder.ts';
import type { ProviderNetwork } from './resources.ts';

/** The ports of this host that lead elsewhere; null: it has none. */
export interface Ways {
  /** To the bridge of the physical network. */
  readonly wire: number | null;
  /** Between hosts and gateways. */
  readonly gateway: number | null;
}

export function providerFlows(network: ProviderNetwork, { wire, gateway }: Ways): readonly Flow[] {
  const owner = resourceCookie(network.id);
  return [
    ...(wire === null ? [] : wireFlows(owner, network, wire)),
    ...(gateway === null ? [] : gatewayHostFlows(owner, network.vni, gateway)),
  ];
}

function wireFlows(owner: bigint, { vni, vlan }: ProviderNetwork, port: number): Flow[] {
  const metadata = BigInt(vni);
  const tag: Action[] =
    vlan === null ? [] : [{ type: 'push_vlan', ethertype: 0x8100 }, set('vlan_vid', VLAN_TAGGED | vlan)];
  const untag: Action[] = vlan === null ? [] : [{ type: 'pop_vlan' }];
  const give: Action = { type: 'controller', meter: meterOf('unknown', vni) };
  return [
    stamped(owner, {
      table: pipeline.classify.id,
      priority: RULE,
      match: { in_port: port, vlan_vid: vlan === null ? 0 : VLAN_TAGGED | vlan },
      instructions: [
        ...(untag.length === 0 ? [] : [apply(untag)]),
        { type: 'write_metadata', value: metadata },
        goto('arriving'),
      ],
    }),
    // Below what a host knows of its own ports and of what is for all.
    flow(owner, 'neighbour', FALLBACK - 1, { metadata }, [], 'wire'),
    // What is for all goes on to ports here, without the tag.
    flow(owner, 'wire', RULE, { metadata }, [...tag, { type: 'output', port }, ...untag]),
    // An answer.
    flow(owner, 'wire', EXCEPTION, { metadata, in_port: port }, [...tag, BACK]),
    flow(owner, 'outsideHop', UNKNOWN, { metadata }, [give]),
  ];
}

/** What is for a router's gateway goes to the host that has it, under the number of the external network, by the way of gateways. */
function gatewayHostFlows(owner: bigint, vni: number, port: number): Flow[] {
  const metadata = BigInt(vni);
  return [
    flow(owner, 'toGateway', RULE, { metadata }, [move('metadata', 'tunnel_id', 64), { type: 'output', port }]),
    stamped(owner, {
      table: pipeline.classify.id,
      priority: RULE,
      match: { in_port: port, tunnel_id: metadata },
      instructions: [{ type: 'write_metadata', value: metadata }, goto('gateway')],
    }),
  ];
}
