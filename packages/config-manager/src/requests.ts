import {
  type HostRequest,
  type HostRequest_ResourceStateRequest as Question,
  type HostRequestReply,
  type HostRequestReply_HostRequestOperationStatus as OperationAnswer,
  OperationStatus,
  requestGoalStates,
  RequestType,
} from '@alcor/contract';
import { CallRefused, type Clock, type Handler, handler, type Random, type Runtime, type Stream } from '@alcor/runtime';
import { FairTurns } from './fair-turns.ts';
import type { Answer } from './answer.ts';
import type { OnDemand } from './on-demand.ts';

/** Who knows the answers. */
export type Answering = Pick<OnDemand, 'ask' | 'introduced' | 'tenantOf'>;

/** Questions in one message. */
const questionsAtMost = 1_000;
/** Of one host that are answered side by side; further ones wait on the wire. */
const messagesAtOnce = 16;
/** Questions that are answered without anybody else's turn in between: a fraction of a millisecond. */
const atOnce = 16;
/** Of one tenant, times as many questions; beyond, it is asked to come again. */
const waitingAtMost = 256;
/** Questions of one tenant in a second, where others ask too: less than half of what one core answers. */
const sharedPerSecond = 4_000;
/** Half as long to half as long again, so that those who are put off together do not come together. */
const comeAgainMs = 500;

const statusOf = {
  routable: OperationStatus.SUCCESS,
  'not-routable': OperationStatus.FAILURE,
  later: OperationStatus.PENDING,
  invalid: OperationStatus.INVALID_ARG,
} as const;

/** The turns that questions are answered in. */
export function questionTurns(clock: Clock): FairTurns {
  return new FairTurns({ clock, waitingAtMost, sharedPerSecond, perTurn: atOnce });
}

/**
 * Answers `RequestGoalStates`: what becomes of each question, in turns of the tenants; each message when all of it is answered, whatever came before on
 * the stream, so that a host's tenants do not wait for each other. The goal states go by the host's stream.
 */
export function answersRequests(
  onDemand: Answering,
  turns: FairTurns,
  { clock, random }: Pick<Runtime, 'clock' | 'random'>,
): Handler {
  const answer = async ({ hostId, stateRequests, formatVersion }: HostRequest): Promise<HostRequestReply> => {
    if (stateRequests.length > questionsAtMost) {
      throw new CallRefused(
        'INVALID_ARGUMENT',
        `state_requests: ${stateRequests.length}, more than ${questionsAtMost}`,
      );
    }
    const begun = clock.now();
    const pieces = piecesOf(stateRequests, onDemand);
    const answered = await Promise.all(pieces.map((piece) => answerPiece(piece, { onDemand, turns, hostId, random })));
    const totalOperationTime = Math.round((clock.now() - begun) * 1_000);
    return { formatVersion, operationStatuses: answered.flat(), totalOperationTime };
  };
  return handler(requestGoalStates, (stream) => sideBySide(stream, answer));
}

/** Resolves when the stream has ended and all is answered; rejects at the first request that `answer` refuses. */
function sideBySide<Request, Reply>(
  stream: Stream<Reply, Request>,
  answer: (request: Request) => Promise<Reply>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const underWay = new Set<Promise<void>>();
    const take = async (): Promise<void> => {
      for await (const request of stream.received) {
        const answering = answer(request).then((reply) => stream.send(reply));
        underWay.add(answering);
        answering.then(() => underWay.delete(answering), reject);
        if (underWay.size >= messagesAtOnce) await Promise.race(underWay);
      }
      await Promise.all(underWay);
    };
    take().then(resolve, reject);
  });
}

interface Piece {
  readonly tenant: string;
  readonly questions: Question[];
}

/** Few questions each, of one tenant. */
function piecesOf(questions: readonly Question[], onDemand: Answering): Piece[] {
  const pieces: Piece[] = [];
  const last = new Map<string, Piece>();
  for (const question of questions) {
    const tenant = onDemand.tenantOf(question.tunnelId);
    let piece = last.get(tenant);
    if (piece === undefined || piece.questions.length === atOnce) {
      piece = { tenant, questions: [] };
      last.set(tenant, piece);
      pieces.push(piece);
    }
    piece.questions.push(question);
  }
  return pieces;
}

interface Asked {
  readonly onDemand: Answering;
  readonly turns: FairTurns;
  readonly hostId: string;
  readonly random: Random;
}

async function answerPiece(
  { tenant, questions }: Piece,
  { onDemand, turns, hostId, random }: Asked,
): Promise<OperationAnswer[]> {
  let answers: (OperationAnswer | Promise<OperationAnswer>)[] = [];
  const isDone = await turns.run(tenant, questions.length, () => {
    answers = questions.map((question) => answerTo(onDemand, hostId, question));
  });
  if (!isDone) {
    const busy = tooMuch(random);
    return questions.map(({ requestId }) => statusFor(requestId, busy));
  }
  const statuses: OperationAnswer[] = [];
  // Most are there already.
  for (const answer of answers) statuses.push(answer instanceof Promise ? await answer : answer);
  return statuses;
}

function tooMuch(random: Random): Answer {
  const lifetimeMs = Math.round(comeAgainMs * (0.5 + random.next()));
  return { status: 'later', reason: 'too much is asked at the moment', lifetimeMs };
}

function answerTo(onDemand: Answering, hostId: string, question: Question): OperationAnswer | Promise<OperationAnswer> {
  const { requestId, requestType } = question;
  if (requestType !== RequestType.INTRODUCTION) return statusFor(requestId, onDemand.ask(hostId, question));
  return new Promise((done) => onDemand.introduced(hostId, question, (answer) => done(statusFor(requestId, answer))));
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
