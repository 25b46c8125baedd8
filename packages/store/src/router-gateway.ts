import { canonicalIp, parseIp, refusal } from '@alcor/network';
import type { CreatePort, GatewayRequest, NetworkId, Port, Router, RouterId } from '@alcor/network';
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

/** Refuses to take the gateway away while floating IPs or NDP proxies go by it. The router must be locked. */
export async function checkGatewayUnused(tx: Queryable, { id, gateway }: Router): Promise<void> {
  if (gateway === null) return;
  const [proxied] = await tx.query('select 1 from ndp_proxies where router_id = $1 limit 1', [id]);
  if (proxied !== undefined) throw refusal('RouterGatewayInUseByNDPProxy', { routerId: id });
  const [used] = await tx.query('select 1 from floating_ips where router_id = $1 and network_id = $2 limit 1', [
    id,
    gateway.networkId,
  ]);
  if (used === undefined) return;
  throw refusal('RouterExternalGatewayInUseByFloatingIp', { routerId: id, networkId: gateway.networkId });
}

/** Do the addresses asked for differ from those that the gateway has? Nothing asked for: no. */
export function asksForOthers({ gateway }: Pick<Router, 'gateway'>, { fixedIps }: GatewayRequest): boolean {
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

/** The gateway that a router will have. */
export interface FutureGateway {
  readonly networkId: NetworkId;
  readonly hasIpv6: boolean;
}

/** What the gateway will be: `port`'s, where it is a new one; null: none. */
export async function futureGateway(
  tx: Queryable,
  row: Pick<Router, 'gateway'>,
  { gateway, port }: { readonly gateway: GatewayRequest | null | undefined; readonly port: Port | null },
): Promise<FutureGateway | null> {
  if (port !== null) return { networkId: port.networkId, hasIpv6: port.fixedIps.some(isIpv6) };
  if (gateway === null || row.gateway === null) return null;
  const { networkId } = row.gateway;
  if (gateway === undefined || !asksForOthers(row, gateway)) {
    return { networkId, hasIpv6: row.gateway.fixedIps.some(isIpv6) };
  }
  const { subnets } = networkOf(await readExternalNetworks(tx, [networkId], 'none'), networkId);
  const versions = new Map(subnets.map(({ id, ipVersion }) => [id, ipVersion]));
  const asked = gateway.fixedIps ?? [];
  const hasIpv6 = asked.some(({ ip, subnetId }) =>
    ip === undefined ? subnetId !== undefined && versions.get(subnetId) === 6 : isIpv6({ ip }),
  );
  return { networkId, hasIpv6 };
}

function isIpv6({ ip }: { readonly ip: string }): boolean {
  return parseIp(ip)?.version === 6;
}
