import { canonicalIp, canonicalMac, isAutoAddressed, refusal } from '@alcor/network';
import type { SubnetId } from '@alcor/network';
import type { StoreContext } from './context.ts';
import { DatabaseError } from './database-error.ts';
import { generateMac } from './port-create.ts';
import type { PortPlan } from './port-create.ts';
import { automaticAddresses } from './port-addresses.ts';
import { StaleNetworks } from './port-insert.ts';
import { arrayLiteral } from './sql.ts';

/** `insert again`: the plans have been changed. `plan again`: what they were made from is gone. */
type Verdict = 'insert again' | 'plan again';

/**
 * The database refused the ports. Where something of our own choice is in the way, chooses anew, for all plans at once;
 * where the user asked for it by name, throws the refusal with the item at fault; any other error is thrown as it is.
 */
export async function resolvePortConflict(
  context: StoreContext,
  plans: readonly PortPlan[],
  error: unknown,
): Promise<Verdict> {
  if (error instanceof StaleNetworks) return 'plan again';
  if (!(error instanceof DatabaseError)) throw error;
  switch (error.constraint) {
    case 'ports_network_mac_key':
      return resolveMacs(context, plans, error);
    case 'ip_allocations_pkey':
      return resolveAddresses(context, plans, error);
    case 'ports_network_fkey':
    case 'ip_allocations_subnet_fkey':
    case 'port_security_groups_group_fkey':
      // A network, a subnet or a group went after it was read: reading again tells which, and what is left to do.
      return 'plan again';
    case 'ports_qos_policy_fkey':
      throw refusal('QosPolicyNotFound', { policyId: error.key[0] ?? '' }, { cause: error });
    default:
      throw error;
  }
}

async function resolveMacs(context: StoreContext, plans: readonly PortPlan[], error: DatabaseError): Promise<Verdict> {
  const [networkId = '', text = ''] = error.key;
  const mac = canonicalMac(text) ?? text;
  const item = plans.findIndex((plan) => plan.network.id === networkId && plan.mac === mac);
  if (plans[item]?.macOrigin === 'named') throw refusal('MacAddressInUse', { networkId, mac }, { item, cause: error });
  const ofNetwork = plans.filter((plan) => plan.network.id === networkId);
  const rows = await context.database.query<{ mac: string }>(
    'select mac from ports where network_id = $1 and mac = any($2::macaddr[])',
    [networkId, arrayLiteral(ofNetwork.map((plan) => plan.mac))],
  );
  const taken = new Set([mac, ...rows.map((row) => row.mac)]);
  const own = new Set(ofNetwork.map((plan) => plan.mac));
  for (const plan of ofNetwork) {
    if (plan.macOrigin === 'named' || !taken.has(plan.mac)) continue;
    do plan.mac = generateMac(context);
    while (own.has(plan.mac));
    own.add(plan.mac);
  }
  return 'insert again';
}

async function resolveAddresses(
  context: StoreContext,
  plans: readonly PortPlan[],
  error: DatabaseError,
): Promise<Verdict> {
  const [key = '', text = ''] = error.key;
  const subnetId = key as SubnetId;
  const conflicting = canonicalIp(text) ?? text;
  const isAt = (ip: string) => (held: PortPlan['addresses'][number]) => held.subnetId === subnetId && held.ip === ip;
  const item = plans.findIndex(({ addresses }) => addresses.some(isAt(conflicting)));
  if (plans[item]?.addresses.find(isAt(conflicting))?.origin === 'named') {
    throw refusal('IpAddressAlreadyAllocated', { ip: conflicting, subnetId }, { item, cause: error });
  }
  if (item === -1) return evadeAutomatic(context, plans, { subnetId, ip: conflicting, error });
  const chosen = plans.flatMap(({ addresses }) => addresses.filter((held) => held.subnetId === subnetId));
  const rows = await context.database.query<{ ip: string }>(
    'select host(ip) as ip from ip_allocations where subnet_id = $1 and ip = any($2::inet[])',
    [subnetId, arrayLiteral(chosen.map(({ ip }) => ip))],
  );
  const taken = new Set([conflicting, ...rows.map(({ ip }) => canonicalIp(ip) ?? ip)]);
  for (const ip of taken) context.addresses.conflict(subnetId, ip);
  for (const [index, plan] of plans.entries())
    await chooseAgain(context, plan, { subnetId, taken, item: index, error });
  return 'insert again';
}

/** Someone has the address that follows from a port's MAC: another MAC will do, unless that was asked for. */
function evadeAutomatic(
  context: StoreContext,
  plans: readonly PortPlan[],
  conflict: { readonly subnetId: SubnetId; readonly ip: string; readonly error: DatabaseError },
): Verdict {
  const { subnetId, ip, error } = conflict;
  for (const [item, plan] of plans.entries()) {
    const own = automaticAddresses(plan.network, { mac: plan.mac, deviceOwner: plan.input.deviceOwner ?? '' });
    if (!own.some((held) => held.subnetId === subnetId && held.ip === ip)) continue;
    if (plan.macOrigin === 'named')
      throw refusal('IpAddressAlreadyAllocated', { ip, subnetId }, { item, cause: error });
    plan.mac = generateMac(context);
    return 'insert again';
  }
  throw error;
}

/** Replaces the plan's addresses that proved taken by others of the same subnet (or, with that full, of its siblings). */
async function chooseAgain(
  context: StoreContext,
  plan: PortPlan,
  conflict: {
    readonly subnetId: SubnetId;
    readonly taken: ReadonlySet<string>;
    readonly item: number;
    readonly error: unknown;
  },
): Promise<void> {
  const { subnetId, taken, item, error } = conflict;
  const isTaken = (held: PortPlan['addresses'][number]): boolean => held.subnetId === subnetId && taken.has(held.ip);
  while (plan.addresses.some(isTaken)) {
    const index = plan.addresses.findIndex(isTaken);
    const held = plan.addresses[index];
    if (held?.origin === 'named')
      throw refusal('IpAddressAlreadyAllocated', { ip: held.ip, subnetId }, { item, cause: error });
    const own = plan.network.subnets.filter(({ id }) => id === subnetId);
    const siblings = plan.network.subnets.filter(
      (subnet) => subnet.id !== subnetId && subnet.ipVersion === own[0]?.ipVersion && !isAutoAddressed(subnet),
    );
    let next: PortPlan['addresses'][number] | null = null;
    for (const subnet of plan.input.fixedIps === undefined ? [...own, ...siblings] : own) {
      const ip = await context.addresses.take(subnet);
      if (ip === null) continue;
      next = { subnetId: subnet.id, ip, origin: 'chosen' };
      break;
    }
    // The one in the way is not ours to give back.
    plan.addresses = plan.addresses.flatMap((other, place) =>
      place !== index ? [other] : next === null ? [] : [next],
    );
    if (next === null) throw refusal('IpAddressGenerationFailure', { networkId: plan.network.id }, { item });
  }
}
