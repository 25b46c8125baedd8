/**
 * Wanted against present of the meters of ports, as the tracker does for flows: present and as wanted are adopted, present and nobody's
 * are left alone until `sweep`. Does no I/O, and looks at more than what changed in `replacePresent` and `sweep` only.
 */
import type { Meter } from './meters.ts';
import type { FlowFailure, MeterChange } from './switch.ts';

interface Claim {
  readonly owner: string;
  readonly meter: Meter;
}

export class MeterTracker {
  readonly #wanted = new Map<number, Claim>();
  readonly #idsOf = new Map<string, readonly number[]>();
  readonly #present = new Map<number, Meter>();
  /** Present, but neither written nor adopted. */
  readonly #foreign = new Set<number>();
  readonly #pending = new Set<number>();
  /** The switch's words, by meter. */
  readonly #refused = new Map<number, string>();

  /** All that `owner` wants from now on. A port number has one owner at a time: the last to come has its meters. */
  set(owner: string, meters: readonly Meter[]): void {
    const before = this.#idsOf.get(owner) ?? [];
    for (const id of before) if (this.#wanted.get(id)?.owner === owner) this.#wanted.delete(id);
    for (const meter of meters) this.#wanted.set(meter.id, { owner, meter });
    const ids = meters.map(({ id }) => id);
    if (ids.length > 0) this.#idsOf.set(owner, ids);
    else this.#idsOf.delete(owner);
    for (const id of new Set([...before, ...ids])) this.#review(id);
  }

  /** What the switch has, read from it. */
  replacePresent(meters: Iterable<Meter>): void {
    for (const kept of [this.#present, this.#foreign, this.#pending, this.#refused]) kept.clear();
    for (const meter of meters) {
      this.#present.set(meter.id, meter);
      if (!this.#wanted.has(meter.id)) this.#foreign.add(meter.id);
    }
    for (const id of new Set([...this.#wanted.keys(), ...this.#present.keys()])) this.#review(id);
  }

  /** From now on what nobody wants is to go, whoever made it. */
  sweep(): void {
    const foreign = [...this.#foreign];
    this.#foreign.clear();
    for (const id of foreign) this.#review(id);
  }

  /** What to do before flows are written: they may name these. */
  writes(): MeterChange[] {
    return [...this.#pending].flatMap((id) => {
      const meter = this.#wanted.get(id)?.meter;
      return meter === undefined ? [] : [{ type: this.#present.has(id) ? 'change' : 'add', meter } as const];
    });
  }

  /** What to do once no flow names these any more. */
  deletions(): MeterChange[] {
    return [...this.#pending].flatMap((id) => {
      const meter = this.#present.get(id);
      return meter === undefined || this.#wanted.has(id) ? [] : [{ type: 'delete', meter } as const];
    });
  }

  /** Whether the deletion, taken from `deletions` earlier, is still to be done. */
  stands({ meter: { id } }: MeterChange): boolean {
    return this.#pending.has(id) && !this.#wanted.has(id);
  }

  /** The switch has carried out the changes but for the failures. Returns the owners of what was refused. */
  settle(changes: readonly MeterChange[], failures: readonly FlowFailure[]): readonly string[] {
    const reasons = new Map(failures.map(({ index, reason }) => [index, reason]));
    for (const [index, { type, meter }] of changes.entries()) {
      const reason = reasons.get(index);
      if (reason !== undefined) this.#refused.set(meter.id, reason);
      else if (type === 'delete') this.#present.delete(meter.id);
      else this.#present.set(meter.id, meter);
      this.#review(meter.id);
    }
    return failures.flatMap(({ index }) => this.#wanted.get(changes[index]!.meter.id)?.owner ?? []);
  }

  /** Puts what was refused up for another attempt. */
  retry(): void {
    const ids = [...this.#refused.keys()];
    this.#refused.clear();
    for (const id of ids) this.#review(id);
  }

  /** Why a meter of `owner` is not as wanted; null if all are, or have not been tried. */
  refusal(owner: string): string | null {
    if (this.#refused.size === 0) return null;
    const [reason] = (this.#idsOf.get(owner) ?? []).flatMap((id) => this.#refused.get(id) ?? []);
    return reason === undefined ? null : `meter: ${reason}`;
  }

  /** The meters that `owner` wants. */
  idsOf(owner: string): readonly number[] {
    return this.#idsOf.get(owner) ?? [];
  }

  waits(owner: string): boolean {
    return this.#pending.size > 0 && (this.#idsOf.get(owner) ?? []).some((id) => this.#pending.has(id));
  }

  get settled(): boolean {
    return this.#pending.size === 0;
  }

  get refused(): number {
    return this.#refused.size;
  }

  /** Brings `pending` in line for one meter; the only one to do so. */
  #review(id: number): void {
    const wanted = this.#wanted.get(id)?.meter;
    const present = this.#present.get(id);
    if (wanted !== undefined) this.#foreign.delete(id);
    const settled = wanted === undefined ? present === undefined || this.#foreign.has(id) : isSame(wanted, present);
    if (settled) this.#refused.delete(id);
    if (settled || this.#refused.has(id)) this.#pending.delete(id);
    else this.#pending.add(id);
  }
}

function isSame(wanted: Meter, present: Meter | undefined): boolean {
  const { unit, rate, burst } = wanted;
  return present !== undefined && present.unit === unit && present.rate === rate && present.burst === burst;
}
