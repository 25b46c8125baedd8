import type { AnyDefinition } from '../definition.ts';
import { addressScope } from './address-scope.ts';
import { flavor, flavorServiceProfile, serviceProfile } from './flavor.ts';
import { meteringLabel, meteringLabelRule } from './metering.ts';
import { network } from './network.ts';
import { node } from './node.ts';
import { port } from './port.ts';
import { qosPolicy, qosRules } from './qos.ts';
import { subnet } from './subnet.ts';
import { subnetPool } from './subnet-pool.ts';
import { trunk } from './trunk.ts';

/** Every resource of the API. */
export const definitions: readonly AnyDefinition[] = [
  network,
  subnet,
  port,
  node,
  subnetPool,
  addressScope,
  qosPolicy,
  ...qosRules,
  trunk,
  meteringLabel,
  meteringLabelRule,
  flavor,
  flavorServiceProfile,
  serviceProfile,
];
