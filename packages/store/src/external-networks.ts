import { refusal } from '@alcor/network';
import type { Network, UpdateNetwork } from '@alcor/network';
import type { Queryable } from './database.ts';

/** What a patch makes of the locked network; refused where routers or floating IPs need it to stay external. */
export async function changeExternal(tx: Queryable, row: Network, patch: UpdateNetwork): Promise<Partial<Network>> {
  const { external = row.external } = patch;
  // What is no longer external is nobody's default either.
  const isDefault = patch.isDefault ?? (external && row.isDefault);
  checkDefault({ external, isDefault });
  if (row.external && !external) await checkUnused(tx, row);
  return { ...(patch as Partial<Network>), external, isDefault };
}

/** Only an external network can be the default one. */
export function checkDefault(
  { external, isDefault }: { readonly external?: boolean | undefined; readonly isDefault?: boolean | undefined },
  item?: number,
): void {
  if (isDefault !== true || external === true) return;
  throw refusal('InvalidInput', { reason: 'is_default is true of a network that is not router:external' }, { item });
}

async function checkUnused(tx: Queryable, { id }: Network): Promise<void> {
  const [used] = await tx.query(
    `select 1 from ports p join routers r on r.gateway_port_id = p.id where p.network_id = $1
     union all select 1 from floating_ips where network_id = $1 limit 1`,
    [id],
  );
  if (used !== undefined) throw refusal('ExternalNetworkInUse', { networkId: id });
}
