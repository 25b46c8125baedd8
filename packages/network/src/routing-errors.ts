/** Refusals about external networks, routers and floating IPs; a part of `errorTable`. */
export const routingErrors = {
  RouterNotFound: { status: 404, type: 'RouterNotFound', message: 'Router {routerId} could not be found.' },
  RouterInUse: { status: 409, type: 'RouterInUse', message: 'Router {routerId} still has ports.' },
  RouterInterfaceNotFound: {
    status: 404,
    type: 'RouterInterfaceNotFound',
    message: 'Router {routerId} does not have an interface with id {portId}.',
  },
  RouterInterfaceNotFoundForSubnet: {
    status: 404,
    type: 'RouterInterfaceNotFoundForSubnet',
    message: 'Router {routerId} has no interface on subnet {subnetId}.',
  },
  RouterInterfaceInUseByFloatingIP: {
    status: 409,
    type: 'RouterInterfaceInUseByFloatingIP',
    message:
      'Router interface for subnet {subnetId} on router {routerId} cannot be deleted, as it is required by one or more floating IPs.',
  },
  RouterInterfaceInUseByRoute: {
    status: 409,
    type: 'RouterInterfaceInUseByRoute',
    message:
      'Router interface for subnet {subnetId} on router {routerId} cannot be deleted, as it is required by one or more routes.',
  },
  RouterExternalGatewayInUseByFloatingIp: {
    status: 409,
    type: 'RouterExternalGatewayInUseByFloatingIp',
    message:
      'Gateway cannot be updated for router {routerId}, since a gateway to external network {networkId} is required by one or more floating IPs.',
  },
  SubnetMismatchForPort: {
    status: 400,
    type: 'SubnetMismatchForPort',
    message: 'Subnet on port {portId} does not match the requested subnet {subnetId}.',
  },
  PortInUse: {
    status: 409,
    type: 'PortInUse',
    message:
      'Unable to complete operation on port {portId} for network {networkId}. Port already has an attached device {deviceId}.',
  },
  ServicePortInUse: {
    status: 409,
    type: 'ServicePortInUse',
    message: 'Port {portId} cannot be deleted directly via the port API: has device owner {deviceOwner}.',
  },
  DeviceIDNotOwnedByTenant: {
    status: 409,
    type: 'DeviceIDNotOwnedByTenant',
    message: 'The following device_id {deviceId} is not owned by your tenant or matches another tenants router.',
  },
  InvalidRoutes: { status: 400, type: 'InvalidRoutes', message: 'Invalid format for routes: {routes}, {reason}.' },
  RoutesExhausted: {
    status: 400,
    type: 'RoutesExhausted',
    message: 'Unable to complete operation for {routerId}. The number of routes exceeds the maximum {quota}.',
  },
  ExternalNetworkInUse: {
    status: 409,
    type: 'ExternalNetworkInUse',
    message:
      'External network {networkId} cannot be updated to be made non-external, since it has existing gateway ports.',
  },
  DefaultExternalNetworkExists: {
    status: 409,
    type: 'DefaultExternalNetworkExists',
    message: 'A default external network already exists.',
  },

  FloatingIPNotFound: {
    status: 404,
    type: 'FloatingIPNotFound',
    message: 'Floating IP {floatingIpId} could not be found.',
  },
  ExternalGatewayForFloatingIPNotFound: {
    status: 404,
    type: 'ExternalGatewayForFloatingIPNotFound',
    message:
      'External network {networkId} is not reachable from subnet {subnetId}. Therefore, cannot associate Port {portId} with a Floating IP.',
  },
  FloatingIPPortAlreadyAssociated: {
    status: 409,
    type: 'FloatingIPPortAlreadyAssociated',
    message:
      'Cannot associate floating IP {ip} ({floatingIpId}) with port {portId} using fixed IP {fixedIp}, as that fixed IP already has a floating IP on external network {networkId}.',
  },
  ExternalIpAddressExhausted: {
    status: 400,
    type: 'ExternalIpAddressExhausted',
    message: 'Unable to find any IP address on external network {networkId}.',
  },
  FipInUseByPortForwarding: {
    status: 409,
    type: 'FipInUseByPortForwarding',
    message: 'Floating IP {floatingIpId} in use by Port Forwarding resources.',
  },
  PortForwardingNotFound: {
    status: 404,
    type: 'PortForwardingNotFound',
    message: 'Port Forwarding {portForwardingId} could not be found.',
  },
  PortHasBindingFloatingIP: {
    status: 409,
    type: 'PortHasBindingFloatingIP',
    message:
      'Cannot create port forwarding to floating IP {ip} ({floatingIpId}) with port {portId} using fixed IP {fixedIp}, as that port already has a binding floating IP.',
  },

  ConntrackHelperNotFound: {
    status: 404,
    type: 'ConntrackHelperNotFound',
    message: 'Conntrack Helper {conntrackHelperId} could not be found.',
  },
  ConntrackHelperExists: {
    status: 400,
    type: 'BadRequest',
    message: 'Bad conntrack_helper request: Router {routerId} has a helper for {protocol} port {port} already.',
  },
  ConntrackHelperNotAllowed: {
    status: 400,
    type: 'ConntrackHelperNotAllowed',
    message: 'Conntrack Helper {helper} is not allowed. The switches know: {known}.',
  },
  InvalidProtocolForHelper: {
    status: 400,
    type: 'InvalidProtocolForHelper',
    message: 'Conntrack Helper {helper} does not work with protocol {protocol}. Its protocol is {transport}.',
  },

  NDPProxyNotFound: {
    status: 404,
    type: 'NDPProxyNotFound',
    message: 'NDP proxy {ndpProxyId} could not be found.',
  },
  RouterNDPProxyNotEnable: {
    status: 409,
    type: 'RouterNDPProxyNotEnable',
    message: 'Router {routerId} proxies no neighbour discovery: its enable_ndp_proxy is false.',
  },
  RouterGatewayNotValid: {
    status: 409,
    type: 'RouterGatewayNotValid',
    message: 'Router {routerId} cannot have enable_ndp_proxy, {reason}.',
  },
  RouterGatewayInUseByNDPProxy: {
    status: 409,
    type: 'RouterGatewayInUseByNDPProxy',
    message: 'The gateway of router {routerId} cannot be removed, as it is required by one or more NDP proxies.',
  },
  RouterIPv6GatewayInUse: {
    status: 409,
    type: 'RouterIPv6GatewayInUse',
    message: 'The gateway of router {routerId} must keep an IPv6 address, as the router has enable_ndp_proxy.',
  },
  RouterInterfaceInUseByNDPProxy: {
    status: 409,
    type: 'RouterInterfaceInUseByNDPProxy',
    message:
      'Router interface for subnet {subnetId} on router {routerId} cannot be deleted, as it is required by one or more NDP proxies.',
  },
  PortUnreachableRouter: {
    status: 409,
    type: 'PortUnreachableRouter',
    message: 'Port {portId} has no IPv6 address on a subnet of router {routerId}.',
  },
  InvalidAddress: {
    status: 400,
    type: 'InvalidAddress',
    message: 'The address {ip} is invalid, reason: {reason}.',
  },
  AddressScopeConflict: {
    status: 409,
    type: 'AddressScopeConflict',
    message:
      'The IPv6 address scope of the external network ({external}) is not that of the port’s network ({internal}).',
  },

  LocalIPNotFound: { status: 404, type: 'LocalIPNotFound', message: 'Local IP {localIpId} could not be found.' },
  LocalIPInUse: {
    status: 409,
    type: 'LocalIPInUse',
    message: 'Local IP {localIpId} is still associated with one or more ports.',
  },
  LocalIPNoIP: {
    status: 400,
    type: 'LocalIPNoIP',
    message: 'Port {portId} has no fixed IPv4 address.',
  },
  LocalIPRequestedIPNotFound: {
    status: 400,
    type: 'LocalIPRequestedIPNotFound',
    message: 'Port {portId} does not have the IPv4 address {ip}.',
  },
  LocalIPNoRequestedIP: {
    status: 400,
    type: 'LocalIPNoRequestedIP',
    message: 'Port {portId} has several IPv4 addresses: which one is meant must be said.',
  },
  LocalIPPortOrNetworkRequired: {
    status: 400,
    type: 'LocalIPPortOrNetworkRequired',
    message: 'A local IP needs a local_port_id or a network_id.',
  },
  LocalIPAssociationNotFound: {
    status: 404,
    type: 'LocalIPAssociationNotFound',
    message: 'Local IP association with port {portId} could not be found.',
  },
  LocalIPAssociationExists: {
    status: 409,
    type: 'LocalIPAssociationExists',
    message: 'Local IP {localIpId} is associated with port {portId} already.',
  },
  PortInUseByLocalIP: {
    status: 409,
    type: 'ServicePortInUse',
    message: 'Port {portId} cannot be deleted directly via the port API: it holds the address of local IP {localIpId}.',
  },
} as const;
