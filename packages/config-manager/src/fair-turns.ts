import type { Clock } from '@alcor/runtime';

export interface FairTurnsOptions {
  readonly clock: Clock;
  /** Pieces of work of one tenant that may wait. */
  readonly waitingAtMost: number;
  /** How much of one tenant is done in its turn, where it comes in smaller pieces. Default: a piece. */
  readonly perTurn?: number;
  /** How much of one tenant is done in a second while others have work too. */
  readonly sharedPerSecond: number;
  /** Nothing is done while there is work in these turns. */
  readonly behind?: FairTurns;
}

interface Piece {
  readonly weight: number;
  readonly work: () => void;
}

/** A tenant that has had no work for so long is not there, in ms. */
const presenceMs = 1_000;

/** Pieces of a tenant that is alone before others may come: what is done in one go can be said in one message. */
const inARow = 4;

/** As much of its share as is given in this time, in ms, a tenant may have at once: what it has others wait for. */
const burstMs = 100;

/** Who has left so much of what it may have at once asks little: it need not wait for a turn. */
const mostlyLeft = 0.9;

/**
 * Does work in small pieces, of each tenant that has some a piece in turn, and lets the machine read and write in between. So who asks much
 * waits for one piece of each of the others, and who asks little for nobody; with nobody else a tenant has it all. A piece has
 * consequences that are in no turn, like what other hosts are told: so with others there, what one has done in a second is bounded, too.
 */
export class FairTurns {
  readonly #options: FairTurnsOptions;
  /** By tenant, in the order of their turns. */
  readonly #waiting = new Map<string, Piece[]>();
  readonly #shares: Shares;
  /** Who waits until there is no work. */
  readonly #behind: (() => void)[] = [];
  #isWorking = false;

  constructor(options: FairTurnsOptions) {
    this.#options = options;
    this.#shares = new Shares(options);
  }

  /**
   * Resolves with true when `work`, which is as much as `weight` says, has been done: at once for a tenant that asks little. Resolves with false at
   * once when too much of the tenant's waits already, or it has had its share.
   */
  run(tenant: string, weight: number, work: () => void): Promise<boolean> {
    const waiting = this.#waiting.get(tenant) ?? [];
    const left = this.#shares.take(tenant, weight);
    if (left === undefined || waiting.length >= this.#options.waitingAtMost) return Promise.resolve(false);
    const isAtOnce = left >= mostlyLeft && waiting.length === 0 && this.#options.behind === undefined;
    return new Promise((resolve, reject) => {
      const toTheEnd = (): void => {
        try {
          work();
          resolve(true);
        } catch (error) {
          reject(error as Error);
        }
      };
      if (isAtOnce) return toTheEnd();
      waiting.push({ weight, work: toTheEnd });
      this.#waiting.set(tenant, waiting);
      if (!this.#isWorking) void this.#work();
      return undefined;
    });
  }

  /** Resolves when there is no work. */
  async #idle(): Promise<void> {
    while (this.#isWorking) await new Promise<void>((resolve) => this.#behind.push(resolve));
  }

  /** Takes out what is done now. */
  #turnOf(waiting: Piece[]): Piece[] {
    const { perTurn = 1 } = this.#options;
    let [count, weight] = [0, 0];
    do weight += waiting[count++]?.weight ?? 0;
    while (weight + (waiting[count]?.weight ?? perTurn) <= perTurn);
    return waiting.splice(0, count);
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    const { behind, clock } = this.#options;
    let done = 0;
    for (const [tenant, waiting] of this.#waiting) {
      if (behind !== undefined) await behind.#idle();
      this.#waiting.delete(tenant);
      const turn = this.#turnOf(waiting);
      // A map that grows while it is walked is walked to its end.
      if (waiting.length > 0) this.#waiting.set(tenant, waiting);
      for (const { work } of turn) work();
      const isAlone = waiting.length > 0 && this.#waiting.size === 1;
      if (isAlone && ++done < inARow) continue;
      await clock.sleep(0);
      done = 0;
    }
    this.#isWorking = false;
    for (const goOn of this.#behind.splice(0)) goOn();
  }
}

/** What a tenant may have at once. */
interface Share {
  left: number;
  at: number;
}

/** What each tenant has had lately. */
class Shares {
  readonly #clock: Clock;
  readonly #perMs: number;
  /** Those that have had work, at least all of the last second. */
  readonly #shares = new Map<string, Share>();
  #sweepAt = Number.NEGATIVE_INFINITY;
  /** Who had work last, and when the last one that is not that one had. */
  #last = '';
  #lastAt = Number.NEGATIVE_INFINITY;
  #anotherAt = Number.NEGATIVE_INFINITY;

  constructor({ clock, sharedPerSecond }: FairTurnsOptions) {
    this.#clock = clock;
    this.#perMs = sharedPerSecond / 1_000;
  }

  /**
   * What is left of what the tenant may have at once when it has so much more, from 0 to 1; undefined: it may not. Alone it may have anything, which
   * counts all the same when others come.
   */
  take(tenant: string, weight: number): number | undefined {
    const now = this.#clock.now();
    const most = this.#perMs * burstMs;
    let share = this.#shares.get(tenant);
    // Changed in place: of a map out of which as much goes as comes in V8 keeps all tables until a full collection.
    if (share === undefined) this.#shares.set(tenant, (share = { left: most, at: now }));
    const there = Math.min(most, share.left + (now - share.at) * this.#perMs);
    const isGiven = there >= weight || this.#isAlone(tenant, now);
    share.left = isGiven ? Math.max(0, there - weight) : there;
    share.at = now;
    this.#note(tenant, now);
    return isGiven ? share.left / most : undefined;
  }

  #isAlone(tenant: string, now: number): boolean {
    return now - (tenant === this.#last ? this.#anotherAt : this.#lastAt) >= presenceMs;
  }

  #note(tenant: string, now: number): void {
    if (tenant !== this.#last) this.#anotherAt = this.#lastAt;
    this.#last = tenant;
    this.#lastAt = now;
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + presenceMs;
    for (const [other, { at }] of this.#shares) if (now - at >= presenceMs) this.#shares.delete(other);
  }
}
