import {
  GoalStateOperationReply,
  GoalStateProvisionerDefinition,
  HostRequest,
  HostRequestReply,
  PortCountersReply,
  PortCountersRequest,
} from './generated/goalstateprovisioner.ts';
import { GoalState, GoalStateV2 } from './generated/goalstate.ts';
import {
  NodeSubscribeInfo,
  SubscribeInfoProvisionerDefinition,
  SubscribeOperationReply,
} from './generated/subscribeinfoprovisioner.ts';

export {
  EtherType,
  NetworkType,
  OperationStatus,
  OperationType,
  Protocol,
  RequestType,
  ResourceType,
  Transmission,
  UpdateType,
} from './generated/common.ts';
export { GoalState, GoalStateV2, ResumedVpc } from './generated/goalstate.ts';
export {
  GoalStateOperationReply,
  GoalStateOperationReply_GoalStateOperationStatus,
  HeldVpc,
  HostRequest,
  HostRequest_ResourceStateRequest,
  HostRequestReply,
  HostRequestReply_HostRequestOperationStatus,
  LearntNeighbor,
  PacketCount,
  PortCountersReply,
  PortCountersReply_RuleCounter,
  PortCountersRequest,
  SubscriptionReport,
  SubscriptionState,
} from './generated/goalstateprovisioner.ts';
export { AddressGroupConfiguration, AddressGroupState } from './generated/addressgroup.ts';
export { FloatingIpConfiguration, FloatingIpState } from './generated/floatingip.ts';
export { GatewayConfiguration, GatewayState, GatewayType } from './generated/gateway.ts';
export {
  NetworkAclConfiguration,
  NetworkAclConfiguration_Action,
  NetworkAclConfiguration_Direction,
  NetworkAclConfiguration_Rule,
  NetworkAclState,
} from './generated/networkacl.ts';
export { NeighborConfiguration, NeighborState, NeighborType } from './generated/neighbor.ts';
export { PortConfiguration, PortState } from './generated/port.ts';
export {
  QosPolicyConfiguration,
  QosPolicyConfiguration_Direction,
  QosPolicyConfiguration_Limit,
  QosPolicyConfiguration_Unit,
  QosPolicyState,
} from './generated/qospolicy.ts';
export { RouterConfiguration, RouterState } from './generated/router.ts';
export {
  SecurityGroupConfiguration,
  SecurityGroupConfiguration_Direction,
  SecurityGroupConfiguration_SecurityGroupRule,
  SecurityGroupState,
} from './generated/securitygroup.ts';
export {
  NodeSubscribeInfo,
  SubscribeOperation,
  SubscribeOperationReply,
} from './generated/subscribeinfoprovisioner.ts';
export { SubnetConfiguration, SubnetState } from './generated/subnet.ts';
export { VpcConfiguration, VpcState } from './generated/vpc.ts';

const service = `/${GoalStateProvisionerDefinition.fullName}`;

/** Config manager to agent: goal states down, what became of them up; one stream per host. */
export const pushGoalStatesStream = {
  path: `${service}/${GoalStateProvisionerDefinition.methods.pushGoalStatesStream.name}`,
  request: GoalStateV2,
  reply: GoalStateOperationReply,
} as const;

/** Agent to config manager: how are these destinations reached? The neighbours come by the stream. */
export const requestGoalStates = {
  path: `${service}/${GoalStateProvisionerDefinition.methods.requestGoalStates.name}`,
  request: HostRequest,
  reply: HostRequestReply,
} as const;

/** Version 1: the states of one host in one call. Agents serve it; nothing of ours calls it. */
export const pushNetworkResourceStates = {
  path: `${service}/${GoalStateProvisionerDefinition.methods.pushNetworkResourceStates.name}`,
  request: GoalState,
  reply: GoalStateOperationReply,
} as const;

/** Whoever wants to know to agent: what has been counted for a port of its host? */
export const getPortCounters = {
  path: `${service}/${GoalStateProvisionerDefinition.methods.getPortCounters.name}`,
  request: PortCountersRequest,
  reply: PortCountersReply,
} as const;

/** Config manager to agent: read this VPC's topic yourself, or do so no longer. */
export const pushNodeSubscribeInfo = {
  path: `/${SubscribeInfoProvisionerDefinition.fullName}/${SubscribeInfoProvisionerDefinition.methods.pushNodeSubscribeInfo.name}`,
  request: NodeSubscribeInfo,
  reply: SubscribeOperationReply,
} as const;

export * from './cms.ts';
export { bucketOf, bucketsOf, GoalDigest, type OfferedDigest } from './digest.ts';
export { type Goal, goalKey, type GoalKind, goalVpc, isShare } from './goal.ts';
export { addGoal, emptyGoalState, goalsOf, type StatedGoal } from './messages.ts';
export {
  decodeGoal,
  decodeWhole,
  encodeGoal,
  encodeWhole,
  hostKey,
  isMulticast,
  multicastSubject,
  subjectsFor,
  topicOf,
  unicastSubject,
  vpcOfTopic,
  wholeSubject,
} from './topic.ts';
