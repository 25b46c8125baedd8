import type { AddressScopeTypes } from './address-scope.ts';
import type { AutoTopologies } from './auto-topology.ts';
import type { Collection } from './collection.ts';
import type { NetworkIpAvailabilityTypes } from './ip-availability.ts';
import type { SubnetPoolCollection } from './subnet-pool.ts';

/** The part of the store that says where subnets' blocks come from. */
export interface AddressingStore {
  readonly subnetPools: SubnetPoolCollection;
  readonly addressScopes: Collection<AddressScopeTypes>;
  readonly autoTopologies: AutoTopologies;
  /** Only `get` and `list`. */
  readonly networkIpAvailabilities: Collection<NetworkIpAvailabilityTypes>;
}
