import type { AnyDefinition } from '../definition.ts';
import { addressScope } from './address-scope.ts';
import { flavor, flavorServiceProfile, serviceProfile } from './flavor.ts';
import { networkIpAvailability } from './ip-availability.ts';
import { floatingIp, floatingIpPool, portForwarding } from './floating-ip.ts';
import { meteringLabel, meteringLabelRule } from './metering.ts';
import { addressGroup } from './address-group.ts';
import { networkAcl, networkAclRule } from './network-acl.ts';
import { network } from './network.ts';
import { defaultSecurityGroupRule, securityGroupRule } from './security-group-rule.ts';
import { securityGroup } from './security-group.ts';
import { node } from './node.ts';
import { port } from './port.ts';
import { qosPolicy, qosRules } from './qos.ts';
import { rbacPolicy } from './rbac-policy.ts';
import { router } from './router.ts';
import { subnet } from './subnet.ts';
import { subnetPool } from './subnet-pool.ts';
import { trunk } from './trunk.ts';

/** Every resource of the API. */
export const definitions: readonly AnyDefinition[] = [
  network,
  subnet,
  port,
  rbacPolicy,
  node,
  subnetPool,
  addressScope,
  networkIpAvailability,
  router,
  floatingIp,
  portForwarding,
  floatingIpPool,
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
];
