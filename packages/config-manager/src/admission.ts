import type { Clock } from '@alcor/runtime';

export interface AdmissionOptions {
  readonly clock: Clock;
  /** How many are in at once. */
  readonly places: number;
  /** How long one may keep a place, in ms; who takes longer goes on without, so that the slow hold nobody up. */
  readonly keptMs: number;
}

/** Lets few in at a time, in the order in which they came: when all hosts come at once, the process still has time for others. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#free = options.places;
  }

  /** Who waits to be let in. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves, once there is a place, with what gives it back. Rejects when `signal` aborts before. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let isIn = true;
    const leave = (): void => {
      if (!isIn) return;
      isIn = false;
      timer.cancel();
      this.#passOn();
    };
    const timer = this.#options.clock.timer(this.#options.keptMs, leave);
    return leave;
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.delete(enter);
        reject(signal.reason as Error);
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** To who waits longest. */
  #passOn(): void {
    for (const enter of this.#waiting) {
      this.#waiting.delete(enter);
      return enter();
    }
    this.#free++;
    return undefined;
  }
}
