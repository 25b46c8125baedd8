import { formatCidr } from './cidr.ts';
import type { Cidr } from './cidr.ts';
import { refusal } from './errors.ts';
import { formatIp } from './ip.ts';

/** How guests of an IPv6 subnet come by their addresses, or what router advertisements say of it. */
export type Ipv6Mode = 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless';

export interface Ipv6Modes {
  /** What router advertisements say; null: the region sends none. */
  readonly ipv6RaMode: Ipv6Mode | null;
  /** Who gives the guests their addresses; null: not said. */
  readonly ipv6AddressMode: Ipv6Mode | null;
}

/** Guests make their own addresses out of their MACs: every port of the network has one, and no other, in the subnet. */
export function isAutoAddressed({ ipv6RaMode, ipv6AddressMode }: Ipv6Modes): boolean {
  return [ipv6RaMode, ipv6AddressMode].some((mode) => mode === 'slaac' || mode === 'dhcpv6-stateless');
}

/** Refuses modes that contradict each other, the address family, the lack of DHCP, or the size that EUI-64 needs. */
export function checkIpv6Modes(cidr: Cidr, modes: Ipv6Modes & { readonly enableDhcp: boolean }): void {
  const { ipv6RaMode: ra, ipv6AddressMode: address, enableDhcp } = modes;
  if (ra === null && address === null) return;
  if (cidr.version === 4) {
    const name = ra === null ? 'ipv6_address_mode' : 'ipv6_ra_mode';
    throw refusal('InvalidInput', { reason: `${name} is not valid when ip_version is 4` });
  }
  if (!enableDhcp) {
    throw refusal('InvalidInput', {
      reason: 'ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False',
    });
  }
  if (ra !== null && address !== null && ra !== address) {
    throw refusal('InvalidInput', {
      reason: `ipv6_ra_mode set to '${ra}' with ipv6_address_mode set to '${address}' is not valid. If both attributes are set, they must be the same value`,
    });
  }
  if (isAutoAddressed(modes) && cidr.prefix !== 64) {
    throw refusal('InvalidInput', {
      reason: `Invalid CIDR ${formatCidr(cidr)} for IPv6 address mode: guests use EUI-64 addresses, which need a prefix of /64`,
    });
  }
}

const universalBit = 0x02_00_00_00_00_00_00_00n;

/** The address in a /64 that a guest with this MAC (canonical) gives itself (RFC 4291, appendix A). */
export function eui64Address(cidr: Cidr, mac: string): string {
  const digits = mac.replaceAll(':', '');
  const identifier = BigInt(`0x${digits.slice(0, 6)}fffe${digits.slice(6)}`) ^ universalBit;
  return formatIp({ version: 6, value: cidr.first | identifier });
}
