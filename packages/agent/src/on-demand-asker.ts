import {
  HostRequest,
  type HostRequest_ResourceStateRequest as Question,
  type HostRequestReply_HostRequestOperationStatus as Answer,
  requestGoalStates,
} from '@alcor/contract';
import type { Runtime, Timer } from '@alcor/runtime';

/** Questions in one message. */
const perMessage = 500;
/** Messages under way: beyond, questions wait for one to be answered and go together, so the more there are the less each costs. */
const messagesAtMost = 2;
/** How long a message may stay without its answer, in ms. */
const answerMs = 2_000;

export interface AskerOptions {
  readonly runtime: Runtime;
  readonly onAnswer: (answer: Answer) => void;
  /** The questions of a message that has got no answer. */
  readonly onUnanswered: (ids: readonly string[], error: unknown) => void;
}

/** Where questions go: many to a message, several messages under way. */
export class Asker {
  readonly #options: AskerOptions;
  readonly #waiting = new Map<string, Question>();
  #to: { readonly address: string; readonly hostId: string } = { address: '', hostId: '' };
  #underWay = 0;
  #timer: Timer | undefined;

  constructor(options: AskerOptions) {
    this.#options = options;
  }

  /** Whoever speaks for the region now; an empty address: nobody answers. */
  address(address: string, hostId: string): void {
    this.#to = { address, hostId };
  }

  ask(question: Question): void {
    this.#waiting.set(question.requestId, question);
    this.#sendSoon();
  }

  close(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  /** With whatever else is asked at the moment. */
  #sendSoon(): void {
    if (this.#underWay < messagesAtMost) this.#timer ??= this.#options.runtime.clock.timer(0, () => this.#send());
  }

  #send(): void {
    this.#timer = undefined;
    while (this.#waiting.size > 0 && this.#underWay < messagesAtMost) {
      const stateRequests: Question[] = [];
      for (const [id, question] of this.#waiting) {
        if (stateRequests.length === perMessage) break;
        stateRequests.push(question);
        this.#waiting.delete(id);
      }
      void this.#exchange(HostRequest.fromPartial({ formatVersion: 1, hostId: this.#to.hostId, stateRequests }));
    }
  }

  async #exchange(request: HostRequest): Promise<void> {
    const { runtime, onAnswer, onUnanswered } = this.#options;
    const unanswered = new Set(request.stateRequests.map(({ requestId }) => requestId));
    const patience = new AbortController();
    const timer = runtime.clock.timer(answerMs, () => patience.abort(new Error('no answer in time')));
    this.#underWay++;
    let reason: unknown = new Error('nobody answers');
    try {
      if (this.#to.address !== '') {
        const reply = await runtime.transport.call(requestGoalStates, this.#to.address, request, patience.signal);
        reason = new Error('the answer does not name the question');
        for (const answer of reply.operationStatuses) if (unanswered.delete(answer.requestId)) onAnswer(answer);
      }
    } catch (error) {
      reason = error;
    } finally {
      timer.cancel();
      this.#underWay--;
    }
    if (unanswered.size > 0) onUnanswered([...unanswered], reason);
    if (this.#waiting.size > 0) this.#sendSoon();
  }
}
