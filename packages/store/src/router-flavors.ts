import { refusal } from '@alcor/network';
import type { Router } from '@alcor/network';
import type { Queryable } from './database.ts';
import { badRouter } from './router-attachments.ts';

/** Refuses flavors that are not of routers, or that nobody provides now. They stay as they are until the transaction ends. */
export async function checkRouterFlavor(tx: Queryable, { flavorId, distributed, ha }: Router): Promise<void> {
  if (flavorId === null) return;
  if (distributed || ha) throw badRouter('flavor_id says how the router is realised: distributed and ha cannot');
  const [flavor] = await tx.query<{ serviceType: string; enabled: boolean }>(
    'select service_type as "serviceType", enabled from flavors where id = $1 for share',
    [flavorId],
  );
  if (flavor === undefined) throw refusal('FlavorNotFound', { flavorId });
  const { serviceType } = flavor;
  if (serviceType !== 'L3_ROUTER_NAT') throw refusal('InvalidFlavorServiceType', { serviceType });
  if (!flavor.enabled) throw refusal('FlavorDisabled', { flavorId });
  const [provided] = await tx.query(
    `select 1 from flavor_service_profiles b join service_profiles p on p.id = b.service_profile_id
     where b.flavor_id = $1 and p.enabled limit 1`,
    [flavorId],
  );
  if (provided === undefined) throw refusal('FlavorNotProvided', { flavorId });
}
