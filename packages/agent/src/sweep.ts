import type { Clock, Timer } from '@alcor/runtime';
import type { HeldVpc, Item } from './held-vpc.ts';
import { other, type Source } from './sources.ts';

/** How long what only another channel has named is kept: the two may be apart by as much. */
const channelGraceMs = 30_000;

export interface SweepOptions {
  readonly held: HeldVpc;
  /** Whose reading it was that said everything, and which. */
  readonly kind: Source['kind'];
  readonly generation: number;
  readonly clock: Clock;
  readonly forget: (key: string, item: Item) => void;
  /** Nothing of it is left to be forgotten. */
  readonly onEnd: () => void;
  /** Called when something has been forgotten in the course of time. */
  readonly onForgotten: () => void;
}

/**
 * What of one VPC a reading that said everything has left out, and is yet to be forgotten: at once if only its like had named it, after
 * a while if the other channel had, which may have been ahead.
 */
export class Sweep {
  readonly #options: SweepOptions;
  /** By key: since when the reading says nothing of the goal, and how long that must last. */
  readonly #suspects = new Map<string, { readonly since: number; readonly graceMs: number }>();
  #timer: Timer | undefined;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  isOf(kind: Source['kind'], generation: number): boolean {
    return this.#options.kind === kind && this.#options.generation === generation;
  }

  /** The reading does not name the goal, but may yet. */
  doubt(key: string): void {
    this.#suspects.set(key, { since: this.#options.clock.now(), graceMs: channelGraceMs });
  }

  /** The reading has left the goal out. */
  leaveOut(key: string, item: Item): void {
    const graceMs = item[other(this.#options.kind)] > 0 ? channelGraceMs : 0;
    this.#suspects.set(key, { since: this.#options.clock.now(), graceMs });
  }

  /** Forgets what is due; comes back for the rest. */
  run(): void {
    const { held, kind, generation, clock, forget, onEnd, onForgotten } = this.#options;
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [key, { since, graceMs }] of this.#suspects) {
      const item = held.items.get(key);
      if (item !== undefined && item[kind] < generation) {
        const due = graceMs === 0 ? now : Math.max(since, item.heardAt) + graceMs;
        if (due > now) {
          next = Math.min(next, due);
          continue;
        }
        forget(key, item);
      }
      this.#suspects.delete(key);
    }
    this.cancel();
    if (this.#suspects.size === 0) return onEnd();
    this.#timer = clock.timer(next - now, () => {
      this.run();
      onForgotten();
    });
    return undefined;
  }

  /** Forgets nothing more. */
  cancel(): void {
    this.#timer?.cancel();
  }
}
