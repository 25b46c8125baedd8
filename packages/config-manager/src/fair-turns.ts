import type { Clock } from '@alcor/runtime';

export interface FairTurnsOptions {
  readonly clock: Clock;
  /** Pieces of work of one tenant that may wait. */
  readonly waitingAtMost: number;
}

/** Pieces of a tenant that is alone before others may come: what is done in one go can be said in one message. */
const inARow = 4;

/**
 * Does work in small pieces, of each tenant that has some a piece in turn, and lets the machine read and write in between. So who asks
 * little is answered after one piece of each of the others, however much those ask; with nobody else a tenant has it all.
 */
export class FairTurns {
  readonly #options: FairTurnsOptions;
  /** By tenant, in the order of their turns. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #isWorking = false;

  constructor(options: FairTurnsOptions) {
    this.#options = options;
  }

  /** Resolves with true when `work` has been done, with false at once when too much of the tenant's waits already. */
  run(tenant: string, work: () => void): Promise<boolean> {
    const waiting = this.#waiting.get(tenant) ?? [];
    if (waiting.length >= this.#options.waitingAtMost) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      waiting.push(() => {
        try {
          work();
          resolve(true);
        } catch (error) {
          reject(error as Error);
        }
      });
      this.#waiting.set(tenant, waiting);
      if (!this.#isWorking) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    let done = 0;
    for (const [tenant, waiting] of this.#waiting) {
      this.#waiting.delete(tenant);
      const piece = waiting.shift();
      // A map that grows while it is walked is walked to its end.
      if (waiting.length > 0) this.#waiting.set(tenant, waiting);
      piece?.();
      const isAlone = waiting.length > 0 && this.#waiting.size === 1;
      if (isAlone && ++done < inARow) continue;
      await this.#options.clock.sleep(0);
      done = 0;
    }
    this.#isWorking = false;
  }
}
