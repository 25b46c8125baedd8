import type { AnyDefinition } from '../definition.ts';
import { addressScope } from './address-scope.ts';
import { agent } from './agent.ts';
import { availabilityZone } from './availability-zone.ts';
import { conntrackHelper } from './conntrack-helper.ts';
import { flavor, flavorServiceProfile, serviceProfile } from './flavor.ts';
import { floatingIp, floatingIpPool, portForwarding } from './floating-ip.ts';
import { networkIpAvailability } from './ip-availability.ts';
import { localIp, localIpAssociation } from './local-ip.ts';
import { meteringLabel, meteringLabelRule } from './metering.ts';
import { addressGroup } from './address-group.ts';
import { ndpProxy } from './ndp-proxy.ts';
import { networkAcl, networkAclRule } from './network-acl.ts';
import { network } from './network.ts';
import { defaultSecurityGroupRule, securityGroupRule } from './security-group-rule.ts';
import { securityGroup } from './security-group.ts';
import { configManager, gateway } from './node-group.ts';
import { node } from './node.ts';
import { port } from './port.ts';
import { qosRuleType } from './qos-rule-type.ts';
import { portProgramming } from './programming.ts';
import { qosPolicy, qosRules } from './qos.ts';
import { networkSegmentRange, segment } from './segment.ts';
import { serviceProvider } from './service-provider.ts';
import { router } from './router.ts';
import { portBinding } from './port-binding.ts';
import { rbacPolicy } from './rbac-policy.ts';
import { subnet } from './subnet.ts';
import { subnetPool } from './subnet-pool.ts';
import { trunk } from './trunk.ts';

/** Every resource of the API. */
export const definitions: readonly AnyDefinition[] = [
  network,
  subnet,
  port,
  portBinding,
  rbacPolicy,
  node,
  subnetPool,
  addressScope,
  networkIpAvailability,
  router,
  floatingIp,
  portForwarding,
  floatingIpPool,
  conntrackHelper,
  ndpProxy,
  localIp,
  localIpAssociation,
  agent,
  availabilityZone,
  serviceProvider,
  configManager,
  gateway,
  qosRuleType,
  qosPolicy,
  ...qosRules,
  trunk,
  meteringLabel,
  meteringLabelRule,
  flavor,
  flavorServiceProfile,
  serviceProfile,
  securityGroup,
  securityGroupRule,
  defaultSecurityGroupRule,
  addressGroup,
  networkAcl,
  networkAclRule,
  portProgramming,
  segment,
  networkSegmentRange,
];
