import type { Clock } from '@alcor/runtime';

/** What keeps one network, or one flood, from taking the agent from the others. */
export interface OnDemandLimits {
  /** Questions that a network may ask in a second, and at once. */
  readonly questionsPerSecond: number;
  /** Packets that may wait: for one destination, for all of one network, in all. */
  readonly perDestination: number;
  readonly perNetwork: number;
  readonly inAll: number;
  /** How long a packet may wait, in ms: what asked for it has asked again by then. */
  readonly holdMs: number;
  /** Destinations that are remembered not to be reachable. */
  readonly refusals: number;
  /** How long what has been learnt is used while nobody speaks to the host, in ms. */
  readonly unheardMs: number;
}

export const defaultLimits: OnDemandLimits = {
  questionsPerSecond: 1_000,
  perDestination: 32,
  perNetwork: 1_000,
  inAll: 4_000,
  holdMs: 3_000,
  refusals: 10_000,
  // A region that is away for long should not take its packets with it, and who left a group should not be let in for ever.
  unheardMs: 3_600_000,
};

/** Allows so much a second, and as much at once. */
export class Allowance {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #left: number;
  #at: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#at = clock.now();
  }

  /** Whether there is one more. */
  take(): boolean {
    const now = this.#clock.now();
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#at) * this.#perSecond) / 1_000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** What is not to be asked for again for a while; the oldest are forgotten where there are too many. */
export class Refusals {
  readonly #clock: Clock;
  readonly #atMost: number;
  readonly #until = new Map<string, number>();

  constructor(clock: Clock, atMost: number) {
    this.#clock = clock;
    this.#atMost = atMost;
  }

  get size(): number {
    return this.#until.size;
  }

  has(key: string): boolean {
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (until > this.#clock.now()) return true;
    this.#until.delete(key);
    return false;
  }

  add(key: string, ms: number): void {
    this.#until.delete(key);
    this.#until.set(key, this.#clock.now() + ms);
    for (const oldest of this.#until.keys()) {
      if (this.#until.size <= this.#atMost) break;
      this.#until.delete(oldest);
    }
  }
}
