/** What the tracker wants, owner by owner: flows that values make none of are wanted of nobody, and it is known why. */
import type { Flow } from './flow.ts';
import type { Tracker } from './tracker.ts';

export class OwnedFlows {
  /** Owners whose values make no flows, and why. */
  readonly invalid = new Map<string, string>();
  readonly #tracker: Tracker;

  constructor(tracker: Tracker) {
    this.#tracker = tracker;
  }

  /** The owner has these flows from now on; none where `flows` throws. */
  program(owner: string, rank: number, flows: () => readonly Flow[]): void {
    try {
      this.#tracker.set(owner, rank, flows());
      this.invalid.delete(owner);
    } catch (error) {
      this.withdraw(owner);
      this.invalid.set(owner, error instanceof Error ? error.message : String(error));
    }
  }

  withdraw(owner: string): void {
    this.invalid.delete(owner);
    this.#tracker.remove(owner);
  }
}
