import {
  canonicalIp,
  contains,
  eui64Address,
  isAutoAddressed,
  isUsable,
  parseCidr,
  parseIp,
  refusal,
} from '@alcor/network';
import type { AlcorError, FixedIp, FixedIpRequest, Ipv6Modes, NetworkId, SubnetId, QosPolicyId } from '@alcor/network';
import type { AddressBook, PooledSubnet } from './address-book.ts';
import type { Queryable } from './database.ts';
import { arrayLiteral } from './sql.ts';
import { isUuid } from './uuid7.ts';

/** What must be known of a network to make a port on it. */
export interface PortNetwork {
  readonly id: NetworkId;
  readonly portSecurityEnabled: boolean;
  /** How many subnets have been made on it in which ports address themselves. */
  readonly autoSubnets: number;
  readonly qosPolicyId: QosPolicyId | null;
  /** In the order of their making. */
  readonly subnets: readonly PortSubnet[];
}

export interface PortSubnet extends PooledSubnet, Ipv6Modes {
  readonly cidr: string;
  readonly enableDhcp: boolean;
  readonly serviceTypes: readonly string[];
}

/** An address of a port to be. */
export interface PlannedIp extends FixedIp {
  /** `named`: asked for. `chosen`: taken from the book, so that another will do as well. `kept`: the port has it already. */
  readonly origin: 'named' | 'chosen' | 'kept';
}

/** Neutron's default of `max_fixed_ips_per_port`. */
const maxFixedIps = 5;

export async function readPortNetworks(
  on: Queryable,
  ids: readonly NetworkId[],
): Promise<ReadonlyMap<NetworkId, PortNetwork>> {
  const known = [...new Set(ids)].filter(isUuid);
  const rows = await on.query<PortNetwork>(
    `select n.id, n.port_security_enabled as "portSecurityEnabled", n.auto_subnets as "autoSubnets", n.qos_policy_id as "qosPolicyId", (
       select coalesce(json_agg(json_build_object('id', s.id, 'ipVersion', s.ip_version, 'cidr', s.cidr,
         'allocationPools', s.allocation_pools, 'ipv6RaMode', s.ipv6_ra_mode, 'ipv6AddressMode', s.ipv6_address_mode,
         'enableDhcp', s.enable_dhcp, 'serviceTypes', s.service_types) order by s.id), '[]')
       from subnets s where s.network_id = n.id) as subnets
     from networks n where n.id = any($1::uuid[])`,
    [arrayLiteral(known)],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** What a port's addresses are planned from. */
export interface AddressWish {
  /** Undefined: one address per IP version. */
  readonly wanted: readonly FixedIpRequest[] | undefined;
  /** What the port has already. Default: nothing. */
  readonly present?: readonly FixedIp[];
  readonly deviceOwner: string;
}

/**
 * The addresses of a port: those asked for, and for a bare subnet (or for nothing at all: one per IP version) free ones out of
 * the book; not those that follow from its MAC (`automaticAddresses`). What is taken from the book is given back if this throws;
 * later it is the caller's to settle or to release.
 */
export async function planAddresses(
  book: AddressBook,
  network: PortNetwork,
  { wanted, present = [], deviceOwner }: AddressWish,
): Promise<readonly PlannedIp[]> {
  const eligible = { ...network, subnets: eligibleSubnets(network, deviceOwner) };
  if (wanted === undefined) return chooseOnePerVersion(book, eligible);
  if (wanted.length > maxFixedIps) {
    throw refusal('InvalidInput', { reason: `fixed_ips: a port has at most ${maxFixedIps}` });
  }
  const planned: PlannedIp[] = [];
  try {
    const named: (PlannedIp | null)[] = [];
    const open: FixedIpRequest[] = [];
    for (const request of wanted) {
      // First what is named, so that a free choice does not take it.
      const address = nameAddress(eligible, request, present);
      if (isAutomatic(subnetOf(eligible, address?.subnetId ?? request.subnetId), deviceOwner)) {
        if (address?.origin === 'named') {
          throw refusal('AllocationOnAutoAddressSubnet', { ip: address.ip, subnetId: address.subnetId });
        }
        continue;
      }
      open.push(request);
      named.push(address);
    }
    checkDistinct(named);
    for (const [index, request] of open.entries()) {
      const address = named[index] ?? keepOne(request, present, [...planned, ...named]);
      planned.push(address ?? (await chooseFrom(book, eligible, [subnetOf(eligible, request.subnetId)])));
    }
    return planned;
  } catch (error) {
    releaseChosen(book, planned);
    throw error;
  }
}

/** The addresses that follow from a port's MAC: one in each subnet in which guests address themselves. */
export function automaticAddresses(
  network: PortNetwork,
  { mac, deviceOwner }: { readonly mac: string; readonly deviceOwner: string },
): readonly FixedIp[] {
  return network.subnets
    .filter((subnet) => serves(subnet, deviceOwner) && isAutomatic(subnet, deviceOwner))
    .flatMap(({ id, cidr }) => {
      const block = parseCidr(cidr);
      return block === null ? [] : [{ subnetId: id, ip: eui64Address(block, mac) }];
    });
}

/** Those of `held` that a change of the MAC leaves alone. */
export function withoutAutomatic(
  network: PortNetwork,
  deviceOwner: string,
  held: readonly FixedIp[],
): readonly FixedIp[] {
  const automatic = new Set(network.subnets.filter((subnet) => isAutomatic(subnet, deviceOwner)).map(({ id }) => id));
  return held.filter(({ subnetId }) => !automatic.has(subnetId));
}

/** A router's interfaces do not address themselves. */
export const routerInterfaces: readonly string[] = [
  'network:router_interface',
  'network:router_interface_distributed',
  'network:ha_router_replicated_interface',
  'network:router_centralized_snat',
];

/** Ports of this owner have an address in the subnet that follows from their MAC, and no other. */
function isAutomatic(subnet: PortSubnet, deviceOwner: string): boolean {
  return isAutoAddressed(subnet) && !routerInterfaces.includes(deviceOwner);
}

/** The subnets that a port of this owner gets addresses of; those made for such owners come first. */
function eligibleSubnets({ id, subnets }: PortNetwork, deviceOwner: string): readonly PortSubnet[] {
  const eligible = subnets.filter((subnet) => serves(subnet, deviceOwner));
  if (eligible.length === 0 && subnets.length > 0) {
    throw refusal('NoMatchingServiceSubnet', { networkId: id, deviceOwner });
  }
  return eligible.toSorted((a, b) => Number(a.serviceTypes.length === 0) - Number(b.serviceTypes.length === 0));
}

function serves({ serviceTypes, enableDhcp }: PortSubnet, deviceOwner: string): boolean {
  return (
    serviceTypes.length === 0 || serviceTypes.includes(deviceOwner) || (enableDhcp && deviceOwner === 'network:dhcp')
  );
}

async function chooseOnePerVersion(book: AddressBook, network: PortNetwork): Promise<readonly PlannedIp[]> {
  const planned: PlannedIp[] = [];
  try {
    for (const version of [4, 6] as const) {
      const candidates = network.subnets.filter((subnet) => subnet.ipVersion === version && !isAutoAddressed(subnet));
      if (candidates.length > 0) planned.push(await chooseFrom(book, network, candidates));
    }
    return planned;
  } catch (error) {
    releaseChosen(book, planned);
    throw error;
  }
}

/** Gives back to the book what was chosen and is not used after all. */
export function releaseChosen(book: AddressBook, planned: readonly PlannedIp[]): void {
  for (const { origin, subnetId, ip } of planned) if (origin === 'chosen') book.release(subnetId, ip);
}

async function chooseFrom(
  book: AddressBook,
  network: PortNetwork,
  candidates: readonly PortSubnet[],
): Promise<PlannedIp> {
  for (const subnet of candidates) {
    const ip = await book.take(subnet);
    if (ip !== null) return { subnetId: subnet.id, ip, origin: 'chosen' };
  }
  throw refusal('IpAddressGenerationFailure', { networkId: network.id });
}

function nameAddress(
  network: PortNetwork,
  { subnetId, ip: text }: FixedIpRequest,
  present: readonly FixedIp[],
): PlannedIp | null {
  if (text === undefined) {
    if (subnetId === undefined)
      throw refusal('InvalidInput', { reason: 'fixed_ips: neither subnet_id nor ip_address' });
    return null;
  }
  const ip = parseIp(text);
  const canonical = canonicalIp(text);
  if (ip === null || canonical === null) {
    throw refusal('InvalidInput', { reason: `fixed_ips: '${text}' is not a valid IP address` });
  }
  const holds = ({ cidr }: PortSubnet): boolean => {
    const block = parseCidr(cidr);
    return block !== null && contains(block, ip) && isUsable(block, ip);
  };
  const subnet = subnetId === undefined ? network.subnets.find(holds) : subnetOf(network, subnetId);
  if (subnet === undefined) throw refusal('InvalidIpForNetwork', { ip: canonical });
  if (!holds(subnet)) throw refusal('InvalidIpForSubnet', { ip: canonical });
  const has = present.some((held) => held.subnetId === subnet.id && held.ip === canonical);
  return { subnetId: subnet.id, ip: canonical, origin: has ? 'kept' : 'named' };
}

/** For a bare subnet: an address of it that the port has and that nothing else in the request is. */
function keepOne(
  { subnetId }: FixedIpRequest,
  present: readonly FixedIp[],
  used: readonly (PlannedIp | null)[],
): PlannedIp | null {
  const kept = present.find((held) => held.subnetId === subnetId && !used.some((other) => other?.ip === held.ip));
  return kept === undefined ? null : { ...kept, origin: 'kept' };
}

function checkDistinct(named: readonly (PlannedIp | null)[]): void {
  const seen = new Set<string>();
  for (const address of named) {
    if (address === null) continue;
    if (seen.has(address.ip)) throw refusal('InvalidInput', { reason: `fixed_ips: ${address.ip} is given twice` });
    seen.add(address.ip);
  }
}

function subnetOf(network: PortNetwork, id: SubnetId | undefined): PortSubnet {
  const subnet = network.subnets.find((candidate) => candidate.id === id);
  if (subnet === undefined) throw notOfNetwork(network, id);
  return subnet;
}

function notOfNetwork(network: PortNetwork, id: SubnetId | undefined): AlcorError {
  return refusal('InvalidInput', { reason: `fixed_ips: subnet ${id} is not one of network ${network.id}` });
}
