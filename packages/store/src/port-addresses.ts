import { canonicalIp, contains, isUsable, parseCidr, parseIp, refusal } from '@alcor/network';
import type { AlcorError, FixedIp, FixedIpRequest, NetworkId, SubnetId } from '@alcor/network';
import type { AddressBook, PooledSubnet } from './address-book.ts';
import type { Queryable } from './database.ts';
import { arrayLiteral } from './sql.ts';
import { isUuid } from './uuid7.ts';

/** What must be known of a network to make a port on it. */
export interface PortNetwork {
  readonly id: NetworkId;
  readonly portSecurityEnabled: boolean;
  /** In the order of their making. */
  readonly subnets: readonly PortSubnet[];
}

export interface PortSubnet extends PooledSubnet {
  readonly cidr: string;
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
    `select n.id, n.port_security_enabled as "portSecurityEnabled", (
       select coalesce(json_agg(json_build_object('id', s.id, 'ipVersion', s.ip_version, 'cidr', s.cidr,
         'allocationPools', s.allocation_pools) order by s.id), '[]')
       from subnets s where s.network_id = n.id) as subnets
     from networks n where n.id = any($1::uuid[])`,
    [arrayLiteral(known)],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/**
 * The addresses of a port: those asked for, and for a bare subnet (or for nothing at all: one per IP version) free ones out of
 * the book. What is taken from the book is given back if this throws; later it is the caller's to settle or to release.
 */
export async function planAddresses(
  book: AddressBook,
  network: PortNetwork,
  wanted: readonly FixedIpRequest[] | undefined,
  present: readonly FixedIp[] = [],
): Promise<readonly PlannedIp[]> {
  const planned: PlannedIp[] = [];
  try {
    if (wanted === undefined) {
      for (const version of [4, 6] as const) {
        const candidates = network.subnets.filter(({ ipVersion }) => ipVersion === version);
        if (candidates.length > 0) planned.push(await chooseFrom(book, network, candidates));
      }
      return planned;
    }
    if (wanted.length > maxFixedIps) {
      throw refusal('InvalidInput', { reason: `fixed_ips: a port has at most ${maxFixedIps}` });
    }
    // First what is named, so that a free choice does not take it.
    const named = wanted.map((request) => nameAddress(network, request, present));
    checkDistinct(named);
    for (const [index, request] of wanted.entries()) {
      const address = named[index] ?? keepOne(request, present, [...planned, ...named]);
      planned.push(address ?? (await chooseFrom(book, network, [subnetOf(network, request.subnetId)])));
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
