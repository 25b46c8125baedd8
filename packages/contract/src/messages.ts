import { OperationType } from './generated/common.ts';
import { GoalStateV2 } from './generated/goalstate.ts';
import type { Goal } from './goal.ts';

/** A goal as a message states it. */
export interface StatedGoal {
  readonly goal: Goal;
  readonly removed: boolean;
}

/** A message that says nothing yet. */
export function emptyGoalState(): GoalStateV2 {
  return GoalStateV2.fromPartial({ formatVersion: 2 });
}

/** Says one more thing in the message; a later word on the same resource replaces an earlier one. */
export function addGoal(message: GoalStateV2, { goal, removed }: StatedGoal): void {
  const operationType = removed ? OperationType.DELETE : OperationType.UPDATE;
  switch (goal.kind) {
    case 'vpc':
      message.vpcStates[goal.state.id] = { operationType, configuration: goal.state };
      break;
    case 'subnet':
      message.subnetStates[goal.state.id] = { operationType, configuration: goal.state };
      break;
    case 'port':
      message.portStates[goal.state.id] = { operationType, configuration: goal.state };
      break;
    case 'neighbor':
      message.neighborStates[goal.state.id] = { operationType, configuration: goal.state };
      break;
  }
}

/** What the message asks for; INFO and GET ask for nothing. */
export function goalsOf(message: GoalStateV2): StatedGoal[] {
  const goals: StatedGoal[] = [];
  const collect = <T>(
    states: Record<string, { operationType: number; configuration: T | undefined }>,
    goal: (state: T) => Goal,
  ): void => {
    for (const { operationType, configuration } of Object.values(states)) {
      if (configuration === undefined || operationType === OperationType.INFO || operationType === OperationType.GET)
        continue;
      goals.push({ goal: goal(configuration), removed: operationType === OperationType.DELETE });
    }
  };
  collect(message.vpcStates, (state) => ({ kind: 'vpc', state }));
  collect(message.subnetStates, (state) => ({ kind: 'subnet', state }));
  collect(message.portStates, (state) => ({ kind: 'port', state }));
  collect(message.neighborStates, (state) => ({ kind: 'neighbor', state }));
  return goals;
}
