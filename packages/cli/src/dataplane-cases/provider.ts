/** What leads out of the region: networks of a physical network, and the hosts that are gateways. */
import type { Site } from './site.ts';

/** The attributes of a network that is one of the physical network's: its untagged packets, or those of a VLAN. */
export function provider(vlan?: number): object {
  return {
    'provider:network_type': vlan === undefined ? 'flat' : 'vlan',
    'provider:physical_network': 'physnet1',
    ...(vlan === undefined ? {} : { 'provider:segmentation_id': vlan }),
  };
}

/** The same of a network that routers have gateways on. */
export function externalVlan(vlan: number): object {
  return { ...provider(vlan), 'router:external': true };
}

/** Changes what the region knows of a host, which are counted from 1. */
export async function updateHost(site: Site, host: number, fields: object): Promise<void> {
  await site.request('PUT', `/alcor/v1/nodes/${site.hosts[host - 1]!.id}`, { node: fields });
}

/** Makes these the region's gateway hosts, and no others. */
export async function gatewaysOn(site: Site, hosts: readonly number[]): Promise<void> {
  for (const at of site.hosts.keys()) await updateHost(site, at + 1, { gateway: hosts.includes(at + 1) });
}
