import { AlcorError, canonicalMac, formatMac, isUnicastMac, mergeDhcpOpts, plainPort, refusal } from '@alcor/network';
import type { CreatePort, PortId, PortView } from '@alcor/network';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import { automaticAddresses, planAddresses, readPortNetworks, releaseChosen } from './port-addresses.ts';
import type { AddressWish, PlannedIp, PortNetwork } from './port-addresses.ts';
import { resolvePortConflict } from './port-conflicts.ts';
import { checkRoom } from './port-hosts.ts';
import { LimitedHosts, insertPorts } from './port-insert.ts';
import { checkDevices } from './service-port-rules.ts';
import { within } from './service-ports.ts';
import { checkQuota, isLimited } from './quotas.ts';
import { portResource } from './resources/port.ts';
import type { NewPort } from './port-insert.ts';
import { pairsOf, planSecurity } from './port-security.ts';
import type { PlannedSecurity } from './port-security.ts';

/** A port to be, and how free we are to change it. */
export interface PortPlan {
  readonly id: PortId;
  readonly network: PortNetwork;
  readonly input: CreatePort;
  mac: string;
  readonly macOrigin: 'named' | 'chosen';
  readonly security: PlannedSecurity;
  /** Those that do not follow from the MAC. */
  addresses: readonly PlannedIp[];
}

/** Rounds of choosing other addresses before the caller is told to come back. */
const maxRounds = 30;

/** Makes all the ports or none. */
export async function createPorts(context: StoreContext, inputs: readonly CreatePort[]): Promise<readonly PortView[]> {
  if (inputs.length === 0) return [];
  await checkDevices(context.database, inputs);
  return makePorts(context, inputs, async (ports, now) => {
    if (await isLimited(context.database, portResource.table, ports)) await insertWithin(context, ports, now);
    else {
      await insertPorts(context.database, ports, { now }).catch((error: unknown) => {
        if (error instanceof LimitedHosts) return insertWithin(context, ports, now);
        throw error;
      });
    }
    return ports.map(newView);
  });
}

/** Where there are limits to keep to: of the project, or of the hosts. */
async function insertWithin({ database }: StoreContext, ports: readonly NewPort[], now: Date): Promise<void> {
  await database.transaction(async (tx) => {
    await checkQuota(tx, portResource.table, ports);
    await checkRoom(tx, ports);
    await insertPorts(within(tx), ports, { now, room: 'checked' });
  });
}

/**
 * Plans ports and has `write` write them, alone or with what stands on them, all or nothing; again where an address of our own
 * choice proves taken. `items` says of each port which item of the request it is for, where that is not its own place; what
 * `write` refuses is said of items already.
 */
export async function makePorts<Result>(
  context: StoreContext,
  inputs: readonly CreatePort[],
  write: (ports: readonly NewPort[], now: Date) => Promise<Result>,
  items?: readonly number[],
): Promise<Result> {
  const now = nowOf(context);
  const ofItem = saysItem(items);
  let plans = await planPorts(context, inputs).catch(ofItem);
  for (let round = 0; round < maxRounds; round++) {
    const ports = plans.map((plan) => portOf(plan, now));
    let result: Result;
    try {
      result = await write(ports, now);
    } catch (error) {
      if (error instanceof AlcorError) {
        release(context, plans);
        throw error;
      }
      try {
        const verdict = await resolvePortConflict(context, plans, error);
        if (verdict === 'plan again') {
          release(context, plans);
          plans = [];
          plans = await planPorts(context, inputs);
        }
      } catch (refused) {
        release(context, plans);
        return ofItem(refused);
      }
      continue;
    }
    for (const { addresses } of plans) for (const { subnetId, ip } of addresses) context.addresses.settle(subnetId, ip);
    context.committed();
    return result;
  }
  release(context, plans);
  throw refusal('ServiceUnavailable', { reason: 'too many concurrent changes' });
}

/** Throws what was refused of a port as said of its item. */
function saysItem(items: readonly number[] | undefined): (error: unknown) => never {
  return (error) => {
    const item = error instanceof AlcorError && error.item !== undefined ? items?.[error.item] : undefined;
    throw item === undefined ? error : AlcorError.from(error).forItem(item);
  };
}

/** A random MAC address under the configured base. */
export function generateMac({ limits, random }: Pick<StoreContext, 'limits' | 'random'>): string {
  return `${limits.macBase}:${formatMac(random.bytes(3))}`;
}

/** The MAC address in canonical form, or the refusal. */
export function checkedMac(text: string): string {
  const mac = canonicalMac(text);
  if (mac !== null && isUnicastMac(mac)) return mac;
  throw refusal('InvalidInput', { reason: `mac_address: '${text}' is not a valid MAC address` });
}

async function planPorts(context: StoreContext, inputs: readonly CreatePort[]): Promise<PortPlan[]> {
  const networks = await readPortNetworks(
    context.database,
    inputs.map(({ networkId }) => networkId),
  );
  const securities = await planSecurity(context, inputs, networks);
  const macs = new Set<string>();
  const ips = new Set<string>();
  const plans: PortPlan[] = [];
  let item = 0;
  try {
    for (const input of inputs) {
      const network = networks.get(input.networkId);
      if (network === undefined) throw refusal('NetworkNotFound', { networkId: input.networkId });
      const mac = chooseMac(context, input, macs);
      const addresses = await planAddresses(context.addresses, network, wishOf(input));
      const macOrigin = typeof input.mac === 'string' ? 'named' : 'chosen';
      const security = securities[item];
      if (security === undefined) throw refusal('NetworkNotFound', { networkId: input.networkId });
      plans.push({ id: context.newId() as PortId, network, input, mac, macOrigin, security, addresses });
      for (const { subnetId, ip } of addresses.filter(({ origin }) => origin === 'named')) {
        if (ips.has(`${subnetId} ${ip}`)) throw refusal('IpAddressAlreadyAllocated', { ip, subnetId });
        ips.add(`${subnetId} ${ip}`);
      }
      item += 1;
    }
    await evadeNamed(context, plans, ips);
    return plans;
  } catch (error) {
    release(context, plans);
    throw error instanceof AlcorError ? error.forItem(item) : error;
  }
}

/** Chooses again where an earlier port of the request happened to choose what a later one asks for by name. */
async function evadeNamed(
  context: StoreContext,
  plans: readonly PortPlan[],
  named: ReadonlySet<string>,
): Promise<void> {
  if (named.size === 0) return;
  for (const plan of plans) {
    const taken = (held: PlannedIp): boolean => held.origin === 'chosen' && named.has(`${held.subnetId} ${held.ip}`);
    while (plan.addresses.some(taken)) {
      const kept = plan.addresses.filter((held) => !taken(held));
      const fresh = await planAddresses(context.addresses, plan.network, wishOf(plan.input));
      // What another asks for by name counts as gone; the rest goes back.
      releaseChosen(context.addresses, kept);
      for (const { subnetId, ip } of plan.addresses.filter(taken)) context.addresses.settle(subnetId, ip);
      plan.addresses = fresh;
    }
  }
}

function wishOf({ fixedIps, deviceOwner = '' }: CreatePort): AddressWish {
  return { wanted: fixedIps, deviceOwner };
}

function chooseMac(context: StoreContext, { mac: named, networkId }: CreatePort, used: Set<string>): string {
  const key = (mac: string): string => `${networkId} ${mac}`;
  const isNamed = typeof named === 'string';
  let mac = isNamed ? checkedMac(named) : generateMac(context);
  if (isNamed && used.has(key(mac))) throw refusal('MacAddressInUse', { networkId, mac });
  while (used.has(key(mac))) mac = generateMac(context);
  used.add(key(mac));
  return mac;
}

function release({ addresses: book }: StoreContext, plans: readonly PortPlan[]): void {
  for (const { addresses } of plans) releaseChosen(book, addresses);
}

function newView(port: NewPort): PortView {
  const { autoSubnets: _, ...row } = port;
  return { ...row, status: 'DOWN', statusReason: '', trunkDetails: null };
}

function portOf({ id, network, input, mac, addresses, security }: PortPlan, now: Date): NewPort {
  return {
    id,
    autoSubnets: network.autoSubnets,
    projectId: input.projectId,
    name: input.name ?? '',
    description: input.description ?? '',
    networkId: network.id,
    adminStateUp: input.adminStateUp ?? true,
    mac,
    fixedIps: [
      ...addresses.map(({ subnetId, ip }) => ({ subnetId, ip })),
      ...automaticAddresses(network, { mac, deviceOwner: input.deviceOwner ?? '' }),
    ],
    hostId: input.hostId ?? null,
    deviceId: input.deviceId ?? '',
    deviceOwner: input.deviceOwner ?? '',
    trunk: plainPort.trunk,
    ndpProxies: plainPort.ndpProxies,
    localIps: plainPort.localIps,
    portSecurityEnabled: security.enabled,
    securityGroupIds: security.groups,
    allowedAddressPairs: pairsOf(mac, input.allowedAddressPairs ?? []),
    extraDhcpOpts: mergeDhcpOpts([], input.extraDhcpOpts ?? []),
    dnsName: input.dnsName ?? plainPort.dnsName,
    dnsDomain: input.dnsDomain ?? plainPort.dnsDomain,
    vnicType: input.vnicType ?? plainPort.vnicType,
    bindingProfile: input.bindingProfile ?? plainPort.bindingProfile,
    qosPolicyId: input.qosPolicyId ?? plainPort.qosPolicyId,
    qosNetworkPolicyId: network.qosPolicyId,
    tags: (input.tags ?? []).toSorted(),
    revision: 1,
    createdAt: now,
    updatedAt: now,
  };
}
