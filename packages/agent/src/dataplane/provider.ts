/**
 * Provider networks, as flows: their packets cross between hosts, and to machines that are no hosts of the region, by the wire of a physical
 * network instead of tunnels. On the wire a network is known by its VLAN tag, or by having none; its VNI is this region's word for it alone.
 *
 *   VM ─▶ … ─▶ neighbour ──(nobody here)──▶ wire ─▶ tag ─▶ patch port ─▶ physical bridge
 *   physical bridge ─▶ patch port ─▶ classify ─▶ no tag ─▶ delivery
 */
import { FALLBACK, flow, goto, RULE, set } from './build.ts';
import { resourceCookie, stamped } from './cookie.ts';
import { VLAN_TAGGED } from './fields.ts';
import type { Action, Flow } from './flow.ts';
import { pipeline } from './pipeline.ts';
import type { ProviderNetwork } from './resources.ts';

/** `port`: OpenFlow port of the patch to the bridge of its physical network. */
export function providerFlows({ id, vni, vlan }: ProviderNetwork, port: number): readonly Flow[] {
  const owner = resourceCookie(id);
  const metadata = BigInt(vni);
  const tag: Action[] =
    vlan === null ? [] : [{ type: 'push_vlan', ethertype: 0x8100 }, set('vlan_vid', VLAN_TAGGED | vlan)];
  const untag: Action[] = vlan === null ? [] : [{ type: 'pop_vlan' }];
  return [
    stamped(owner, {
      table: pipeline.classify.id,
      priority: RULE,
      match: { in_port: port, vlan_vid: vlan === null ? 0 : VLAN_TAGGED | vlan },
      instructions: [
        ...(untag.length === 0 ? [] : [{ type: 'apply_actions', actions: untag } as const]),
        { type: 'write_metadata', value: metadata },
        goto('delivery'),
      ],
    }),
    // Below what a host knows of its own ports and of what is for all.
    flow(owner, 'neighbour', FALLBACK - 1, { metadata }, [], 'wire'),
    flow(owner, 'wire', RULE, { metadata }, [...tag, { type: 'output', port }]),
  ];
}
