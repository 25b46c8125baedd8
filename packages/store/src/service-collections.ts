import type { ServiceStore } from '@alcor/network';
import { createAgentCollection } from './agent-collection.ts';
import type { StoreContext } from './context.ts';
import {
  createFlavorCollection,
  createFlavorServiceProfileCollection,
  createServiceProfileCollection,
} from './flavor-collections.ts';
import { guarded } from './guard.ts';
import {
  createAvailabilityZoneCollection,
  createConfigManagerCollection,
  createGatewayCollection,
} from './host-collections.ts';
import { createMeteringLabelCollection, createMeteringLabelRuleCollection } from './metering-collections.ts';
import { createPortBindingCollection } from './port-binding-collection.ts';
import { createQosPolicyCollection, createQosRuleCollection } from './qos-collections.ts';
import * as qos from './resources/qos.ts';
import { createTrunkCollection } from './trunk-collection.ts';

/** What stands beside networks. */
export function createServiceCollections(context: StoreContext): ServiceStore {
  return {
    qosPolicies: guarded(createQosPolicyCollection(context)),
    bandwidthLimitRules: guarded(
      createQosRuleCollection(context, qos.bandwidthLimitRuleResource, {
        type: 'bandwidth_limit',
        defaults: { direction: 'egress', maxBurstKbps: 0 },
      }),
    ),
    packetRateLimitRules: guarded(
      createQosRuleCollection(context, qos.packetRateLimitRuleResource, {
        type: 'packet_rate_limit',
        defaults: { direction: 'egress', maxBurstKpps: 0 },
      }),
    ),
    dscpMarkingRules: guarded(
      createQosRuleCollection(context, qos.dscpMarkingRuleResource, { type: 'dscp_marking', defaults: {} }),
    ),
    minimumBandwidthRules: guarded(
      createQosRuleCollection(context, qos.minimumBandwidthRuleResource, {
        type: 'minimum_bandwidth',
        defaults: { direction: 'egress' },
      }),
    ),
    minimumPacketRateRules: guarded(
      createQosRuleCollection(context, qos.minimumPacketRateRuleResource, {
        type: 'minimum_packet_rate',
        defaults: {},
      }),
    ),
    portBindings: guarded(createPortBindingCollection(context)),
    trunks: guarded(createTrunkCollection(context)),
    meteringLabels: guarded(createMeteringLabelCollection(context)),
    meteringLabelRules: guarded(createMeteringLabelRuleCollection(context)),
    flavors: guarded(createFlavorCollection(context)),
    flavorServiceProfiles: guarded(createFlavorServiceProfileCollection(context)),
    serviceProfiles: guarded(createServiceProfileCollection(context)),
    agents: guarded(createAgentCollection(context)),
    availabilityZones: guarded(createAvailabilityZoneCollection(context)),
    configManagers: guarded(createConfigManagerCollection(context)),
    gateways: guarded(createGatewayCollection(context)),
  };
}
