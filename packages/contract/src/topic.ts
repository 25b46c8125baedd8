import { GoalStateV2 } from './generated/goalstate.ts';
import type { Goal } from './goal.ts';
import { addGoal, emptyGoalState, goalsOf, type StatedGoal } from './messages.ts';

/** The topic of a VPC in the message queue, and what `NodeSubscribeInfo.topic` names. */
export function topicOf(vpcId: string): string {
  return `vpc-${vpcId}`;
}

/** The VPC whose topic this is; undefined for any other name. */
export function vpcOfTopic(topic: string): string | undefined {
  return topic.startsWith('vpc-') ? topic.slice('vpc-'.length) : undefined;
}

/** A host's name as one token of a subject, and what `NodeSubscribeInfo.key` names. */
export function hostKey(hostId: string): string {
  // Said of every port, so what needs nothing is not looked through three times.
  if (/^[\w-]*$/.test(hostId)) return hostId;
  return encodeURIComponent(hostId).replaceAll('.', '%2E').replaceAll('*', '%2A');
}

/** Where in its VPC's topic every host of the VPC finds the goal. */
export function multicastSubject(goal: Goal): string {
  return `multicast.${goal.kind}.${goal.state.id}`;
}

/** Whether the subject is one that every host of the VPC reads. */
export function isMulticast(subject: string): boolean {
  return subject.startsWith('multicast.');
}

/**
 * Where a topic says whether it is whole; all hosts read it. Who fills a topic, or looks through one that it finds, says first that it is not;
 * so what somebody left half filled is not taken for all that there is to know.
 */
export const wholeSubject = 'multicast.whole';

/** Where in its VPC's topic one host finds the goal. */
export function unicastSubject(hostId: string, goal: Goal): string {
  return `unicast.${hostKey(hostId)}.${goal.kind}.${goal.state.id}`;
}

/** What a host reads of a topic. */
export function subjectsFor(key: string): readonly string[] {
  return ['multicast.>', `unicast.${key}.>`];
}

/** One goal as a topic carries it: a goal state that names nothing else. */
export function encodeGoal(stated: StatedGoal): Uint8Array {
  const message = emptyGoalState();
  addGoal(message, stated);
  return GoalStateV2.encode(message).finish();
}

/** The goal that a message of a topic states; throws when it is no goal state or names none. */
export function decodeGoal(payload: Uint8Array): StatedGoal {
  const [stated] = goalsOf(GoalStateV2.decode(payload));
  if (stated === undefined) throw new Error('a message of a topic that states no goal');
  return stated;
}

/** Says under `wholeSubject` that everything that there was to know of the VPC is in its topic, or that it may not be. */
export function encodeWhole(vpcId: string, isWhole: boolean): Uint8Array {
  const message = emptyGoalState();
  (isWhole ? message.completedVpcs : message.begunVpcs).push(vpcId);
  return GoalStateV2.encode(message).finish();
}

/** Throws when it is no goal state. */
export function decodeWhole(payload: Uint8Array, vpcId: string): boolean {
  return GoalStateV2.decode(payload).completedVpcs.includes(vpcId);
}
