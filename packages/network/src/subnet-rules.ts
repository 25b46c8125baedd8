import { contains, formatCidr, isUsable, overlaps, parseCidr, usableRange } from './cidr.ts';
import type { Cidr } from './cidr.ts';
import { refusal } from './errors.ts';
import { canonicalIp, formatIp, parseIp } from './ip.ts';
import { checkIpv6Modes } from './ipv6-modes.ts';
import type { Ipv6Mode } from './ipv6-modes.ts';
import type { AllocationPool, Subnet } from './nouns.ts';
import { checkGatewayOutsidePools, checkPools, defaultPools } from './pools.ts';

/** The part of a subnet that says which addresses it has. */
export type Addressing = Pick<
  Subnet,
  | 'ipVersion'
  | 'cidr'
  | 'gatewayIp'
  | 'enableDhcp'
  | 'allocationPools'
  | 'dnsNameservers'
  | 'hostRoutes'
  | 'ipv6RaMode'
  | 'ipv6AddressMode'
>;

/** What a user says of it; what is absent gets Neutron's default. */
export interface AddressingRequest {
  readonly cidr: string;
  readonly ipVersion?: 4 | 6 | undefined;
  readonly gatewayIp?: string | null | undefined;
  readonly enableDhcp?: boolean | undefined;
  readonly allocationPools?: readonly AllocationPool[] | undefined;
  readonly dnsNameservers?: readonly string[] | undefined;
  readonly hostRoutes?: Subnet['hostRoutes'] | undefined;
  readonly ipv6RaMode?: Ipv6Mode | null | undefined;
  readonly ipv6AddressMode?: Ipv6Mode | null | undefined;
}

/** Neutron's defaults of `max_dns_nameservers` and `max_subnet_host_routes`. */
const maxNameservers = 5;
const maxHostRoutes = 20;

/** Completes and checks what a new subnet shall be. Throws the refusal. */
export function resolveAddressing(request: AddressingRequest): Addressing {
  const cidr = checkCidr(request.cidr, request.ipVersion);
  const enableDhcp = request.enableDhcp ?? true;
  if (enableDhcp) checkServesDhcp(cidr);
  const modes = { ipv6RaMode: request.ipv6RaMode ?? null, ipv6AddressMode: request.ipv6AddressMode ?? null };
  checkIpv6Modes(cidr, { ...modes, enableDhcp });
  const gatewayIp = request.gatewayIp === undefined ? defaultGateway(cidr) : request.gatewayIp;
  return checkWhole(cidr, {
    gatewayIp: gatewayIp === null ? null : checkGateway(cidr, gatewayIp),
    enableDhcp,
    allocationPools: request.allocationPools,
    dnsNameservers: request.dnsNameservers ?? [],
    hostRoutes: request.hostRoutes ?? [],
    ...modes,
  });
}

/** What `current` becomes when the given fields change: `gatewayIp: null` removes the gateway, absent keeps it. */
export function changeAddressing(
  current: Addressing,
  change: Omit<AddressingRequest, 'cidr' | 'ipVersion' | 'ipv6RaMode' | 'ipv6AddressMode'>,
): Addressing {
  const cidr = checkCidr(current.cidr, current.ipVersion);
  const enableDhcp = change.enableDhcp ?? current.enableDhcp;
  const { ipv6RaMode, ipv6AddressMode } = current;
  if (!enableDhcp && (ipv6RaMode !== null || ipv6AddressMode !== null)) {
    throw refusal('InvalidInput', { reason: 'Cannot disable enable_dhcp with ipv6 attributes set' });
  }
  if (enableDhcp) checkServesDhcp(cidr);
  const gatewayIp = change.gatewayIp === undefined ? current.gatewayIp : change.gatewayIp;
  return checkWhole(cidr, {
    gatewayIp: gatewayIp === null ? null : checkGateway(cidr, gatewayIp),
    enableDhcp,
    allocationPools: change.allocationPools ?? current.allocationPools,
    dnsNameservers: change.dnsNameservers ?? current.dnsNameservers,
    hostRoutes: change.hostRoutes ?? current.hostRoutes,
    ipv6RaMode,
    ipv6AddressMode,
  });
}

/** Refuses `cidr` where it overlaps one of the other subnets of the network. */
export function checkNoOverlap(cidr: string, others: readonly string[]): void {
  const own = checkCidr(cidr, undefined);
  const hit = others.find((other) => {
    const block = parseCidr(other);
    return block !== null && overlaps(own, block);
  });
  if (hit === undefined) return;
  throw refusal('InvalidInput', {
    reason: `Requested subnet with cidr: ${cidr} for network overlaps with another subnet (${hit}) of it`,
  });
}

type Unchecked = Omit<Addressing, 'ipVersion' | 'cidr' | 'allocationPools'> & {
  readonly allocationPools: readonly AllocationPool[] | undefined;
};

function checkWhole(cidr: Cidr, { allocationPools, ...rest }: Unchecked): Addressing {
  const gateway = rest.gatewayIp === null ? null : (parseIp(rest.gatewayIp)?.value ?? null);
  const pools = allocationPools === undefined ? defaultPools(cidr, gateway) : checkPools(cidr, allocationPools);
  if (rest.gatewayIp !== null) checkGatewayOutsidePools(rest.gatewayIp, pools);
  return {
    ipVersion: cidr.version,
    cidr: formatCidr(cidr),
    gatewayIp: rest.gatewayIp,
    enableDhcp: rest.enableDhcp,
    allocationPools: pools,
    dnsNameservers: checkNameservers(rest.dnsNameservers),
    hostRoutes: checkHostRoutes(cidr, rest.hostRoutes),
    ipv6RaMode: rest.ipv6RaMode,
    ipv6AddressMode: rest.ipv6AddressMode,
  };
}

function checkCidr(text: string, version: 4 | 6 | undefined): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw refusal('InvalidInput', { reason: `'${text}' is not a valid cidr` });
  if (version !== undefined && version !== cidr.version) {
    throw refusal('InvalidInput', { reason: `cidr '${text}' does not match the ip_version '${version}'` });
  }
  if (cidr.prefix === 0) throw refusal('InvalidInput', { reason: '0 is not allowed as CIDR prefix length' });
  return cidr;
}

const multicast = { 4: parseCidr('224.0.0.0/4'), 6: parseCidr('ff00::/8') } as const;
const loopback = { 4: parseCidr('127.0.0.0/8'), 6: parseCidr('::1/128') } as const;

function checkServesDhcp(cidr: Cidr): void {
  const { first, last } = usableRange(cidr);
  const reserved = [multicast[cidr.version], loopback[cidr.version]].find((block) => block && overlaps(block, cidr));
  if (reserved) {
    throw refusal('InvalidInput', { reason: `${formatCidr(reserved)} is not supported if enable_dhcp is True` });
  }
  if (last - first < 1n || cidr.prefix > (cidr.version === 4 ? 30 : 126)) {
    throw refusal('InvalidInput', {
      reason: `cidr ${formatCidr(cidr)} has a prefix length that is incompatible with DHCP service enabled`,
    });
  }
}

/** The first usable address; none where the block has but one. */
function defaultGateway(cidr: Cidr): string | null {
  const { first, last } = usableRange(cidr);
  return first === last ? null : formatIp({ version: cidr.version, value: first });
}

const linkLocal = parseCidr('fe80::/10');

/** The gateway must be on the link: in the block, or an IPv6 link-local address. */
function checkGateway(cidr: Cidr, text: string): string {
  const ip = parseIp(text);
  if (ip === null) throw refusal('InvalidInput', { reason: `gateway_ip '${text}' is not a valid IP address` });
  const onLink = contains(cidr, ip) ? isUsable(cidr, ip) || cidr.version === 6 : linkLocal && contains(linkLocal, ip);
  if (ip.version !== cidr.version || !onLink) {
    throw refusal('InvalidInput', { reason: `Gateway ${formatIp(ip)} is not valid on subnet ${formatCidr(cidr)}` });
  }
  return formatIp(ip);
}

function checkNameservers(servers: readonly string[]): readonly string[] {
  if (servers.length > maxNameservers) {
    throw refusal('InvalidInput', { reason: `dns_nameservers has more than ${maxNameservers} entries` });
  }
  return distinct(
    'dns_nameservers',
    servers.map((server) => {
      const ip = canonicalIp(server);
      if (ip === null)
        throw refusal('InvalidInput', { reason: `dns_nameservers: '${server}' is not a valid IP address` });
      return ip;
    }),
  );
}

function checkHostRoutes(cidr: Cidr, routes: Subnet['hostRoutes']): Subnet['hostRoutes'] {
  if (routes.length > maxHostRoutes) {
    throw refusal('InvalidInput', { reason: `host_routes has more than ${maxHostRoutes} entries` });
  }
  return routes.map(({ destination, nexthop }) => {
    const target = parseCidr(destination);
    const via = parseIp(nexthop);
    if (target?.version !== cidr.version || via?.version !== cidr.version) {
      throw refusal('InvalidInput', { reason: `host_routes: '${destination}' via '${nexthop}' is not a valid route` });
    }
    return { destination: formatCidr(target), nexthop: formatIp(via) };
  });
}

function distinct(field: string, values: readonly string[]): readonly string[] {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw refusal('InvalidInput', { reason: `${field}: '${twice}' is given twice` });
  return values;
}
