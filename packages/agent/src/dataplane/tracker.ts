/**
 * Wanted against present, one entry per place (table, priority, match) in a switch.
 *
 *            wanted                present
 *        ┌───────────────┬────────────────┬──────────────────────┐
 *        │  to write     │  equal cookie  │ ours: to delete      │
 *        │               │  (adopted)     │ foreign: left alone  │
 *        └───────────────┴────────────────┴──────────────────────┘
 *
 * Several resources may want the same place (a port that moves is a neighbour and a local port for a moment): the claim of
 * the lowest rank, then of the smallest name, is what is wanted, whatever came first. Nothing here does I/O, and nothing
 * but `replacePresent` and `sweep` looks at more than what changed.
 */
import { must } from './assert.ts';
import { flowKey, type Flow, type FlowIdentity } from './flow.ts';
import type { FlowChange, FlowFailure } from './switch.ts';

interface Claim {
  readonly owner: string;
  readonly rank: number;
  readonly flow: Flow;
}

/** A change and its place, so that nobody has to work the place out again. */
export interface Planned {
  readonly place: string;
  readonly change: FlowChange;
}

interface Refusal {
  readonly change: FlowChange;
  readonly reason: string;
}

export class Tracker {
  /** By place; the wanted claim first. Never an empty list. */
  readonly #claims = new Map<string, Claim[]>();
  /** The places of each owner, also of one that has left until its places are settled. */
  readonly #placesOf = new Map<string, readonly string[]>();
  /** Owners that have places which they no longer want, because the switch has not let go of them yet. */
  readonly #leaving = new Set<string>();
  #present = new Map<string, FlowIdentity>();
  /** Present, but neither written nor adopted: kept until `sweep`. */
  readonly #foreign = new Set<string>();
  /** Places where the switch has to be changed. */
  readonly #pending = new Set<string>();
  readonly #refused = new Map<string, Refusal>();

  /** Everything that `owner` wants from now on. Of two owners at one place the lower rank wins. */
  set(owner: string, rank: number, flows: readonly Flow[]): void {
    const before = this.#placesOf.get(owner) ?? [];
    const wanted = new Map(flows.map((flow) => [flowKey(flow), flow]));
    for (const place of before) if (!wanted.has(place)) this.#withdraw(owner, place);
    for (const [place, flow] of wanted) this.#claim(place, { owner, rank, flow });
    const leaving = before.filter((place) => !wanted.has(place) && this.#unsettled(place));
    const places = [...wanted.keys(), ...leaving];
    if (leaving.length > 0) this.#leaving.add(owner);
    else this.#leaving.delete(owner);
    if (places.length > 0) this.#placesOf.set(owner, places);
    else this.#placesOf.delete(owner);
  }

  remove(owner: string): void {
    this.set(owner, 0, []);
  }

  /** What the switch has, read from it: adopts what is wanted, takes the rest for foreign. */
  replacePresent(flows: Iterable<FlowIdentity>): void {
    this.#present = new Map();
    this.#foreign.clear();
    this.#refused.clear();
    this.#pending.clear();
    for (const flow of flows) {
      const place = flowKey(flow);
      this.#present.set(place, flow);
      if (this.#wanted(place)?.cookie !== flow.cookie) this.#foreign.add(place);
    }
    for (const place of this.#claims.keys()) this.#review(place);
  }

  /** From now on what nobody wants is to go, whoever wrote it. */
  sweep(): void {
    const foreign = [...this.#foreign];
    this.#foreign.clear();
    for (const place of foreign) this.#review(place);
  }

  /**
   * What to do, make before break: writes first, the end of the pipeline before its beginning, so that no packet is led to
   * a place that is not there yet; then deletions, the beginning first.
   */
  pending(): Planned[] {
    const changes = Array.from(this.#pending, (place) => ({ place, change: this.#change(place) }));
    const writes = changes.filter(({ change }) => change.type === 'write');
    const deletes = changes.filter(({ change }) => change.type === 'delete');
    writes.sort((a, b) => b.change.flow.table - a.change.flow.table);
    deletes.sort((a, b) => a.change.flow.table - b.change.flow.table);
    return [...writes, ...deletes];
  }

  /** Whether the change, taken from `pending` earlier, is still to be done. */
  stands({ place, change }: Planned): boolean {
    if (!this.#pending.has(place)) return false;
    const wanted = this.#wanted(place);
    if (change.type === 'write') return wanted?.cookie === change.flow.cookie;
    return wanted === undefined && this.#present.get(place)?.cookie === change.flow.cookie;
  }

  /** The switch has carried out `planned` but for the failures. Returns the owners of what was refused. */
  settle(planned: readonly Planned[], failures: readonly FlowFailure[]): readonly string[] {
    const reasons = new Map(failures.map(({ index, reason }) => [index, reason]));
    for (const [index, { place, change }] of planned.entries()) {
      const reason = reasons.get(index);
      if (reason === undefined) this.#done(place, change);
      else this.#refused.set(place, { change, reason });
      this.#review(place);
    }
    const refused = failures.map(({ index }) => must(planned[index], 'a failure names a change').place);
    return refused.flatMap((place) => (this.#claims.get(place) ?? []).map(({ owner }) => owner));
  }

  /** Puts what was refused up for another attempt. */
  retry(): void {
    const places = [...this.#refused.keys()];
    this.#refused.clear();
    for (const place of places) this.#review(place);
  }

  /** Why something of `owner` is not as wanted; null if all of it is, or has not been tried. */
  refusal(owner: string): string | null {
    for (const place of this.#placesOf.get(owner) ?? []) {
      const refusal = this.#refused.get(place);
      if (refusal !== undefined) return refusal.reason;
    }
    return null;
  }

  /** Whether something of `owner` is still to be written or deleted. */
  waits(owner: string): boolean {
    return (this.#placesOf.get(owner) ?? []).some((place) => this.#pending.has(place));
  }

  /** Lets an owner go of places that it no longer wants, once they are settled. */
  forget(owner: string): void {
    if (!this.#leaving.has(owner)) return;
    const places = must(this.#placesOf.get(owner), 'who is leaving has places');
    const unsettled = places.filter((place) => !this.#claimed(owner, place) && this.#unsettled(place));
    if (unsettled.length === 0) this.#leaving.delete(owner);
    const kept = places.filter((place) => this.#claimed(owner, place) || this.#unsettled(place));
    if (kept.length > 0) this.#placesOf.set(owner, kept);
    else this.#placesOf.delete(owner);
  }

  get refused(): number {
    return this.#refused.size;
  }

  /** For people. Looks at everything. */
  describe(): { wanted: Map<number, number>; present: number; foreign: number; pending: number; refused: number } {
    const wanted = new Map<number, number>();
    for (const [first] of this.#claims.values()) {
      const { table } = must(first, 'a place without claims is not kept').flow;
      wanted.set(table, (wanted.get(table) ?? 0) + 1);
    }
    return {
      wanted,
      present: this.#present.size,
      foreign: this.#foreign.size,
      pending: this.#pending.size,
      refused: this.#refused.size,
    };
  }

  #claim(place: string, claim: Claim): void {
    const others = (this.#claims.get(place) ?? []).filter(({ owner }) => owner !== claim.owner);
    this.#claims.set(place, others.length === 0 ? [claim] : [...others, claim].sort(byRank));
    this.#review(place);
  }

  #withdraw(owner: string, place: string): void {
    const others = (this.#claims.get(place) ?? []).filter((claim) => claim.owner !== owner);
    if (others.length > 0) this.#claims.set(place, others);
    else this.#claims.delete(place);
    this.#review(place);
  }

  #claimed(owner: string, place: string): boolean {
    return this.#claims.get(place)?.some((claim) => claim.owner === owner) ?? false;
  }

  #unsettled(place: string): boolean {
    return this.#pending.has(place) || this.#refused.has(place);
  }

  #wanted(place: string): Flow | undefined {
    return this.#claims.get(place)?.[0]?.flow;
  }

  /** Brings `pending` and `refused` in line for one place; the only one to do so. */
  #review(place: string): void {
    const wanted = this.#wanted(place);
    const present = this.#present.get(place);
    if (wanted !== undefined && wanted.cookie === present?.cookie) this.#foreign.delete(place);
    const settled =
      wanted === undefined ? present === undefined || this.#foreign.has(place) : wanted.cookie === present?.cookie;
    if (settled) {
      this.#pending.delete(place);
      this.#refused.delete(place);
      return;
    }
    if (this.#isRefused(place, wanted)) this.#pending.delete(place);
    else {
      this.#refused.delete(place);
      this.#pending.add(place);
    }
  }

  /** Whether what is to be done at the place is what the switch has refused. */
  #isRefused(place: string, wanted: Flow | undefined): boolean {
    const refused = this.#refused.get(place)?.change;
    if (refused === undefined) return false;
    if (wanted === undefined) return refused.type === 'delete';
    return refused.type === 'write' && refused.flow.cookie === wanted.cookie;
  }

  #change(place: string): FlowChange {
    const wanted = this.#wanted(place);
    if (wanted !== undefined) return { type: 'write', flow: wanted };
    return { type: 'delete', flow: must(this.#present.get(place), 'what is to be deleted is present') };
  }

  #done(place: string, change: FlowChange): void {
    if (change.type === 'delete') {
      this.#present.delete(place);
      return;
    }
    const { table, priority, match, cookie } = change.flow;
    this.#present.set(place, { table, priority, match, cookie });
    this.#foreign.delete(place);
  }
}

function byRank(a: Claim, b: Claim): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.owner < b.owner ? -1 : 1;
}
