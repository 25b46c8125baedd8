import { type GoalState, GoalStateV2, goalsOf, type StatedGoal } from '@alcor/contract';

/** What a goal state of version 1 asks for: the same states as in version 2, as lists. */
export function goalsOfVersion1(state: GoalState): StatedGoal[] {
  return goalsOf(
    GoalStateV2.fromPartial({
      vpcStates: byPosition(state.vpcStates),
      subnetStates: byPosition(state.subnetStates),
      portStates: byPosition(state.portStates),
      neighborStates: byPosition(state.neighborStates),
      securityGroupStates: byPosition(state.securityGroupStates),
      routerStates: byPosition(state.routerStates),
    }),
  );
}

/** Keys do not matter to whoever reads the states, but two states of one resource must both be read, in order. */
function byPosition<State>(states: readonly State[]): Record<string, State> {
  return Object.fromEntries(states.map((state, index) => [String(index), state]));
}
