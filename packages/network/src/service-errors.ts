/** Refusals about what stands beside networks: quality of service, trunks, metering, flavors, local IPs, agents; a part of `errorTable`. */
export const serviceErrors = {
  QosPolicyNotFound: {
    status: 404,
    type: 'QosPolicyNotFound',
    message: 'QoS policy {policyId} could not be found.',
  },
  QosRuleNotFound: { status: 404, type: 'QosRuleNotFound', message: 'QoS rule {ruleId} could not be found.' },
  QosRuleTypeNotFound: {
    status: 404,
    type: 'HTTPNotFound',
    message: 'Rule type {ruleType} could not be found.',
  },
  QoSPolicyDefaultAlreadyExists: {
    status: 409,
    type: 'QoSPolicyDefaultAlreadyExists',
    message: 'A default QoS policy exists for project {projectId}.',
  },
  QosPolicyInUse: {
    status: 409,
    type: 'QosPolicyInUse',
    message: 'QoS Policy {policyId} is used by {objectType} {objectId}.',
  },
  QoSRulesConflict: {
    status: 409,
    type: 'QoSRulesConflict',
    message: 'Rule {ruleType} conflicts with rule {ruleId} which already exists in QoS Policy {policyId}.',
  },
  QoSRuleParameterConflict: {
    status: 409,
    type: 'QoSRuleParameterConflict',
    message:
      'Unable to add the rule with value {value} to the policy {policyId} as the existing rule of type {type} restricts the bandwidth to {existing}.',
  },

  RbacPolicyInUse: {
    status: 409,
    type: 'RbacPolicyInUse',
    message:
      'RBAC policy on object {objectId} cannot be removed because other objects depend on it. Details: {details}',
  },

  TrunkNotFound: { status: 404, type: 'TrunkNotFound', message: 'Trunk {trunkId} could not be found.' },
  SubPortNotFound: {
    status: 404,
    type: 'SubPortNotFound',
    message: 'SubPort on trunk {trunkId} with parent port {portId} could not be found.',
  },
  TrunkPortInUse: { status: 409, type: 'TrunkPortInUse', message: 'Port {portId} is in use by another trunk.' },
  ParentPortInUse: {
    status: 409,
    type: 'ParentPortInUse',
    message: 'Port {portId} is currently in use and is not eligible for use as a parent port.',
  },
  PortInUseAsTrunkParent: {
    status: 409,
    type: 'PortInUseAsTrunkParent',
    message: 'Port {portId} is currently a parent port for trunk {trunkId}.',
  },
  PortInUseAsSubPort: {
    status: 409,
    type: 'PortInUseAsSubPort',
    message: 'Port {portId} is currently a subport for trunk {trunkId}.',
  },
  DuplicateSubPort: {
    status: 409,
    type: 'DuplicateSubPort',
    message: 'segmentation_type {type} and segmentation_id {id} already in use on trunk {trunkId}.',
  },
  SubPortMtuGreaterThanTrunkPortMtu: {
    status: 409,
    type: 'SubPortMtuGreaterThanTrunkPortMtu',
    message: 'MTU {portMtu} of subport {portId} cannot be greater than MTU {trunkMtu} of trunk {trunkId}.',
  },
  TrunkInUse: { status: 409, type: 'TrunkInUse', message: 'Trunk {trunkId} is currently in use.' },
  TrunkDisabled: { status: 409, type: 'TrunkDisabled', message: 'Trunk {trunkId} is currently disabled.' },

  MeteringLabelNotFound: {
    status: 404,
    type: 'MeteringLabelNotFound',
    message: "Metering label '{labelId}' does not exist.",
  },
  MeteringLabelRuleNotFound: {
    status: 404,
    type: 'MeteringLabelRuleNotFound',
    message: "Metering label rule '{ruleId}' does not exist.",
  },
  MeteringLabelRuleOverlaps: {
    status: 409,
    type: 'MeteringLabelRuleOverlaps',
    message: "Metering label rule with remote_ip_prefix '{prefix}' overlaps another.",
  },

  PolicyRemoveAuthorizationError: {
    status: 403,
    type: 'PolicyRemoveAuthorizationError',
    message: 'QoS policy {policyId} may be removed by those alone who may use it.',
  },
  FlavorNotFound: { status: 404, type: 'FlavorNotFound', message: 'Flavor {flavorId} could not be found.' },
  FlavorDisabled: { status: 409, type: 'FlavorDisabled', message: 'Flavor {flavorId} is not enabled.' },
  FlavorNotProvided: {
    status: 409,
    type: 'ServiceProfileDisabled',
    message: 'Flavor {flavorId} has no enabled service profile.',
  },
  InvalidFlavorServiceType: {
    status: 400,
    type: 'InvalidServiceType',
    message: 'Invalid service type {serviceType}: routers are of L3_ROUTER_NAT.',
  },
  FlavorInUse: { status: 409, type: 'FlavorInUse', message: 'Flavor {flavorId} is used by some service instance.' },
  ServiceProfileNotFound: {
    status: 404,
    type: 'ServiceProfileNotFound',
    message: 'Service Profile {profileId} could not be found.',
  },
  ServiceProfileInUse: {
    status: 409,
    type: 'ServiceProfileInUse',
    message: 'Service Profile {profileId} is used by some service instance.',
  },
  ServiceProfileDriverNotFound: {
    status: 404,
    type: 'ServiceProfileDriverNotFound',
    message: 'Service Profile driver {driver} could not be found.',
  },
  ServiceProfileEmpty: {
    status: 400,
    type: 'ServiceProfileEmpty',
    message: 'Service Profile needs either a driver or metainfo.',
  },
  ServiceProviderNotFound: {
    status: 404,
    type: 'HTTPNotFound',
    message: 'Service provider {name} could not be found.',
  },
  FlavorServiceProfileBindingExists: {
    status: 409,
    type: 'FlavorServiceProfileBindingExists',
    message: 'Service Profile {profileId} is already associated with flavor {flavorId}.',
  },
  FlavorServiceProfileBindingNotFound: {
    status: 404,
    type: 'FlavorServiceProfileBindingNotFound',
    message: 'Service Profile {profileId} is not associated with the flavor.',
  },

  AgentNotFound: { status: 404, type: 'AgentNotFound', message: 'Agent {agentId} could not be found.' },
  AvailabilityZoneNotFound: {
    status: 404,
    type: 'AvailabilityZoneNotFound',
    message: 'AvailabilityZone {zone} could not be found.',
  },
  ConfigManagerNotFound: {
    status: 404,
    type: 'ConfigManagerNotFound',
    message: 'Config manager {configManagerId} could not be found.',
  },
  ConfigManagerInUse: {
    status: 409,
    type: 'ConfigManagerInUse',
    message: 'Config manager {configManagerId} still has nodes.',
  },
  GatewayNotFound: { status: 404, type: 'GatewayNotFound', message: 'Gateway {gatewayId} could not be found.' },
  GatewayInUse: { status: 409, type: 'GatewayInUse', message: 'Gateway {gatewayId} still has nodes.' },
} as const;
