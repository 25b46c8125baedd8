import {
  HostRequest,
  type HostRequest_ResourceStateRequest as Question,
  OperationStatus,
  requestGoalStates,
} from '@alcor/contract';
import type { Runtime } from '@alcor/runtime';

/** Another process that speaks for a host, and what it calls the host. */
export interface Peer {
  readonly hostId: string;
  readonly address: string;
}

export interface IntroductionsOptions {
  readonly runtime: Runtime;
  /** Who speaks for the host with this underlay address; undefined: this process, or nobody. */
  readonly peerAt: (hostIp: string) => Peer | undefined;
  readonly log: (message: string, error?: unknown) => void;
}

interface Introduction {
  readonly hostIp: string;
  readonly question: Question;
  readonly done: () => void;
  tries: number;
}

/** How long whoever waits for an introduction waits, in ms. */
const patienceMs = 100;
const answerMs = 2_000;
const firstRetryMs = 200;
const triesAtMost = 6;
const perMessage = 500;

/** Has other processes acquaint their hosts with those of this one: one message to a process under way, with all that has gathered. */
export class Introductions {
  readonly #options: IntroductionsOptions;
  readonly #waiting = new Map<string, Introduction[]>();
  #signal = AbortSignal.abort();

  constructor(options: IntroductionsOptions) {
    this.#options = options;
  }

  /** Lives until `signal` aborts. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
  }

  /** Calls `done` when the other host has applied what it was told, or soon. */
  introduce(hostIp: string, question: Question, done: () => void): void {
    const timer = this.#options.runtime.clock.timer(patienceMs, () => finish());
    let isDone = false;
    const finish = (): void => {
      timer.cancel();
      if (!isDone) done();
      isDone = true;
    };
    this.#send({ hostIp, question, done: finish, tries: 0 });
  }

  #send(introduction: Introduction): void {
    const peer = this.#options.peerAt(introduction.hostIp);
    if (peer === undefined || this.#signal.aborted) return introduction.done();
    const key = `${peer.address} ${peer.hostId}`;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return void waiting.push(introduction);
    this.#waiting.set(key, [introduction]);
    void this.#empty(key, peer);
    return undefined;
  }

  async #empty(key: string, peer: Peer): Promise<void> {
    const waiting = this.#waiting.get(key)!;
    // What comes in the same moment goes in the same message.
    await this.#options.runtime.clock.sleep(0);
    while (waiting.length > 0 && !this.#signal.aborted) await this.#exchange(peer, waiting.splice(0, perMessage));
    this.#waiting.delete(key);
  }

  async #exchange({ hostId, address }: Peer, introductions: readonly Introduction[]): Promise<void> {
    const { runtime, log } = this.#options;
    const over = new AbortController();
    const timer = runtime.clock.timer(answerMs, () => over.abort(new Error('no answer in time')));
    const stateRequests = introductions.map(({ question }, n) => ({ ...question, requestId: String(n) }));
    const request = HostRequest.fromPartial({ formatVersion: 2, hostId, stateRequests });
    const left = new Set(introductions);
    try {
      const signal = AbortSignal.any([this.#signal, over.signal]);
      const { operationStatuses } = await runtime.transport.call(requestGoalStates, address, request, signal);
      for (const { requestId, operationStatus } of operationStatuses) {
        const introduction = introductions[Number(requestId)];
        if (introduction === undefined || operationStatus === OperationStatus.PENDING) continue;
        left.delete(introduction);
        introduction.done();
      }
    } catch (error) {
      if (!this.#signal.aborted) log(`cannot introduce hosts to ${hostId}, which ${address} speaks for`, error);
    } finally {
      timer.cancel();
    }
    for (const introduction of left) this.#tryAgain(introduction);
  }

  /** By then another process may speak for the host. */
  #tryAgain(introduction: Introduction): void {
    const waitMs = firstRetryMs * 2 ** introduction.tries;
    if (++introduction.tries >= triesAtMost) return introduction.done();
    this.#options.runtime.clock.timer(waitMs, () => this.#send(introduction));
    return undefined;
  }
}
