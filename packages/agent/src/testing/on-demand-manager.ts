import {
  addGoal,
  emptyGoalState,
  type Goal,
  type GoalStateOperationReply,
  type GoalStateV2,
  type HostRequest_ResourceStateRequest as Question,
  HostRequestReply,
  HostRequestReply_HostRequestOperationStatus as Answer,
  OperationStatus,
  pushGoalStatesStream,
  requestGoalStates,
} from '@alcor/contract';
import { answering, type Handler, type Process, reliable, type Schedule, type Stream } from '@alcor/runtime';

/** The manager's side of one host: what it answers, and what it tells. */
export class Manager {
  readonly asked: Question[] = [];
  readonly replies: GoalStateOperationReply[] = [];
  /** Streams that questions came by. */
  streams = 0;
  answer: (question: Question) => Partial<Answer> & { tell?: () => void } = () => ({
    operationStatus: OperationStatus.FAILURE,
    lifetimeMs: 1_000,
  });
  readonly #forever = new AbortController().signal;
  #stream: Stream<GoalStateV2, GoalStateOperationReply> | undefined;

  async connect(process: Process, schedule: Schedule, host: string): Promise<void> {
    const address = `manager:${host}`;
    const answers = answering(requestGoalStates, async ({ stateRequests }) => {
      this.asked.push(...stateRequests);
      const operationStatuses = stateRequests.map((question) => {
        const { tell, ...answer } = this.answer(question);
        tell?.();
        return Answer.fromPartial({ requestId: question.requestId, ...answer });
      });
      return HostRequestReply.fromPartial({ operationStatuses });
    });
    const counted: Handler = {
      ...answers,
      handle: (...stream) => {
        this.streams++;
        return answers.handle(...stream);
      },
    };
    await process.runtime.transport.serve(address, [counted], this.#forever);
    const wire = await process.runtime.transport.open(pushGoalStatesStream, `agent:${host}`, this.#forever);
    this.#stream = reliable(wire, { clock: schedule.clock, empty: emptyGoalState });
    void this.#receive(this.#stream.received);
    this.send({ requestAddress: address, hostId: host });
  }

  send(message: Partial<GoalStateV2>, ...goals: readonly Goal[]): void {
    this.#say(message, goals, false);
  }

  /** Tells that these are gone. */
  takeBack(...goals: readonly Goal[]): void {
    this.#say({}, goals, true);
  }

  /** Closes the stream; from then on it tells nothing. */
  leave(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  #say(message: Partial<GoalStateV2>, goals: readonly Goal[], removed: boolean): void {
    const whole = { ...emptyGoalState(), ...message };
    for (const goal of goals) addGoal(whole, { goal, removed });
    void this.#stream?.send(whole);
  }

  async #receive(replies: AsyncIterable<GoalStateOperationReply>): Promise<void> {
    for await (const reply of replies) this.replies.push(reply);
  }
}
