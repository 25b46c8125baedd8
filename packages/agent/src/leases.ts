/** What DHCP and router advertisements are to say, out of the goals as they are held. */
import type { PortConfiguration, SubnetConfiguration, VpcConfiguration } from '@alcor/contract';
import { HOST_IP, HOST_IP6, type LocalPort } from './dataplane/index.ts';
import type { ExtraOption } from './dhcp/option-names.ts';
import type { Lease } from './dhcp/options.ts';
import type { Lease6 } from './dhcp/options6.ts';
import type { Route } from './dhcp/values.ts';
import { guestName } from './guest-names.ts';
import type { HeldState } from './held-state.ts';
import type { AddressMode, AdvertisedSubnet } from './router-advertisements.ts';

type Held = Pick<HeldState, 'goal'>;

const modes: readonly AddressMode[] = ['slaac', 'dhcpv6-stateless', 'dhcpv6-stateful'];

/** Of several IPv4 addresses the first whose subnet has DHCP. `hasMetadata`: guests are to find their host, also where they ask others for names. */
export function leaseOf(held: Held, { id, vpcId }: LocalPort, hasMetadata: boolean): Lease | undefined {
  const port = stateOf<PortConfiguration>(held, vpcId, `port/${id}`);
  const vpc = stateOf<VpcConfiguration>(held, vpcId, `vpc/${vpcId}`);
  for (const { subnetId, ipAddress: ip } of port?.fixedIps ?? []) {
    const subnet = stateOf<SubnetConfiguration>(held, vpcId, `subnet/${subnetId}`);
    if (port === undefined || subnet?.dhcpEnable !== true || ip.includes(':')) continue;
    return {
      ip,
      cidr: subnet.cidr,
      gateway: subnet.gateway?.ipAddress || null,
      dnsServers: dnsServersOf(subnet, 4),
      routes: [
        ...hostRoute(subnet, hasMetadata),
        ...subnet.hostRoutes.map(({ destination, nextHopIp }) => ({ destination, nextHop: nextHopIp })),
      ],
      mtu: vpc?.mtu ?? 0,
      ...guestName(port, vpc?.dnsDomains ?? [], ip),
      extra: extraOf(port, 4),
    };
  }
  return undefined;
}

/** All that any subnet of the port with DHCPv6 says. */
export function lease6Of(held: Held, { id, vpcId }: LocalPort): Lease6 | undefined {
  const port = stateOf<PortConfiguration>(held, vpcId, `port/${id}`);
  const addresses = (port?.fixedIps ?? []).flatMap(({ subnetId, ipAddress }) => {
    const subnet = stateOf<SubnetConfiguration>(held, vpcId, `subnet/${subnetId}`);
    const isOn = subnet?.dhcpEnable === true && subnet.ipv6AddressMode.startsWith('dhcpv6-');
    return isOn ? [{ ipAddress, subnet }] : [];
  });
  const [first] = addresses;
  if (port === undefined || first === undefined) return undefined;
  const vpc = stateOf<VpcConfiguration>(held, vpcId, `vpc/${vpcId}`);
  return {
    ips: addresses
      .filter(({ subnet }) => subnet.ipv6AddressMode === 'dhcpv6-stateful')
      .map(({ ipAddress }) => ipAddress),
    dnsServers: [...new Set(addresses.flatMap(({ subnet }) => dnsServersOf(subnet, 6)))],
    ...guestName(port, vpc?.dnsDomains ?? [], first.ipAddress),
    extra: extraOf(port, 6),
  };
}

/** What routers are to say of the subnet; undefined: nothing. */
export function advertisedSubnet(held: Held, { vpcId }: LocalPort, subnetId: string): AdvertisedSubnet | undefined {
  const subnet = stateOf<SubnetConfiguration>(held, vpcId, `subnet/${subnetId}`);
  const mode = modes.find((each) => each === subnet?.ipv6RaMode);
  if (subnet === undefined || mode === undefined) return undefined;
  const [domain = ''] = stateOf<VpcConfiguration>(held, vpcId, `vpc/${vpcId}`)?.dnsDomains ?? [];
  return { cidr: subnet.cidr, mode, dnsServers: dnsServersOf(subnet, 6), domain: domain.replace(/\.$/, '') };
}

/** Bytes of the largest packet of the port's network; 0: not known. */
export function mtuOf(held: Held, { vpcId }: LocalPort): number {
  return stateOf<VpcConfiguration>(held, vpcId, `vpc/${vpcId}`)?.mtu ?? 0;
}

/**
 * Of a subnet that names none the guest's own host, which knows the network's names. The unspecified address among them says, as with
 * Neutron, that guests are to be told of none.
 */
function dnsServersOf({ dnsEntryList }: SubnetConfiguration, family: 4 | 6): string[] {
  const entries = dnsEntryList.map(({ entry }) => entry);
  if (entries.length === 0) return [family === 4 ? HOST_IP : HOST_IP6];
  if (entries.includes('0.0.0.0') || entries.includes('::')) return [];
  return entries.filter((entry) => entry.includes(':') === (family === 6));
}

/** Without a router on the network nobody has the gateway's MAC, so who is told of the host is told that it is on the link (RFC 3442). */
function hostRoute(subnet: SubnetConfiguration, hasMetadata: boolean): Route[] {
  const isTold = hasMetadata || dnsServersOf(subnet, 4).includes(HOST_IP);
  return isTold ? [{ destination: `${HOST_IP}/32`, nextHop: '0.0.0.0' }] : [];
}

function extraOf({ extraDhcpOptions }: PortConfiguration, family: 4 | 6): ExtraOption[] {
  return extraDhcpOptions.filter(({ ipVersion }) => (ipVersion === 6) === (family === 6));
}

/** The key says what kind of state it is. */
function stateOf<T>(held: Held, vpcId: string, key: string): T | undefined {
  return held.goal(vpcId, key)?.state as T | undefined;
}
