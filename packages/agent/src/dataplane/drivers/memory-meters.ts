/** The meters of a switch in memory: token buckets, filled by a clock where the switch has one; without, they hold nobody back. */
import type { Clock } from '@alcor/runtime';
import type { Meter } from '../meters.ts';
import type { MeterChange } from '../switch.ts';

/** Packets here are headers alone, so each counts as the smallest frame. */
export const BYTES_OF_A_PACKET = 64;
const KILOBITS_OF_A_PACKET = (BYTES_OF_A_PACKET * 8) / 1000;

interface Bucket {
  readonly meter: Meter;
  left: number;
  filledAt: number;
  /** Packets. */
  ended: number;
}

export class MemoryMeters {
  readonly #clock: Pick<Clock, 'now'> | undefined;
  readonly #buckets = new Map<number, Bucket>();

  constructor(clock: Pick<Clock, 'now'> | undefined) {
    this.#clock = clock;
  }

  get all(): readonly Meter[] {
    return [...this.#buckets.values()].map(({ meter }) => meter);
  }

  has(id: number): boolean {
    return this.#buckets.has(id);
  }

  clear(): void {
    this.#buckets.clear();
  }

  /** Answers with the switch's words for refusing it, or null. */
  apply({ type, meter }: MeterChange): string | null {
    if (type === 'delete') this.#buckets.delete(meter.id);
    if (type === 'delete') return null;
    const before = this.#buckets.get(meter.id);
    if (type === 'add' && before !== undefined) return 'there is such a meter';
    if (type === 'change' && before === undefined) return 'there is no such meter';
    const left = Math.min(before?.left ?? meter.burst, meter.burst);
    const ended = before?.ended ?? 0;
    this.#buckets.set(meter.id, { meter, left, filledAt: this.#clock?.now() ?? 0, ended });
    return null;
  }

  /** Whether one more packet may pass. */
  pass(id: number): boolean {
    const bucket = this.#buckets.get(id);
    if (this.#clock === undefined || bucket === undefined) return true;
    const { meter } = bucket;
    const now = this.#clock.now();
    bucket.left = Math.min(meter.burst, bucket.left + ((now - bucket.filledAt) / 1000) * meter.rate);
    bucket.filledAt = now;
    const cost = meter.unit === 'packets' ? 1 : KILOBITS_OF_A_PACKET;
    if (bucket.left < cost) bucket.ended += 1;
    if (bucket.left < cost) return false;
    bucket.left -= cost;
    return true;
  }

  /** How many packets it has ended. */
  ended(id: number): number {
    return this.#buckets.get(id)?.ended ?? 0;
  }
}
