import type { ErrorKind } from './errors.ts';

/** Refusals that have to do with security groups, address groups, port security and network ACLs. */
export const securityErrors = {
  SecurityGroupNotFound: {
    status: 404,
    type: 'SecurityGroupNotFound',
    message: 'Security group {securityGroupId} does not exist.',
  },
  SecurityGroupInUse: { status: 409, type: 'SecurityGroupInUse', message: 'Security Group {securityGroupId} in use.' },
  SecurityGroupCannotRemoveDefault: {
    status: 409,
    type: 'SecurityGroupCannotRemoveDefault',
    message: 'Insufficient rights for removing default security group.',
  },
  SecurityGroupCannotUpdateDefault: {
    status: 409,
    type: 'SecurityGroupCannotUpdateDefault',
    message: 'Updating default security group not allowed.',
  },
  SecurityGroupDefaultAlreadyExists: {
    status: 409,
    type: 'SecurityGroupDefaultAlreadyExists',
    message: 'Default security group already exists.',
  },
  SecurityGroupRuleNotFound: {
    status: 404,
    type: 'SecurityGroupRuleNotFound',
    message: 'Security group rule {ruleId} does not exist.',
  },
  SecurityGroupRuleExists: {
    status: 409,
    type: 'SecurityGroupRuleExists',
    message: 'Security group rule already exists. Rule id is {ruleId}.',
  },
  DuplicateSecurityGroupRuleInPost: {
    status: 409,
    type: 'DuplicateSecurityGroupRuleInPost',
    message: 'Duplicate Security Group Rule in POST.',
  },
  SecurityGroupNotSingleGroupRules: {
    status: 400,
    type: 'SecurityGroupNotSingleGroupRules',
    message: 'Only allowed to update rules for one security profile at a time.',
  },
  SecurityGroupRuleInvalidProtocol: {
    status: 400,
    type: 'SecurityGroupRuleInvalidProtocol',
    message:
      'Security group rule protocol {protocol} not supported. Only protocol names and their integer representation (0 to 255) are supported.',
  },
  SecurityGroupEthertypeConflictWithProtocol: {
    status: 400,
    type: 'SecurityGroupEthertypeConflictWithProtocol',
    message: 'Invalid ethertype {ethertype} for protocol {protocol}.',
  },
  SecurityGroupProtocolRequiredWithPorts: {
    status: 400,
    type: 'SecurityGroupProtocolRequiredWithPorts',
    message: 'Must also specify protocol if port range is given.',
  },
  SecurityGroupInvalidProtocolForPort: {
    status: 400,
    type: 'SecurityGroupInvalidProtocolForPort',
    message: 'Invalid protocol {protocol} for port range, only supported for TCP, UDP, UDPLITE, SCTP and DCCP.',
  },
  SecurityGroupInvalidPortValue: {
    status: 400,
    type: 'SecurityGroupInvalidPortValue',
    message: 'Invalid value for port {port}',
  },
  SecurityGroupInvalidPortRange: {
    status: 400,
    type: 'SecurityGroupInvalidPortRange',
    message: 'For TCP/UDP protocols, port_range_min must be <= port_range_max.',
  },
  SecurityGroupInvalidIcmpValue: {
    status: 400,
    type: 'SecurityGroupInvalidIcmpValue',
    message: 'Invalid value for ICMP {field} ({attribute}) {value}. It must be 0 to 255.',
  },
  SecurityGroupMissingIcmpType: {
    status: 400,
    type: 'SecurityGroupMissingIcmpType',
    message: 'ICMP code (port-range-max) {value} is provided but ICMP type (port-range-min) is missing.',
  },
  SecurityGroupRuleParameterConflict: {
    status: 400,
    type: 'SecurityGroupRuleParameterConflict',
    message: 'Conflicting value ethertype {ethertype} for CIDR {cidr}',
  },
  SecurityGroupMultipleRemoteEntites: {
    status: 400,
    type: 'SecurityGroupMultipleRemoteEntites',
    message: 'Only one of remote_ip_prefix, remote_group_id or remote_address_group_id may be provided.',
  },
  DefaultSecurityGroupRuleNotFound: {
    status: 404,
    type: 'DefaultSecurityGroupRuleNotFound',
    message: 'Default Security Group rule {ruleId} does not exist.',
  },
  DefaultSecurityGroupRuleExists: {
    status: 409,
    type: 'DefaultSecurityGroupRuleExists',
    message: 'Default Security group rule already exists.',
  },
  AddressGroupNotFound: {
    status: 404,
    type: 'AddressGroupNotFound',
    message: 'Address group {addressGroupId} could not be found.',
  },
  AddressGroupInUse: {
    status: 409,
    type: 'AddressGroupInUse',
    message: 'Address group {addressGroupId} is in use on one or more security group rules.',
  },
  AddressesNotFound: {
    status: 404,
    type: 'AddressesNotFound',
    message: 'Addresses {addresses} not found in the address group {addressGroupId}.',
  },
  AddressesAlreadyExist: {
    status: 400,
    type: 'AddressesAlreadyExist',
    message: 'Addresses {addresses} already exist in the address group {addressGroupId}.',
  },
  PortSecurityAndIPRequiredForSecurityGroups: {
    status: 400,
    type: 'PortSecurityAndIPRequiredForSecurityGroups',
    message: 'Port security must be enabled and port must have an IP address in order to use security groups.',
  },
  PortSecurityPortHasSecurityGroup: {
    status: 409,
    type: 'PortSecurityPortHasSecurityGroup',
    message:
      'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
  },
  AddressPairAndPortSecurityRequired: {
    status: 409,
    type: 'AddressPairAndPortSecurityRequired',
    message: 'Port Security must be enabled in order to have allowed address pairs on a port.',
  },
  DuplicateAddressPairInRequest: {
    status: 400,
    type: 'DuplicateAddressPairInRequest',
    message: 'Request contains duplicate address pair: mac_address {mac} ip_address {ip}.',
  },
  NetworkAclNotFound: {
    status: 404,
    type: 'NetworkAclNotFound',
    message: 'Network ACL {aclId} could not be found.',
  },
  NetworkAclInUse: {
    status: 409,
    type: 'NetworkAclInUse',
    message: 'Network ACL {aclId} is in use by one or more subnets.',
  },
  NetworkAclSubnetTaken: {
    status: 409,
    type: 'NetworkAclSubnetTaken',
    message: 'Subnet {subnetId} has another network ACL.',
  },
  NetworkAclRuleNotFound: {
    status: 404,
    type: 'NetworkAclRuleNotFound',
    message: 'Network ACL rule {ruleId} could not be found.',
  },
  NetworkAclRuleNumberInUse: {
    status: 409,
    type: 'NetworkAclRuleNumberInUse',
    message: 'Network ACL {aclId} has a rule of direction {direction} and number {number}.',
  },
} as const satisfies Record<string, ErrorKind>;
