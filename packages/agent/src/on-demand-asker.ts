import {
  HostRequest,
  type HostRequest_ResourceStateRequest as Question,
  type HostRequestReply,
  type HostRequestReply_HostRequestOperationStatus as Answer,
  requestGoalStates,
} from '@alcor/contract';
import type { Runtime, Stream, Timer } from '@alcor/runtime';

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

/** One message under way. */
interface Message {
  readonly unanswered: Set<string>;
  readonly timer: Timer;
}

/** One stream to whoever answers, for as long as it lasts. */
interface Conversation {
  readonly stop: AbortController;
  readonly stream: Promise<Stream<HostRequest, HostRequestReply>>;
  readonly underWay: Set<Message>;
}

/** Where questions go: many to a message, several messages under way, all of them on one stream that is opened again when it is lost. */
export class Asker {
  readonly #options: AskerOptions;
  readonly #waiting = new Map<string, Question>();
  #to: { readonly address: string; readonly hostId: string } = { address: '', hostId: '' };
  #conversation: Conversation | undefined;
  #isSending = false;
  #isClosed = false;

  constructor(options: AskerOptions) {
    this.#options = options;
  }

  /** Whoever speaks for the region now; an empty address: nobody answers. */
  address(address: string, hostId: string): void {
    if (address !== this.#to.address) this.#end(this.#conversation, new Error('another one answers now'));
    this.#to = { address, hostId };
  }

  ask(question: Question): void {
    this.#waiting.set(question.requestId, question);
    this.#sendSoon();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
    this.#end(this.#conversation, new Error('the agent stops'));
  }

  /** With whatever else is asked at the moment. */
  #sendSoon(): void {
    if (this.#isSending || this.#isFull) return;
    this.#isSending = true;
    void this.#options.runtime.clock.sleep(0).then(() => this.#send());
  }

  get #isFull(): boolean {
    return (this.#conversation?.underWay.size ?? 0) >= messagesAtMost;
  }

  #send(): void {
    this.#isSending = false;
    while (this.#waiting.size > 0 && !this.#isFull && !this.#isClosed) {
      const stateRequests: Question[] = [];
      for (const [id, question] of this.#waiting) {
        if (stateRequests.length === perMessage) break;
        stateRequests.push(question);
        this.#waiting.delete(id);
      }
      this.#exchange(HostRequest.fromPartial({ formatVersion: 1, hostId: this.#to.hostId, stateRequests }));
    }
  }

  #exchange(request: HostRequest): void {
    const ids = request.stateRequests.map(({ requestId }) => requestId);
    if (this.#to.address === '') return this.#options.onUnanswered(ids, new Error('nobody answers'));
    const conversation = (this.#conversation ??= this.#begin(this.#to.address));
    const giveUp = (): void => this.#end(conversation, new Error('no answer in time'));
    const timer = this.#options.runtime.clock.timer(answerMs, giveUp);
    conversation.underWay.add({ unanswered: new Set(ids), timer });
    conversation.stream
      .then((stream) => stream.send(request))
      .catch((error: unknown) => this.#end(conversation, error));
    return undefined;
  }

  #begin(address: string): Conversation {
    const stop = new AbortController();
    const stream = this.#options.runtime.transport.open(requestGoalStates, address, stop.signal);
    const conversation: Conversation = { stop, stream, underWay: new Set() };
    this.#hear(conversation).catch((error: unknown) => this.#end(conversation, error));
    return conversation;
  }

  async #hear(conversation: Conversation): Promise<void> {
    const { received } = await conversation.stream;
    for await (const reply of received) {
      this.#take(conversation, reply);
      this.#sendSoonIfAny();
    }
    this.#end(conversation, new Error('the stream was closed'));
  }

  /** A wire may lose or reorder what is no goal: so a message is known by its questions, not by its place. */
  #take({ underWay }: Conversation, { operationStatuses }: HostRequestReply): void {
    const isOf = ({ unanswered }: Message): boolean =>
      operationStatuses.some(({ requestId }) => unanswered.has(requestId));
    const message = [...underWay].find(isOf);
    if (message === undefined) return;
    settle(underWay, message);
    const { onAnswer, onUnanswered } = this.#options;
    for (const answer of operationStatuses) if (message.unanswered.delete(answer.requestId)) onAnswer(answer);
    const left = [...message.unanswered];
    if (left.length > 0) onUnanswered(left, new Error('the answer does not name the question'));
  }

  /** What is under way stays without an answer; the next question opens a stream anew. */
  #end(conversation: Conversation | undefined, reason: unknown): void {
    if (conversation === undefined || this.#conversation !== conversation) return;
    this.#conversation = undefined;
    conversation.stop.abort(reason);
    for (const message of conversation.underWay) {
      settle(conversation.underWay, message);
      if (!this.#isClosed) this.#options.onUnanswered([...message.unanswered], reason);
    }
    this.#sendSoonIfAny();
  }

  #sendSoonIfAny(): void {
    if (this.#waiting.size > 0) this.#sendSoon();
  }
}

function settle(underWay: Set<Message>, message: Message): void {
  message.timer.cancel();
  underWay.delete(message);
}
