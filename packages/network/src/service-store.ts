import type { AgentActions, AgentTypes } from './agent.ts';
import type { FlavorServiceProfileTypes, FlavorTypes, ServiceProfileTypes } from './flavor.ts';
import type { AvailabilityZoneTypes, ConfigManagerTypes, GatewayTypes } from './host.ts';
import type { Collection } from './collection.ts';
import type { MeteringLabelRuleTypes, MeteringLabelTypes } from './metering.ts';
import type {
  BandwidthLimitRule,
  DscpMarkingRule,
  MinimumBandwidthRule,
  MinimumPacketRateRule,
  PacketRateLimitRule,
  QosPolicyTypes,
  QosRuleTypes,
} from './qos.ts';
import type { PortBindingActions, PortBindingTypes } from './port-binding.ts';
import type { TrunkActions, TrunkTypes } from './trunk.ts';

/** The part of the store that holds what stands beside networks. */
export interface ServiceStore {
  readonly qosPolicies: Collection<QosPolicyTypes>;
  readonly bandwidthLimitRules: Collection<QosRuleTypes<BandwidthLimitRule>>;
  readonly packetRateLimitRules: Collection<QosRuleTypes<PacketRateLimitRule>>;
  readonly dscpMarkingRules: Collection<QosRuleTypes<DscpMarkingRule>>;
  readonly minimumBandwidthRules: Collection<QosRuleTypes<MinimumBandwidthRule>>;
  readonly minimumPacketRateRules: Collection<QosRuleTypes<MinimumPacketRateRule>>;
  readonly portBindings: Collection<PortBindingTypes> & PortBindingActions;
  readonly trunks: Collection<TrunkTypes> & TrunkActions;
  readonly meteringLabels: Collection<MeteringLabelTypes>;
  readonly meteringLabelRules: Collection<MeteringLabelRuleTypes>;
  readonly flavors: Collection<FlavorTypes>;
  readonly flavorServiceProfiles: Collection<FlavorServiceProfileTypes>;
  readonly serviceProfiles: Collection<ServiceProfileTypes>;
  readonly agents: Collection<AgentTypes> & AgentActions;
  readonly availabilityZones: Collection<AvailabilityZoneTypes>;
  readonly configManagers: Collection<ConfigManagerTypes>;
  readonly gateways: Collection<GatewayTypes>;
}
