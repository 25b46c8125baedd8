import { GoalStateOperationReply, GoalStateProvisionerDefinition } from './generated/goalstateprovisioner.ts';
import { GoalStateV2 } from './generated/goalstate.ts';

export {
  NetworkType,
  OperationStatus,
  OperationType,
  RequestType,
  ResourceType,
  Transmission,
} from './generated/common.ts';
export { GoalState, GoalStateV2 } from './generated/goalstate.ts';
export {
  GoalStateOperationReply,
  GoalStateOperationReply_GoalStateOperationStatus,
} from './generated/goalstateprovisioner.ts';
export { NeighborConfiguration, NeighborState, NeighborType } from './generated/neighbor.ts';
export { PortConfiguration, PortState } from './generated/port.ts';
export { SubnetConfiguration, SubnetState } from './generated/subnet.ts';
export { VpcConfiguration, VpcState } from './generated/vpc.ts';

const service = `/${GoalStateProvisionerDefinition.fullName}`;

/** Config manager to agent: goal states down, what became of them up; one stream per host. */
export const pushGoalStatesStream = {
  path: `${service}/${GoalStateProvisionerDefinition.methods.pushGoalStatesStream.name}`,
  request: GoalStateV2,
  reply: GoalStateOperationReply,
} as const;

export { type Goal, goalKey, type GoalKind, goalVpc } from './goal.ts';
export { addGoal, emptyGoalState, goalsOf, type StatedGoal } from './messages.ts';
export {
  decodeGoal,
  encodeGoal,
  hostKey,
  multicastSubject,
  subjectsFor,
  topicOf,
  unicastSubject,
  vpcOfTopic,
} from './topic.ts';
