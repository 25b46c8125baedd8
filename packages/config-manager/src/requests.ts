import {
  type HostRequest_ResourceStateRequest as Question,
  HostRequestReply,
  type HostRequestReply_HostRequestOperationStatus as OperationAnswer,
  OperationStatus,
  requestGoalStates,
  RequestType,
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
    const operationStatuses = await Promise.all(
      stateRequests.map(async (question) => statusFor(question.requestId, await answerTo(onDemand, hostId, question))),
    );
    const totalOperationTime = Math.round((clock.now() - begun) * 1_000);
    return HostRequestReply.fromPartial({ formatVersion, operationStatuses, totalOperationTime });
  });
}

function answerTo(onDemand: OnDemand, hostId: string, question: Question): Answer | Promise<Answer> {
  if (question.requestType !== RequestType.INTRODUCTION) return onDemand.ask(hostId, question);
  return new Promise((done) => onDemand.introduced(hostId, question, done));
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
