import type { Network, Resource, Subnet } from './nouns.ts';

/** What a network is of which nothing special was said. */
export const plainNetwork: Omit<Network, keyof Resource<string> | 'vni'> = {
  adminStateUp: true,
  shared: false,
  external: false,
  isDefault: false,
  mtu: 1450,
  portSecurityEnabled: true,
  qosPolicyId: null,
  dnsDomain: '',
  networkType: 'vxlan',
  physicalNetwork: null,
  vlan: null,
};

/** What an IPv4 subnet is of which nothing special was said. */
export const plainSubnet: Omit<Subnet, keyof Resource<string> | 'networkId' | 'cidr' | 'gatewayIp'> = {
  ipVersion: 4,
  enableDhcp: true,
  allocationPools: [],
  dnsNameservers: [],
  hostRoutes: [],
  ipv6RaMode: null,
  ipv6AddressMode: null,
  serviceTypes: [],
  subnetPoolId: null,
};
