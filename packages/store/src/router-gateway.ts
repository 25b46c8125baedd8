import { canonicalIp, refusal } from '@alcor/network';
import type { CreatePort, GatewayRequest, Router, RouterId } from '@alcor/network';
import type { Queryable } from './database.ts';
import { badRouter, networkOf, readExternalNetworks } from './router-attachments.ts';

/** The port that attaches a router to its external network. It belongs to no project. */
export function gatewayPort(routerId: RouterId, { networkId, fixedIps }: GatewayRequest): CreatePort {
  return { projectId: '', networkId, fixedIps, deviceId: routerId, deviceOwner: 'network:router_gateway' };
}

/** Refuses gateways on networks that are not external, and addresses that are the network's own gateways. */
export async function checkGateways(
  on: Queryable,
  gateways: readonly GatewayRequest[],
  lock: 'none' | 'shared',
): Promise<void> {
  if (gateways.length === 0) return;
  const ids = gateways.map(({ networkId }) => networkId);
  const networks = await readExternalNetworks(on, ids, lock);
  for (const { networkId, fixedIps = [] } of gateways) {
    const { external, subnets } = networkOf(networks, networkId);
    if (!external) throw badRouter(`Network ${networkId} is not an external network`);
    const own = new Set(subnets.map(({ gatewayIp }) => canonicalIp(gatewayIp ?? '')));
    const twin = fixedIps.find(({ ip }) => ip !== undefined && own.has(ip));
    if (twin !== undefined) throw badRouter(`External IP ${twin.ip} is the same as the gateway IP`);
  }
}

/** Refuses to take the gateway away while floating IPs go by it. The router must be locked. */
export async function checkGatewayUnused(tx: Queryable, { id, gateway }: Router): Promise<void> {
  if (gateway === null) return;
  const [used] = await tx.query('select 1 from floating_ips where router_id = $1 and network_id = $2 limit 1', [
    id,
    gateway.networkId,
  ]);
  if (used === undefined) return;
  throw refusal('RouterExternalGatewayInUseByFloatingIp', { routerId: id, networkId: gateway.networkId });
}

/** Do the addresses asked for differ from those that the gateway has? Nothing asked for: no. */
export function asksForOthers({ gateway }: Router, { fixedIps }: GatewayRequest): boolean {
  if (gateway === null || fixedIps === undefined || fixedIps.length === 0) return false;
  return (
    fixedIps.length !== gateway.fixedIps.length ||
    !fixedIps.every(({ subnetId, ip }) =>
      gateway.fixedIps.some(
        (held) => (subnetId === undefined || held.subnetId === subnetId) && (ip === undefined || held.ip === ip),
      ),
    )
  );
}
