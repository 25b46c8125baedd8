import { emptyGoalState, pushGoalStatesStream } from '@alcor/contract';
import { createWakeup, reliable } from '@alcor/runtime';
import type { ConfigManagerOptions, ManagedHost } from './config-manager.ts';
import { HostGoals } from './host-goals.ts';

const firstRetryMs = 200;
const lastRetryMs = 5_000;

/** How a host stands with its config manager. */
export interface HostState {
  readonly state: 'connecting' | 'synchronising' | 'synchronised' | 'unreachable';
  /** Why, when unreachable. */
  readonly reason: string;
  readonly ports: number;
  readonly vpcs: number;
}

/** Keeps one host at what the topics say, through as many streams as it takes. */
export class HostSession {
  readonly #host: ManagedHost;
  readonly #options: ConfigManagerOptions;
  #state: HostState = { state: 'connecting', reason: '', ports: 0, vpcs: 0 };

  constructor(host: ManagedHost, options: ConfigManagerOptions) {
    this.#host = host;
    this.#options = options;
  }

  get state(): HostState {
    return this.#state;
  }

  /** Never rejects: a host that cannot be reached is tried until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options.runtime;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      const started = clock.now();
      const reason = await this.#converse(signal).then(
        () => 'the agent closed the stream',
        (error: unknown) => describe(error),
      );
      if (signal.aborted) return;
      if (this.#state.state !== 'unreachable') this.#options.log(`lost host ${this.#host.id}: ${reason}`);
      this.#state = { ...this.#state, state: 'unreachable', reason };
      if (clock.now() - started > lastRetryMs) retryMs = firstRetryMs;
      await clock.sleep(retryMs * (0.5 + random.next()), signal).catch(() => {});
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    }
  }

  /** One stream, from the first goal to its end. */
  async #converse(signal: AbortSignal): Promise<void> {
    const { goals, onReport, runtime, log } = this.#options;
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const wire = await runtime.transport.open(pushGoalStatesStream, this.#host.agentAddress, until);
    const stream = reliable(wire, { clock: runtime.clock, empty: emptyGoalState });
    const wakeup = createWakeup();
    const reader = new HostGoals(this.#host.id, goals, wakeup.raise);
    this.#state = { state: 'synchronising', reason: '', ports: 0, vpcs: 0 };
    let completeAt = Number.POSITIVE_INFINITY;

    const send = async (): Promise<void> => {
      for (let sequence = 1; !until.aborted;) {
        const message = reader.next();
        if (message === undefined) {
          await wakeup.wait(until);
          continue;
        }
        if (message.complete) completeAt = sequence;
        this.#state = { ...this.#state, ports: reader.ports, vpcs: reader.vpcs };
        await stream.send(message);
        sequence++;
      }
    };
    const receive = async (): Promise<void> => {
      for await (const reply of stream.received) {
        for (const report of reply.operationStatuses) onReport(this.#host.id, report);
        if (reply.appliedSequence < completeAt || this.#state.state === 'synchronised') continue;
        this.#state = { ...this.#state, state: 'synchronised' };
        log(`host ${this.#host.id} is synchronised: ${reader.ports} ports in ${reader.vpcs} VPCs`);
      }
    };
    try {
      await Promise.race([send(), receive()]);
    } finally {
      over.abort();
      reader.close();
      stream.close();
    }
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
