import { OperationType } from './generated/common.ts';
import { GoalStateV2 } from './generated/goalstate.ts';
import { type Goal, type GoalKind, goalVpc } from './goal.ts';

/** A goal as a message states it. */
export interface StatedGoal {
  readonly goal: Goal;
  readonly removed: boolean;
}

const nothing = new Uint8Array();

/** A message that says nothing yet. To decode nothing costs half of what it takes to look through all fields for something to copy. */
export function emptyGoalState(): GoalStateV2 {
  const message = GoalStateV2.decode(nothing);
  message.formatVersion = 2;
  // A dictionary from the beginning: else each of the first names that are put into it makes a hidden class of its own.
  message.neighborStates = Object.create(null) as GoalStateV2['neighborStates'];
  return message;
}

type StateOf<K extends GoalKind> = Extract<Goal, { kind: K }>['state'];

/** Where a message holds the goals of a kind: the state under its key. */
type Place<State> = (
  message: GoalStateV2,
) => Record<string, { operationType: OperationType; configuration: State | undefined }>;

const places: { readonly [K in GoalKind]: Place<StateOf<K>> } = {
  vpc: (message) => message.vpcStates,
  subnet: (message) => message.subnetStates,
  port: (message) => message.portStates,
  neighbor: (message) => message.neighborStates,
  'security-group': (message) => message.securityGroupStates,
  'address-group': (message) => message.addressGroupStates,
  'network-acl': (message) => message.networkAclStates,
  'qos-policy': (message) => message.qosPolicyStates,
  'floating-ip': (message) => message.floatingIpStates,
  router: (message) => message.routerStates,
  gateway: (message) => message.gatewayStates,
};

const kinds = Object.keys(places) as GoalKind[];

/** Says one more thing in the message; a later word on the same resource replaces an earlier one. */
export function addGoal(message: GoalStateV2, { goal, removed }: StatedGoal): void {
  const operationType = removed ? OperationType.DELETE : OperationType.UPDATE;
  const place = places[goal.kind] as Place<Goal['state']>;
  place(message)[keyOf(goal)] = { operationType, configuration: goal.state };
}

/** What the message asks for; INFO and GET ask for nothing. */
export function goalsOf(message: GoalStateV2): StatedGoal[] {
  const goals: StatedGoal[] = [];
  for (const kind of kinds) {
    const states = (places[kind] as Place<Goal['state']>)(message);
    for (const id in states) {
      const { operationType, configuration: state } = states[id]!;
      if (state === undefined || operationType === OperationType.INFO || operationType === OperationType.GET) continue;
      goals.push({ goal: { kind, state } as Goal, removed: operationType === OperationType.DELETE });
    }
  }
  return goals;
}

/** Those of which a message may hold a copy for each of several VPCs. */
const sharedKinds: readonly GoalKind[] = [
  'security-group',
  'address-group',
  'network-acl',
  'qos-policy',
  'router',
  'gateway',
];

function keyOf(goal: Goal): string {
  return sharedKinds.includes(goal.kind) ? `${goalVpc(goal)}/${goal.state.id}` : goal.state.id;
}
