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
} as const;
