/** The data plane of a host: what the agent's other parts, the lab and the simulation may use. */
export { contains, linkLocal } from './address.ts';
export { HOST_IP, HOST_IP6, HOST_MAC } from './host-address.ts';
export type { PortCounters, RuleCounter } from './counters.ts';
export { cookieText, resourceCookie, RESOURCE_MASK } from './cookie.ts';
export { Dataplane, type DataplaneOptions } from './dataplane.ts';
export { Fabric, type Delivery, type Hop, type Ping, type Vm, type VmSpec } from './drivers/fabric.ts';
export { OvsSwitch, type OvsSwitchOptions } from './drivers/ovs.ts';
export { describeText, type DataplaneDescription } from './describe.ts';
export { MemorySwitch, type MemorySwitchOptions } from './drivers/memory.ts';
export {
  arpReply,
  arpRequest,
  BROADCAST,
  icmpEcho,
  icmpv6Echo,
  neighborAdvertisement,
  neighborSolicitation,
  packetText,
  type Packet,
} from './drivers/packet.ts';
export { UnsupportedAction, walkText, type Output, type Step, type Walk } from './drivers/walk.ts';
export {
  flowKey,
  type Action,
  type Flow,
  type FlowIdentity,
  type FlowPlace,
  type Instruction,
  type Match,
} from './flow.ts';
export { checkFlow, FlowError } from './check-flow.ts';
export { pipeline, tableName, tables, type Table, type TableName } from './pipeline.ts';
export { decodeFrame, encodeFrame, type DecodedFrame } from './frame.ts';
export { outsideFlows } from './outside.ts';
export { HOST } from './program.ts';
export type {
  AddressGroup,
  AllowedAddressPair,
  ConntrackHelper,
  FloatingIp,
  LocalIp,
  LocalPort,
  Neighbor,
  NetworkAcl,
  NetworkAclRule,
  OnDemandVpc,
  OutsideNeighbor,
  PortForwarding,
  ProviderNetwork,
  ProxiedAddress,
  QosPolicy,
  QualityRules,
  ResourceOutcome,
  Route,
  Router,
  RouterAddress,
  RouterGateway,
  RouterInterface,
  SecurityGroup,
  SecurityGroupRule,
} from './resources.ts';
export { hasGoneToGateway } from './gateway.ts';
export type { ServedAddress } from './served.ts';
export {
  SwitchLost,
  type Count,
  type FlowChange,
  NO_PORT,
  type FlowFailure,
  type FlowUse,
  type PacketContext,
  type PacketIn,
  type PacketOut,
  type PluggedInterface,
  type Switch,
  type SwitchEvent,
} from './switch.ts';
