import type { ErrorKind } from './errors.ts';

/** What is refused about where subnets' blocks and ports' addresses come from. */
export const addressingErrors = {
  AllocationOnAutoAddressSubnet: {
    status: 400,
    type: 'AllocationOnAutoAddressSubnet',
    message:
      'IPv6 address {ip} cannot be directly assigned to a port on subnet {subnetId} as the subnet is configured for automatic addresses.',
  },
  NoMatchingServiceSubnet: {
    status: 409,
    type: 'IpAddressGenerationFailureNoMatchingSubnet',
    message: 'No valid service subnet for the given device owner, network {networkId}, service type {deviceOwner}.',
  },
  UnsupportedPortDeviceOwner: {
    status: 409,
    type: 'UnsupportedPortDeviceOwner',
    message: 'Operation {operation} is not supported for device_owner {deviceOwner} on port {portId}.',
  },
  PortBindingNotFound: {
    status: 404,
    type: 'PortBindingNotFound',
    message: 'Binding for port {portId} for host {host} could not be found.',
  },
  PortBindingAlreadyExists: {
    status: 409,
    type: 'PortBindingAlreadyExists',
    message: 'Binding for port {portId} on host {host} already exists.',
  },
  PortBindingAlreadyActive: {
    status: 409,
    type: 'PortBindingAlreadyActive',
    message: 'Binding for port {portId} on host {host} is already active.',
  },
  AutoAllocationFailure: {
    status: 409,
    type: 'AutoAllocationFailure',
    message: 'Deployment error: {reason}.',
  },
  BadRequest: { status: 400, type: 'BadRequest', message: 'Bad {resource} request: {reason}.' },

  AddressScopeNotFound: {
    status: 404,
    type: 'AddressScopeNotFound',
    message: 'Address scope {addressScopeId} could not be found.',
  },
  AddressScopeInUse: {
    status: 409,
    type: 'AddressScopeInUse',
    message:
      'Unable to complete operation on address scope {addressScopeId}. There are one or more subnet pools in use on the address scope.',
  },
  AddressScopeUpdateError: {
    status: 400,
    type: 'AddressScopeUpdateError',
    message: 'Unable to update address scope {addressScopeId} : {reason}.',
  },
  AddressScopePrefixConflict: {
    status: 409,
    type: 'AddressScopePrefixConflict',
    message: 'Failed to associate address scope: subnetpools within an address scope must have unique prefixes.',
  },
  NetworkAddressScopeAffinityError: {
    status: 409,
    type: 'NetworkAddressScopeAffinityError',
    message:
      'Subnets of the same address family hosted on the same network must all be allocated from the same address scope.',
  },

  SubnetPoolNotFound: {
    status: 404,
    type: 'SubnetPoolNotFound',
    message: 'Subnet pool {subnetPoolId} could not be found.',
  },
  SubnetPoolDeleteError: {
    status: 400,
    type: 'SubnetPoolDeleteError',
    message: 'Unable to delete subnet pool: {reason}.',
  },
  SubnetPoolQuotaExceeded: {
    status: 409,
    type: 'SubnetPoolQuotaExceeded',
    message: 'Per-tenant subnet pool prefix quota exceeded.',
  },
  // Neutron answers 500 here, which tells a client to try again.
  SubnetAllocationError: {
    status: 409,
    type: 'SubnetAllocationError',
    message: 'Failed to allocate subnet: {reason}.',
  },
  MinPrefixSubnetAllocationError: {
    status: 400,
    type: 'MinPrefixSubnetAllocationError',
    message: 'Unable to allocate subnet with prefix length {prefixlen}, minimum allowed prefix is {bound}.',
  },
  MaxPrefixSubnetAllocationError: {
    status: 400,
    type: 'MaxPrefixSubnetAllocationError',
    message: 'Unable to allocate subnet with prefix length {prefixlen}, maximum allowed prefix is {bound}.',
  },
  NetworkSubnetPoolAffinityError: {
    status: 400,
    type: 'NetworkSubnetPoolAffinityError',
    message: 'Subnets hosted on the same network must be allocated from the same subnet pool.',
  },
  EmptySubnetPoolPrefixList: {
    status: 400,
    type: 'EmptySubnetPoolPrefixList',
    message: 'Empty subnet pool prefix list.',
  },
  PrefixVersionMismatch: {
    status: 400,
    type: 'PrefixVersionMismatch',
    message: 'Cannot mix IPv4 and IPv6 prefixes in a subnet pool.',
  },
  IllegalSubnetPoolPrefixBounds: {
    status: 400,
    type: 'IllegalSubnetPoolPrefixBounds',
    message: 'Illegal prefix bounds: {name}={value}, {other}={bound}.',
  },
  IllegalSubnetPoolPrefixUpdate: {
    status: 400,
    type: 'IllegalSubnetPoolPrefixUpdate',
    message: 'Illegal update to prefixes: {reason}.',
  },
  IllegalSubnetPoolUpdate: {
    status: 400,
    type: 'IllegalSubnetPoolUpdate',
    message: 'Illegal subnetpool update : {reason}.',
  },
  IllegalSubnetPoolIpVersion: {
    status: 400,
    type: 'IllegalSubnetPoolIpVersionAssociationToAddressScope',
    message:
      'Illegal subnetpool association: subnetpool {subnetPoolId} cannot associate with address scope {addressScopeId} because subnetpool ip_version is not {ipVersion}.',
  },
} as const satisfies Record<string, ErrorKind>;
