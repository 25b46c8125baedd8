import { parseIp, refusal } from '@alcor/network';
import type {
  Collection,
  FixedIp,
  NdpProxy,
  NdpProxyTypes,
  NetworkId,
  Router,
  SubnetId,
  UpdateRouter,
} from '@alcor/network';
import { createCollection, forItem } from './collection.ts';
import { nowOf, type StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { lockRow, readView } from './reader.ts';
import { networkResource } from './resources/network.ts';
import { portResource } from './resources/port.ts';
import { ndpProxyResource } from './resources/router-services.ts';
import { lockRouter, readAttachments } from './router-attachments.ts';
import type { FutureGateway } from './router-gateway.ts';
import { growRevisions } from './writer.ts';

/** Router and port are locked while a proxy is made, so that neither loses what it rests on. A change of a proxy is one of its port. */
export function createNdpProxyCollection(context: StoreContext): Collection<NdpProxyTypes> {
  return createCollection(context, ndpProxyResource, {
    defaults: { name: '', description: '' },
    beforeInsert: async (tx, rows, inputs) => {
      const whole: NdpProxy[] = [];
      for (const [item, row] of rows.entries()) {
        whole.push({ ...row, ip: await forItem(item, () => place(tx, row, inputs[item]?.ip ?? null)) });
      }
      return whole;
    },
    afterInsert: (tx, rows) =>
      growRevisions(
        tx,
        portResource,
        rows.map(({ portId }) => portId),
        nowOf(context),
      ),
    afterDelete: (tx, { portId }) => growRevisions(tx, portResource, [portId], nowOf(context)),
  });
}

/** The address of the port that is meant: one that the router reaches, of the scope that its external network is in. */
async function place(tx: Queryable, { routerId, portId }: NdpProxy, wanted: string | null): Promise<string> {
  const router = await lockRouter(tx, routerId);
  if (!router.enableNdpProxy || router.gateway === null) throw refusal('RouterNDPProxyNotEnable', { routerId });
  const port = await lockRow(tx, portResource, portId, { strength: 'for no key update' });
  const attachments = await readAttachments(tx, routerId);
  const reached = new Set(attachments.filter(({ isGateway }) => !isGateway).map(({ subnetId }) => subnetId));
  const held = port.fixedIps.filter(isIpv6);
  const chosen =
    wanted === null ? held.find(({ subnetId }) => reached.has(subnetId)) : held.find(({ ip }) => ip === wanted);
  if (chosen === undefined) throw unreachable({ routerId, portId }, wanted, 'it is none of the port’s');
  if (!reached.has(chosen.subnetId)) throw unreachable({ routerId, portId }, wanted, 'the router does not reach it');
  const external = await scopeOf(tx, router.gateway.networkId);
  const internal = await scopeOf(tx, port.networkId);
  if (external === null || external !== internal) {
    throw refusal('AddressScopeConflict', { external: external ?? 'none', internal: internal ?? 'none' });
  }
  return chosen.ip;
}

function isIpv6({ ip }: Pick<FixedIp, 'ip'>): boolean {
  return parseIp(ip)?.version === 6;
}

function unreachable(between: Pick<NdpProxy, 'routerId' | 'portId'>, wanted: string | null, reason: string): Error {
  return wanted === null
    ? refusal('PortUnreachableRouter', between)
    : refusal('InvalidAddress', { ip: wanted, reason });
}

async function scopeOf(on: Queryable, networkId: NetworkId): Promise<string | null> {
  return (await readView(on, networkResource, networkId)).ipv6AddressScope;
}

/** Refuses `enable_ndp_proxy` where the gateway does not bear it. */
export async function checkProxying(
  tx: Queryable,
  routerId: Router['id'],
  gateway: FutureGateway | null,
): Promise<void> {
  const reason = await objection(tx, gateway);
  if (reason !== null) throw refusal('RouterGatewayNotValid', { routerId, reason });
}

/** What `enable_ndp_proxy` of a locked router becomes as it is changed. */
export async function proxyingAfter(
  tx: Queryable,
  row: Router,
  patch: UpdateRouter,
  gateway: FutureGateway | null,
): Promise<boolean> {
  const { enableNdpProxy: wanted } = patch;
  if (wanted === true) await checkProxying(tx, row.id, gateway);
  if (wanted !== undefined || patch.gateway === undefined) return wanted ?? row.enableNdpProxy;
  if (!row.enableNdpProxy || (await objection(tx, gateway)) === null) return row.enableNdpProxy;
  // It goes with the gateway; one that stays must go on serving it.
  if (gateway === null || gateway.networkId !== row.gateway?.networkId) return false;
  throw refusal('RouterIPv6GatewayInUse', { routerId: row.id });
}

async function objection(tx: Queryable, gateway: FutureGateway | null): Promise<string | null> {
  if (gateway === null) return 'as it has no external gateway';
  if (!gateway.hasIpv6) return 'as its external gateway has no IPv6 address';
  return (await scopeOf(tx, gateway.networkId)) === null ? 'as its external network is in no IPv6 address scope' : null;
}

/** Refuses to take the router off a subnet that it proxies addresses of. The router must be locked. */
export async function checkNotProxied(
  tx: Queryable,
  routerId: Router['id'],
  { id: subnetId, cidr }: { readonly id: SubnetId; readonly cidr: string },
): Promise<void> {
  const [used] = await tx.query('select 1 from ndp_proxies where router_id = $1 and ip <<= $2::cidr limit 1', [
    routerId,
    cidr,
  ]);
  if (used !== undefined) throw refusal('RouterInterfaceInUseByNDPProxy', { routerId, subnetId });
}
