import {
  HostRequestReply,
  type HostRequestReply_HostRequestOperationStatus as OperationAnswer,
  OperationStatus,
  requestGoalStates,
} from '@alcor/contract';
import { answering, CallRefused, type Clock, type Handler } from '@alcor/runtime';
import type { Answer, OnDemand } from './on-demand.ts';

/** Questions in one message: more keep others waiting. */
const questionsAtMost = 1_000;

const statusOf = {
  routable: OperationStatus.SUCCESS,
  'not-routable': OperationStatus.FAILURE,
  later: OperationStatus.PENDING,
  invalid: OperationStatus.INVALID_ARG,
} as const;

/** Answers `RequestGoalStates`: what becomes of each question. The goal states go by the host's stream. */
export function answersRequests(onDemand: OnDemand, clock: Clock): Handler {
  return answering(requestGoalStates, async ({ hostId, stateRequests, formatVersion }) => {
    if (stateRequests.length > questionsAtMost) {
      throw new CallRefused(
        'INVALID_ARGUMENT',
        `state_requests: ${stateRequests.length}, more than ${questionsAtMost}`,
      );
    }
    const begun = clock.now();
    const operationStatuses = stateRequests.map((question) =>
      statusFor(question.requestId, onDemand.ask(hostId, question)),
    );
    const totalOperationTime = Math.round((clock.now() - begun) * 1_000);
    return HostRequestReply.fromPartial({ formatVersion, operationStatuses, totalOperationTime });
  });
}

function statusFor(requestId: string, answer: Answer): OperationAnswer {
  const { status, lifetimeMs } = answer;
  return {
    requestId,
    operationStatus: statusOf[status],
    lifetimeMs,
    reason: answer.status === 'routable' ? '' : answer.reason,
    resourceId: answer.status === 'routable' ? answer.neighborId : '',
  };
}
